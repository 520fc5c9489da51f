#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "program.hpp"

using namespace kirchnet::test;
using nlohmann::json;

namespace {

/// All numbers of a CSV text but its comment lines.
std::vector<double> numbers(std::string text) {
    if (text.starts_with("#")) text.erase(0, text.find('\n'));
    for (char& letter : text)
        if (letter == ',') letter = ' ';
    std::istringstream stream(text);
    std::vector<double> values;
    for (double value = 0; stream >> value;) values.push_back(value);
    return values;
}

}  // namespace

TEST_CASE("solve: one cell in series with its wires is a voltage divider") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "# siemens\n1e-3\n");
    const auto v = folder.write("V.csv", "0.5\n-0.25\n");
    for (const std::string engine : {"nodal", "transfer", "ngspice"}) {
        CAPTURE(engine);
        const auto run = run_kirchnet("solve --conductance " + g + " --input " + v +
                                      " --wl-segment 100 --bl-segment 50 --driver 1k --sense 350 "
                                      "--engine " +
                                      engine);
        REQUIRE(run.code == 0);
        // 1000 + 100 + 1/1e-3 + 50 + 350 = 2500 ohm
        const auto currents = numbers(run.out);
        REQUIRE(currents.size() == 2);
        CHECK(currents[0] == doctest::Approx(0.5 / 2500).epsilon(1e-12));
        CHECK(currents[1] == doctest::Approx(-0.25 / 2500).epsilon(1e-12));
    }
}

TEST_CASE("solve: ends driven and sensed at both sides are resistances in parallel") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-3\n");
    const auto v = folder.write("V.csv", "0.5\n");
    for (const std::string engine : {"nodal", "transfer", "ngspice"}) {
        CAPTURE(engine);
        const auto run = run_kirchnet("solve --conductance " + g + " --input " + v +
                                      " --wl-segment 100 --bl-segment 50 --driver 1k --sense 350 "
                                      "--drive both --sense-at both --engine " +
                                      engine);
        REQUIRE(run.code == 0);
        // (1000 + 100) / 2 + 1/1e-3 + (50 + 350) / 2 = 1750 ohm
        CHECK(numbers(run.out).at(0) == doctest::Approx(0.5 / 1750).epsilon(1e-12));
    }
}

TEST_CASE("solve: --drive and --sense-at choose the ends") {
    const TemporaryFolder folder;
    const auto row = folder.write("row.csv", "1,2\n");
    const auto column = folder.write("column.csv", "1\n2\n");
    const auto transfer = [&](const std::string& array) {
        const auto run = run_kirchnet("solve --transfer - --conductance " + array);
        REQUIRE(run.code == 0);
        return numbers(run.out);
    };
    // Cells of 1 and 2 S, segments of 1 ohm: 2 u0 - u1 = 0 and -u0 + 4 u1 = v.
    const auto right = transfer(row + " --wl-segment 1 --drive right");
    CHECK(right.at(0) == doctest::Approx(1.0 / 7).epsilon(1e-14));
    CHECK(right.at(1) == doctest::Approx(4.0 / 7).epsilon(1e-14));
    // 3 w0 - w1 = v0 and -w0 + 3 w1 = 2 v1: I = w0 = (3 v0 + 2 v1)/8.
    const auto top = transfer(column + " --bl-segment 1 --sense-at top");
    CHECK(top.at(0) == doctest::Approx(3.0 / 8).epsilon(1e-14));
    CHECK(top.at(1) == doctest::Approx(2.0 / 8).epsilon(1e-14));
}

TEST_CASE("solve: without the end segments only driver and sense remain in series") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-3\n");
    const auto v = folder.write("V.csv", "1\n");
    const auto run =
        run_kirchnet("solve --conductance " + g + " --input " + v +
                     " --wl-segment 100 --bl-segment 50 --driver 1k --no-end-segments");
    REQUIRE(run.code == 0);
    CHECK(numbers(run.out).at(0) == doctest::Approx(1.0 / 2000).epsilon(1e-12));
}

TEST_CASE("solve: currents, voltages and transfer matrix go where they are asked to go") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-4,2e-4,3e-4\n4e-4,5e-4,6e-4\n");
    const auto v = folder.write("V.csv", "0.1,0.2\n");
    const auto run = run_kirchnet("solve --conductance " + g + " --input " + v + " --currents " +
                                  (folder / "I.csv") + " --voltages " + (folder / "U.h5") +
                                  " --transfer " + (folder / "T.csv") + " --json");
    REQUIRE(run.code == 0);
    const auto object = json::parse(run.out);
    // No resistance anywhere: I = Gᵀ V, T = Gᵀ.
    const std::vector<double> expected{9e-5, 1.2e-4, 1.5e-4};
    for (std::size_t c = 0; c < 3; ++c) {
        CHECK(object["currents"][0][c].get<double>() == doctest::Approx(expected[c]));
        CHECK(numbers(read_file(folder / "I.csv")).at(c) == doctest::Approx(expected[c]));
    }
    const auto transfer = numbers(read_file(folder / "T.csv"));
    REQUIRE(transfer.size() == 6);
    // A line per bit line; the engine forms T by elimination, which rounds.
    CHECK(transfer[0] == doctest::Approx(1e-4).epsilon(1e-14));
    CHECK(transfer[1] == doctest::Approx(4e-4).epsilon(1e-14));
    CHECK(std::filesystem::file_size(folder / "U.h5") > 0);
}

