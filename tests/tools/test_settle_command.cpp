#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/matrix_file.hpp"
#include "program.hpp"

using namespace kirchnet::test;
using nlohmann::json;

namespace {

const std::string tile = "settle " + digits + " --layer conv1 --array 4x4 ";
const double ln2 = std::log(2.0);

json settle(const std::string& arguments) {
    const auto run = run_kirchnet(tile + arguments + " --json");
    CAPTURE(run.err);
    REQUIRE(run.code == 0);
    return json::parse(run.out);
}

/// What the outputs' times say of the tile.
void check_read_time(const json& report) {
    double slowest = 0;
    for (const auto& output : report["outputs"])
        slowest = std::max(slowest, output["settling_time"].get<double>());
    CHECK(report["read_time"] == slowest);
    CHECK(slowest > 0);
    CHECK(report["stop"].get<double>() > slowest);
}

}  // namespace

TEST_CASE("settle: an ideal read-out follows a slow ramp, and settles half an LSB before its end") {
    // Wires take femtoseconds, so I(t) = I t / t_rise and |I| (1 - t / t_rise) is half an LSB.
    const json report = settle("--rise-time 10n --bits 6");
    CHECK(report["unit"] == "A");
    check_read_time(report);
    for (const auto& output : report["outputs"]) {
        const double current = std::abs(output["settled"].get<double>());
        REQUIRE(current > report["half_lsb"].get<double>());
        CHECK(
            output["settling_time"].get<double>() ==
            doctest::Approx(1e-8 * (1 - report["half_lsb"].get<double>() / current)).epsilon(1e-4));
    }
    // +- range in 2^6 - 1 steps.
    CHECK(report["half_lsb"].get<double>() == doctest::Approx(report["range"].get<double>() / 63));
}

TEST_CASE("settle: estimates are Elmore's delay and the closed loops of the amplifiers") {
    // Four cells of 1e-4 or 1e-6 S a column, R_f given; 4 x 4 nodes behind 1 kohm drivers.
    const json report = settle(
        "--mapping differential --readout opamp --driver 1k --segment 2 "
        "--set readout.feedback=1k --set readout.gain=1k --rise-time 1n");
    check_read_time(report);
    for (const auto& output : report["outputs"]) {
        const auto& parts = output["time_constants"];
        const double c = 3e-17 + 2e-17;
        CHECK(parts["word_line"].get<double>() == doctest::Approx(1e3 * 4 * c + 2 * c * 4 * 5 / 2));
        CHECK(parts["bit_line"].get<double>() == doctest::Approx(2 * (c + 1e-16) * 4 * 5 / 2));
        // The amplifier's noise gain lies between 1 and that of four cells at LRS.
        const double loop = parts["amplifier"].get<double>() * 2 * std::acos(-1.0) * 1e8;
        CHECK(loop >= 1 / (1 + 1e-3));
        CHECK(loop <= 1 / (1 / 1.4 + 1e-3) * (1 + 1e-12));
        CHECK(parts["subtractor"].get<double>() ==
              doctest::Approx(1 / (2 * std::acos(-1.0) * 1e8 * (0.5 + 1e-3))));
        const double sum = parts["word_line"].get<double>() + parts["bit_line"].get<double>() +
                           parts["amplifier"].get<double>() + parts["subtractor"].get<double>();
        CHECK(output["estimate"].get<double>() == doctest::Approx(1e-9 + 9 * ln2 * sum));
    }
}

TEST_CASE("settle: one more bit takes one more ln 2 of the slowest loop") {
    // One transimpedance amplifier far from its swing is one pole, t = t0 + tau ln(v / half LSB).
    const std::string amplifier =
        "--mapping offset --readout opamp --segment 0 --set readout.swing=100 --set "
        "readout.feedback=2k --range 1 --bits ";
    const json coarse = settle(amplifier + "8");
    const json fine = settle(amplifier + "12");
    for (std::size_t j = 0; j < coarse["outputs"].size(); ++j) {
        CAPTURE(j);
        const double tau = coarse["outputs"][j]["time_constants"]["amplifier"];
        CHECK(fine["outputs"][j]["settling_time"].get<double>() -
                  coarse["outputs"][j]["settling_time"].get<double>() ==
              doctest::Approx(tau * std::log(4095.0 / 255)).epsilon(0.01));
    }
}

