#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "data/result_file.hpp"
#include "program.hpp"

using namespace kirchnet::test;
using nlohmann::json;

namespace {

const std::string nonlinear = "nonlinear " + digits + " --data " + digit_images;

/// sinh(4 v) / 4 at steps of 10 mV, well within a per mille of the curve.
std::string sampled_sinh() {
    std::string text = "# V, A\n";
    for (int k = 0; k <= 30; ++k)
        text += std::to_string(0.01 * k) + "," + std::to_string(1e3 * std::sinh(4 * 0.01 * k) / 4) +
                "\n";
    return text;
}

}  // namespace

TEST_CASE("nonlinear: with next to no curvature the embedded network's layers all agree") {
    const auto run = run_kirchnet(nonlinear +
                                  " --cell sinh:1e-6 --array 32x32 --mapping two_column "
                                  "--adc-bits 0 --nonlinear-images 1 --positions 16 --json");
    REQUIRE(run.code == 0);
    const auto study = json::parse(run.out)["mappings"]["two_column"];
    CHECK(study["layers"].size() > 1);
    for (const auto& layer : study["layers"]) {
        CHECK(layer["relative_rms"].get<double>() < 1e-6);  // floats
        CHECK(layer["good_enough"] == true);
        CHECK(layer["residual"].get<double>() < 1e-8);
    }
    CHECK(study["good_enough"] == true);
    CHECK(study["images"].size() == 1);
    CHECK(study["images"][0]["relative_rms"].get<double>() < 1e-5);
}

TEST_CASE("nonlinear: strongly curved cells are told to be off, in table, record and figure") {
    const TemporaryFolder folder;
    const auto run = run_kirchnet(nonlinear +
                                  " --cell sinh:8 --array 32x32 --mapping two_column,offset "
                                  "--nonlinear-images 2 --layers fc2 --positions 8 --out " +
                                  (folder / "n.h5"));
    REQUIRE(run.code == 0);
    CHECK(contains(run.out, "NOT good enough"));
    CHECK(contains(run.out,
                   "two_column, cells sinh:8 read at 0.2 V: the linear answer is not good "
                   "enough: fc2 is off by"));
    CHECK_FALSE(contains(run.out, "| conv1"));
    const auto figure = read_file(folder / "n-layers.svg");
    CHECK(contains(figure, "rms error [LSB]"));
    CHECK(contains(figure, "offset"));
    const auto summary = kirchnet::summarize_file(folder / "n.h5");
    CHECK(summary.format == "kirchnet nonlinear study");
    const auto lists = [&](const std::string& line) {
        return std::find(summary.lines.begin(), summary.lines.end(), line) != summary.lines.end();
    };
    CHECK(lists("/labels [2] class"));
    CHECK(lists("/mappings/offset/nonlinear_outputs [2x10] 1"));
    CHECK(lists("/mappings/two_column/rms_error [1] 1"));
}

TEST_CASE("nonlinear: a sampled curve and its formula give the same study") {
    const TemporaryFolder folder;
    const std::string options =
        " --array 32x32 --mapping two_column --nonlinear-images 1 --layers fc2 --positions 0 "
        "--json";
    const auto table = folder.write("cell.csv", sampled_sinh());
    const auto by_table = run_kirchnet(nonlinear + options + " --cell table:" + table);
    const auto by_formula = run_kirchnet(nonlinear + options + " --cell sinh:4");
    REQUIRE(by_table.code == 0);
    const auto error = [](const Outcome& run) {
        return json::parse(run.out)["mappings"]["two_column"]["layers"]["fc2"]["relative_rms"]
            .get<double>();
    };
    // A chord over 10 mV lies above the curve by (0.01 a)^2 / 8 of it at most.
    CHECK(error(by_table) == doctest::Approx(error(by_formula)).epsilon(0.02));
    CHECK(error(by_formula) > 0.001);
}

TEST_CASE("nonlinear: sliced weights read bit by bit without wires show no curvature") {
    // Without wires each cell stands at 0 or V_r, where it is exact.
    const auto run = run_kirchnet(nonlinear +
                                  " --cell sinh:8 --array 32x32 --segment 0 --mapping two_column "
                                  "--nonlinear-images 1 --layers fc2 --bits-per-cell 2 "
                                  "--input-bits 8 --dac-bits 1 --subtract after --json");
    REQUIRE(run.code == 0);
    const auto study = json::parse(run.out)["mappings"]["two_column"];
    CHECK(study["layers"]["fc2"]["relative_rms"].get<double>() < 1e-6);  // floats
    CHECK(study["good_enough"] == true);
}

TEST_CASE("nonlinear: arrays that line solves cannot do are named, with the reason") {
    const auto run = run_kirchnet(nonlinear +
                                  " --cell sinh:4 --array 16x16 --set array.bit_line_segment=0 "
                                  "--mapping two_column --nonlinear-images 1 --layers fc2 "
                                  "--positions 1 --json");
    REQUIRE(run.code == 0);
    CHECK(contains(run.err, "nets merged by 0 ohm"));
    CHECK(contains(run.err, "Newton + KLU"));
}