TEST_CASE("solve: a bit line cut off carries nothing and is named") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-4,0\n1e-4,0\n");
    const auto v = folder.write("V.csv", "0.1,0.2\n");
    const auto sense = folder.write("sense.csv", "0\ninf\n");
    const auto run = run_kirchnet("solve --conductance " + g + " --input " + v +
                                  " --wl-segment 1 --bl-segment 1 --sense " + sense);
    REQUIRE(run.code == 0);
    CHECK(numbers(run.out).at(1) == 0.0);
    CHECK(contains(run.err, "bl_a_0_1"));
}

TEST_CASE("check: all engines agree on a given array, and an absurd tolerance fails with code 1") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-4,2e-5,1e3\n0,5e-5,6e-6\n7e-5,1e-6,1e-4\n");
    const std::string array = "check --conductance " + g + " --wl-segment 2 --bl-segment 3";
    const auto run = run_kirchnet(array + " --engines nodal,transfer,ngspice,ideal --json --out " +
                                  (folder / "A.h5"));
    REQUIRE(run.code == 0);
    const auto object = json::parse(run.out);
    CHECK(object["agree"] == true);
    CHECK(object["records"].size() == 3);
    CHECK(object["worst"].get<double>() <= 1e-9);
    // The ideal engine is shown, not gated: wires matter here.
    CHECK(object["records"][2]["gated"] == false);
    CHECK(object["records"][2]["worst"].get<double>() > 1e-3);
    CHECK(std::filesystem::file_size(folder / "A.h5") > 0);

    CHECK(run_kirchnet(array + " --driver " + folder.write("d.csv", "5\n0\n7\n")).code == 0);
    CHECK(run_kirchnet(array + " --drive both --sense-at top").code == 0);
    CHECK(run_kirchnet(array + " --segment 5").code == 2);  // belongs to networks
    const auto strict = run_kirchnet(array + " --tolerance 1e-30");
    CHECK(strict.code == 1);
    CHECK(contains(strict.out, "DISAGREE"));
    CHECK(contains(strict.err, "disagree"));
}

TEST_CASE("check: sampled tiles of a chip driven and sensed at both ends agree") {
    const auto run = run_kirchnet("check " + digits +
                                  " --array 16x16 --tiles 2 --drive both --sense-at both "
                                  "--driver 50 --sense 20 --layout interleaved --json");
    REQUIRE(run.code == 0);
    CHECK(json::parse(run.out)["worst"].get<double>() <= 1e-9);
}

TEST_CASE("check: sampled tiles of the embedded network agree") {
    const auto run = run_kirchnet("check " + digits + " --array 16x16 --tiles 3 --data " +
                                  digit_images + " --fault-rate 0.02 --json");
    REQUIRE(run.code == 0);
    const auto object = json::parse(run.out);
    CHECK(object["records"].size() >= 6);
    CHECK(object["worst"].get<double>() <= 1e-9);
}

TEST_CASE("solve: sinh cells in one word line carry what their voltages say, by every engine") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-5,3e-5\n");
    const auto v = folder.write("V.csv", "0.25\n-0.5\n");
    for (const std::string engine :
         {"", " --engine nodal", " --engine ngspice", " --engine ideal"}) {
        CAPTURE(engine);
        const auto run =
            run_kirchnet("solve --conductance " + g + " --input " + v + " --cell sinh:4" + engine);
        REQUIRE(run.code == 0);
        const auto currents = numbers(run.out);
        REQUIRE(currents.size() == 4);
        // g sinh(4 v) / 4 with no wires: sinh(1) = 1.1752011936438014, sinh(2) = 3.626860407847019
        CHECK(currents[0] == doctest::Approx(1e-5 * 1.1752011936438014 / 4).epsilon(1e-9));
        CHECK(currents[3] == doctest::Approx(-3e-5 * 3.626860407847019 / 4).epsilon(1e-9));
    }
}

TEST_CASE("solve: nonlinear cells report convergence per input, and have no transfer matrix") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-5,3e-5\n2e-5,1e-5\n");
    const auto v = folder.write("V.csv", "0.25,0.1\n-0.5,0.2\n");
    const std::string given = "solve --conductance " + g + " --wl-segment 10 --bl-segment 10 ";
    const auto run = run_kirchnet(given + "--input " + v + " --cell sinh:4 --json");
    REQUIRE(run.code == 0);
    const auto object = json::parse(run.out);
    CHECK(object.at("engine") == "nonlinear");
    CHECK(object.at("cell") == "sinh:4");
    CHECK(object.at("converged") == json::array({true, true}));
    CHECK(run_kirchnet(given + "--transfer " + folder / "T.csv" + " --cell sinh:4").code == 2);
    CHECK(run_kirchnet(given + "--input " + v + " --cell sinh:4 --engine transfer").code == 2);
    CHECK(run_kirchnet(given + "--input " + v + " --cell sinh:0").code == 2);
    CHECK(run_kirchnet(given + "--input " + v + " --cell tanh:1").code == 2);
}

TEST_CASE("check: nodal, nonlinear and ngspice agree on sinh cells") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-5,3e-5,1e-4\n2e-5,1e-5,0\n1e-6,5e-5,2e-5\n");
    const auto run = run_kirchnet("check --conductance " + g +
                                  " --wl-segment 50 --bl-segment 20 --driver 100 --cell sinh:5 "
                                  "--json");
    REQUIRE(run.code == 0);
    const auto object = json::parse(run.out);
    CHECK(object.at("agree") == true);
    CHECK(object.at("tolerance") == 1e-6);
    CHECK(object.at("worst").get<double>() < 1e-8);
    CHECK(object.at("records").size() == 3);
}