TEST_CASE("settle: ngspice says the same of every mapping and read-out") {
    for (const std::string mapping : {"two_column", "offset", "differential"})
        for (const std::string readout :
             {"ideal", "opamp", "opamp --set readout.subtractor=current_mode",
              "opamp --set converters.subtract=after"}) {
            CAPTURE(mapping);
            CAPTURE(readout);
            const json report =
                settle("--driver 100 --check --mapping " + mapping + " --readout " + readout);
            CHECK(report["ngspice"]["agree"] == true);
            CHECK(report["ngspice"]["worst_waveform_difference"].get<double>() <= 0.01);
            CHECK(report["ngspice"]["worst_time_difference"].get<double>() <= 0.02);
            CHECK(report["ngspice"]["outputs"].size() == report["outputs"].size());
        }
}

TEST_CASE("settle: nonlinear cells settle in ngspice as they do here") {
    const TemporaryFolder folder;
    const std::string curve = folder.write("curve.csv", "0,0\n0.05,3e-7\n0.12,1.5e-6\n0.3,9e-6\n");
    for (const std::string& law : {std::string("sinh:4"), std::string("stanford"),
                                   std::string("1s1r"), std::string("1t1r"), "table:" + curve})
        for (const std::string readout : {"ideal", "opamp"}) {
            CAPTURE(law);
            CAPTURE(readout);
            const json report = settle("--driver 100 --check --mapping differential --cell " + law +
                                       " --readout " + readout);
            check_read_time(report);
            CHECK(report["ngspice"]["agree"] == true);
        }
}

TEST_CASE("settle: waveforms end at the settled values, in both kinds of file, with a figure") {
    const TemporaryFolder folder;
    const std::string run = "--mapping differential --readout opamp --data " + digit_images +
                            " --image 3 --position 10 --range 2m --out ";
    const auto settle_conv2 = [&](const std::string& file) {
        const auto outcome = run_kirchnet("settle " + digits + " --layer conv2 --array 4x4 " + run +
                                          (folder / file) + " --json");
        CAPTURE(outcome.err);
        REQUIRE(outcome.code == 0);
        return json::parse(outcome.out);
    };
    const json report = settle_conv2("w.csv");
    CHECK(report["read_time"].get<double>() > 0);
    const Eigen::MatrixXd waves = kirchnet::read_matrix(folder / "w.csv");
    REQUIRE(waves.cols() == 1 + static_cast<Eigen::Index>(report["outputs"].size()));
    CHECK(waves(0, 0) == 0);
    for (Eigen::Index j = 1; j < waves.cols(); ++j)
        CHECK(
            std::abs(waves(waves.rows() - 1, j) -
                     report["outputs"][static_cast<std::size_t>(j - 1)]["settled"].get<double>()) <
            report["half_lsb"].get<double>());
    CHECK(contains(read_file(folder / "w.csv"), "# time [s],sub_0 [V]"));
    CHECK(contains(read_file(folder / "w.svg"), "time [ns]"));
    CHECK(contains(read_file(folder / "w.svg"), "[mV]"));
    const json again = settle_conv2("w.h5");
    CHECK(again["outputs"] == report["outputs"]);
    const Eigen::MatrixXd stored = kirchnet::read_matrix((folder / "w.h5") + ":/waveforms");
    CHECK((stored.transpose() - waves.rightCols(waves.cols() - 1)).cwiseAbs().maxCoeff() == 0);
    const auto info = run_kirchnet("info " + (folder / "w.h5"));
    CHECK(contains(info.out, "kirchnet settling"));
}

TEST_CASE("settle: a table, the slowest first, and what it stands on") {
    const auto run = run_kirchnet(tile + "--readout opamp --top 2");
    REQUIRE(run.code == 0);
    CHECK(contains(run.out, "Minimum read time"));
    CHECK(contains(run.out, "capacitance of a wire segment 0.03 fF, of a cell 0.02 fF"));
    CHECK(contains(run.out, "(2 faster outputs are not shown"));
}

TEST_CASE("settle: an end before all outputs have settled is said, and exit code 1") {
    const auto run = run_kirchnet(tile + "--readout opamp --stop 2n");
    CHECK(run.code == 1);
    CHECK(contains(run.out, "No read time"));
    CHECK(contains(run.out, "not within 2 ns"));
    CHECK(contains(run.err, "are not settled by 2e-09 s"));
}