TEST_CASE("nonlinear: amplifiers within their swing agree, and those beyond it are counted") {
    const TemporaryFolder folder;
    const std::string options =
        " --array 32x32 --mapping two_column --nonlinear-images 2 --layers fc2 --positions 0"
        " --set readout.kind=opamp --set readout.limit=hard --json";
    const auto layer_of = [](const Outcome& run) {
        return json::parse(run.out)["mappings"]["two_column"]["layers"]["fc2"];
    };
    const auto within = run_kirchnet(nonlinear + options);
    REQUIRE(within.code == 0);
    CHECK(layer_of(within)["relative_rms"].get<double>() < 1e-6);  // floats
    CHECK(layer_of(within)["amplifiers"] == layer_of(within)["arrays"].get<int>() / 2 * 3 * 10);
    CHECK(layer_of(within)["saturated_amplifiers"] == 0);
    const auto beyond = run_kirchnet(nonlinear + options + " --set readout.feedback=1e6 --out " +
                                     (folder / "s.h5"));
    REQUIRE(beyond.code == 0);
    CHECK(layer_of(beyond)["relative_rms"].get<double>() > 0.1);
    CHECK(layer_of(beyond)["saturated_amplifiers"].get<int>() > 0);
    CHECK(layer_of(beyond)["saturated_share"].get<double>() > 0.1);
    CHECK(contains(json::parse(beyond.out)["mappings"]["two_column"]["verdict"].get<std::string>(),
                   "amplifiers of 1.2 V hard swing read at 0.2 V: the linear answer is not good"));
    CHECK(contains(read_file(folder / "s-layers.svg"), "amplifiers of 1.2 V hard swing"));
    const auto summary = kirchnet::summarize_file(folder / "s.h5");
    CHECK(std::find(summary.lines.begin(), summary.lines.end(),
                    "/mappings/two_column/saturated_amplifiers [1] 1") != summary.lines.end());
    const auto table = run_kirchnet(nonlinear +
                                    " --array 32x32 --mapping two_column --nonlinear-images 1 "
                                    "--layers fc2 --set readout.kind=opamp");
    CHECK(contains(table.out, "saturated |"));
    CHECK(contains(table.out, "amplifiers saturate, in 0 % of all readings"));
}

TEST_CASE("nonlinear: settings that make no sense are refused before any work") {
    const TemporaryFolder folder;
    const auto refused = [](const std::string& arguments, const std::string& words) {
        const auto run = run_kirchnet(arguments);
        CAPTURE(run.err);
        CHECK(run.code == 2);
        CHECK(is_one_line(run.err));
        CHECK(contains(run.err, words));
    };
    refused(nonlinear, "cells.law: is linear");
    refused(nonlinear, "readout.kind=opamp");  // the other thing to compare
    refused(nonlinear + " --cell sinh:4 --set readout.kind=opamp", "readout.kind: amplifiers");
    refused(nonlinear + " --set readout.kind=opamp --engine ideal", "run.engine: ideal");
    refused(nonlinear + " --set readout.kind=opamp --set readout.swing=0", "readout.swing");
    refused(nonlinear + " --set readout.kind=opamp --set readout.gain=0", "readout.gain");
    refused(nonlinear + " --cell sinh:-1", "cells.law");
    refused(nonlinear + " --cell sinh:4 --layers conv1,conv9", "conv9");
    refused(nonlinear + " --cell sinh:4 --layers conv9", "fc1");  // lists those there are
    refused(nonlinear + " --cell sinh:4 --nonlinear-images 999999", "nonlinear.images");
    refused(nonlinear + " --cell sinh:4 --nonlinear-images 0", "at least one image");
    refused(nonlinear + " --cell sinh:4 --read-voltage -1", "cells.read_voltage");
    refused(nonlinear + " --cell sinh:100000", "programmed");
    const auto falling = folder.write("falling.csv", "0,0\n0.1,2e-6\n# more\n0.2,1e-6\n");
    refused(nonlinear + " --cell table:" + falling, "falling.csv: line 4");
    const auto brief = folder.write("brief.csv", "0,0\n0.1,2e-6\n");
    refused(nonlinear + " --cell table:" + brief, "known up to 0.1 V");
    refused(nonlinear + " --cell table:" + (folder / "none.csv"), "none.csv");
    const auto g = folder.write("G.csv", "1e-5,3e-5\n");
    const auto v = folder.write("V.csv", "0.25\n");
    refused("solve --conductance " + g + " --input " + v + " --cell table:" + brief, "0.1 V");
}

TEST_CASE("solve: cells of a table carry what its lines say, by every engine") {
    const TemporaryFolder folder;
    const auto g = folder.write("G.csv", "1e-5,3e-5\n");
    const auto v = folder.write("V.csv", "0.15\n-0.25\n");
    const auto table = folder.write("cell.csv", "0,0\n0.1,1e-6\n0.3,7e-6\n");
    for (const std::string engine : {"", " --engine nodal", " --engine ngspice"}) {
        CAPTURE(engine);
        const auto run = run_kirchnet("solve --conductance " + g + " --input " + v +
                                      " --cell table:" + table + engine + " --json");
        REQUIRE(run.code == 0);
        const auto currents = json::parse(run.out)["currents"];
        // f(0.15 V) = 0.1 + 3 * 0.05, f(0.25 V) = 0.1 + 3 * 0.15
        CHECK(currents[0][0].get<double>() == doctest::Approx(1e-5 * 0.25).epsilon(1e-9));
        CHECK(currents[1][1].get<double>() == doctest::Approx(-3e-5 * 0.55).epsilon(1e-9));
    }
}

TEST_CASE("check: engines agree on nonlinear tiles of a network, by formula and by table") {
    const TemporaryFolder folder;
    const auto table = folder.write("cell.csv", "0,0\n0.04,1e-6\n0.11,4e-6\n0.25,14e-6\n");
    for (const std::string& law : {std::string("sinh:6"), "table:" + table}) {
        CAPTURE(law);
        const auto run = run_kirchnet("check " + digits + " --array 16x16 --tiles 1 --segment 20 " +
                                      "--mapping differential --data " + digit_images +
                                      " --set cells.law=" + law + " --json");
        REQUIRE(run.code == 0);
        const auto object = json::parse(run.out);
        CHECK(object["agree"] == true);
        CHECK(object["tolerance"] == 1e-6);
        CHECK(object["worst"].get<double>() < 1e-7);
    }
}