TEST_CASE("settle: amplifiers in overload settle late, and are waited for") {
    // R_f a hundred times too large: the estimate knows nothing of the swing.
    const json report = settle("--readout opamp --set readout.feedback=1M --bits 10");
    check_read_time(report);
    CHECK(report["largest_amplifier_voltage"].get<double>() > 0.9 * report["swing"].get<double>());
}

TEST_CASE("settle: wrong input is refused by name") {
    CHECK(refuses("settle " + digits, "--layer"));
    CHECK(refuses(tile + "--bits 0", "--bits"));
    CHECK(refuses(tile + "--bits 25", "--bits"));
    CHECK(refuses(tile + "--wire-capacitance=-1f", "--wire-capacitance"));
    CHECK(refuses(tile + "--cell-capacitance=-1f", "--cell-capacitance"));
    CHECK(refuses(tile + "--access-capacitance inf", "--access-capacitance"));
    CHECK(refuses(tile + "--rise-time 0", "--rise-time"));
    CHECK(refuses(tile + "--stop 0.05n", "--stop"));
    CHECK(refuses(tile + "--stop 0", "--stop"));
    CHECK(refuses(tile + "--range 0", "--range"));
    CHECK(refuses(tile + "--top 0", "--top"));
    CHECK(refuses(tile + "--out w.txt", "--out"));
    CHECK(refuses(tile + "--tile 700,0", "rows 0 to"));
    CHECK(refuses(tile + "--cell sinh:-2", "sinh"));
    CHECK(refuses(tile + "--cell 1t1r:beta=1e-5", "1t1r"));  // no cell of 1e-4 S behind that
    CHECK(refuses(tile + "--cell byo:nothing.h5", "nothing.h5"));
    CHECK(refuses(tile + "--cell sinh:4 --access-resistance 1k", "access resistance"));
    const std::string any = "settle " + digits + " --layer conv2 ";
    CHECK(refuses(any + "--array 128x128", "--large"));
    CHECK(refuses(any + "--array 32x32 --check", "ngspice"));
}

TEST_CASE("check: tiles with amplifiers and nonlinear cells are compared net by net") {
    for (const std::string law : {"sinh:4", "stanford", "1s1r", "1t1r"}) {
        CAPTURE(law);
        const auto run = run_kirchnet("check " + digits +
                                      " --array 8x8 --tiles 1 --set readout.kind=opamp --segment 2 "
                                      "--driver 50 --fault-rate 0.05 --json --cell " +
                                      law);
        CAPTURE(run.err);
        REQUIRE(run.code == 0);
        const json report = json::parse(run.out);
        bool is_whole = false;
        for (const auto& record : report["records"]) {
            if (record["reference"] != "circuit") continue;
            is_whole = true;
            CHECK(record["tolerance"] == 1e-6);
            CHECK(record["worst"].get<double>() <= 1e-6);
        }
        CHECK(is_whole);
    }
}

TEST_CASE("check: tiles with their amplifiers are compared net by net") {
    const TemporaryFolder folder;
    const auto run = run_kirchnet("check " + digits +
                                  " --array 8x8 --tiles 3 --set readout.kind=opamp --segment 2 "
                                  "--driver 50 --fault-rate 0.05 --json --out " +
                                  (folder / "a.h5"));
    CAPTURE(run.err);
    REQUIRE(run.code == 0);
    const json report = json::parse(run.out);
    int whole = 0;
    for (const auto& record : report["records"]) {
        if (record["reference"] != "circuit") continue;
        ++whole;
        CHECK(record["tolerance"] == 1e-6);
        CHECK(record["worst"].get<double>() <= 1e-6);
        CHECK(record["gated"] == true);
        CHECK_FALSE(record["worst_node"].get<std::string>().empty());
    }
    CHECK(whole == 3);
    const auto strict = run_kirchnet("check " + digits +
                                     " --array 8x8 --layer conv1 --tile 0,0 --set "
                                     "readout.kind=opamp --tolerance 1e-18");
    CHECK(strict.code == 1);
    CHECK(contains(strict.out, "DISAGREE"));
    CHECK(contains(strict.out, "with read-out"));
}
