#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "data/result_file.hpp"
#include "program.hpp"

using namespace kirchnet::test;
using nlohmann::json;

namespace {

const std::string compare = "compare " + digits + " --data " + digit_images;

}  // namespace

TEST_CASE("compare: with nothing in the way, ideal and circuit agree with the software network") {
    const auto run = run_kirchnet(compare +
                                  " --images 100 --array 64x64 --segment 0 --weight-bits 0 "
                                  "--dac-bits 0 --adc-bits 0 --json");
    REQUIRE(run.code == 0);
    const auto object = json::parse(run.out);
    CHECK(object["images"] == 100);
    for (const std::string mapping : {"two_column", "offset", "differential"}) {
        CHECK(object["agreement"][mapping]["ideal"] == 1.0);
        CHECK(object["agreement"][mapping]["circuit"] == 1.0);
        CHECK(object["accuracy"][mapping]["circuit"] == object["accuracy"][mapping]["software"]);
    }
}

TEST_CASE("compare: driving and reading at both ends costs the worst tile less") {
    const TemporaryFolder folder;
    const auto worst = [&](const std::string& sides) {
        const auto run = run_kirchnet(compare +
                                      " --images 5 --array 32x32 --segment 20 --mapping "
                                      "differential --json --out " +
                                      (folder / "r.h5") + sides);
        REQUIRE(run.code == 0);
        return json::parse(run.out)["worst_tile_error"]["differential"]["circuit"].get<double>();
    };
    const double one_end = worst("");
    CHECK_FALSE(contains(read_file(folder / "r.md"), "at both ends"));
    // Half the length of wire for most cells: about a quarter of the drop.
    CHECK(worst(" --drive both --sense-at both") < 0.5 * one_end);
    CHECK(contains(read_file(folder / "r.md"),
                   "word lines driven at both ends, bit lines read at both ends, "));
    CHECK(contains(read_file(folder / "r.md"), "drive = \"both\""));
}

TEST_CASE("compare: a correction is fitted, told and kept; what it cannot correct is refused") {
    const TemporaryFolder folder;
    const std::string wired = compare +
                              " --images 60 --array 64x64 --segment 4 --mapping "
                              "differential --json --out " +
                              (folder / "r.h5") + " --set correction.kind=";
    const auto plain = json::parse(run_kirchnet(wired + "none").out);
    CHECK_FALSE(plain.contains("correction"));
    for (const std::string kind : {"column_affine", "reference_column"}) {
        CAPTURE(kind);
        const auto run = run_kirchnet(wired + kind);
        REQUIRE(run.code == 0);
        const auto object = json::parse(run.out);
        CHECK(object["agreement"]["differential"]["circuit"].get<double>() >
              plain["agreement"]["differential"]["circuit"].get<double>());
        for (const auto& [layer, errors] : object["correction"]["differential"].items())
            CHECK(errors["error_after"].get<double>() < errors["error_before"].get<double>());
        CHECK(contains(read_file(folder / "r.md"),
                       "Circuit arms corrected: " + kind + ", fitted on the designed chip."));
    }
    const auto refused =
        run_kirchnet(compare + " --bits-per-cell 2 --set correction.kind=column_gain");
    CHECK(refused.code == 2);
    CHECK(contains(refused.err, "mapping.bits_per_cell = 0"));
    const auto unknown = run_kirchnet(compare + " --set correction.kind=affine");
    CHECK(unknown.code == 2);
    CHECK(contains(unknown.err, "column_affine, reference_column"));
}

TEST_CASE("compare: results, report and figures are written and tell the same story") {
    const TemporaryFolder folder;
    const auto run = run_kirchnet(compare + " --images 50 --array 32x32 --fault-rate 0.01 --out " +
                                  (folder / "r.h5") + " --json");
    REQUIRE(run.code == 0);
    const auto object = json::parse(run.out);
    CHECK(object["accuracy"]["differential"].contains("circuit_faulty"));
    const auto stored = kirchnet::read_comparison(folder / "r.h5");
    CHECK(stored.complete);
    REQUIRE(stored.arms.size() == 12);
    CHECK(stored.header.labels.size() == 50);
    for (const auto& arm : stored.arms) {
        const auto& shown = object["accuracy"][arm.mapping];
        const std::string name = arm.operators + (arm.faulty ? "_faulty" : "");
        CHECK(shown[name].get<double>() == arm.accuracy);
        std::size_t right = 0;
        for (std::size_t i = 0; i < arm.predicted.size(); ++i)
            right += arm.predicted[i] == stored.header.labels[i] ? 1 : 0;
        CHECK(arm.accuracy == doctest::Approx(static_cast<double>(right) / 50));
    }
    const auto report = read_file(folder / "r.md");
    CHECK(contains(report, "two_column"));
    for (const char* heading : {"## Tiles", "## Time", "share [%]", "used [%]"})
        CHECK(contains(report, heading));
    double shares = 0;
    for (const auto& [kind, share] : object["time_share"].items()) shares += share.get<double>();
    CHECK(shares == doctest::Approx(1));
    for (const auto& [layer, share] : object["tile_utilisation"]["offset"].items()) {
        CHECK(share.get<double>() > 0);
        CHECK(share.get<double>() <= 1);
    }
    CHECK(contains(read_file(folder / "r-accuracy.svg"), "<svg"));
    CHECK(contains(read_file(folder / "r-worst-tile.svg"), "<svg"));
    CHECK_FALSE(std::filesystem::exists(folder / "r.h5.partial"));
}

TEST_CASE("compare: the same experiment gives the same numbers on one thread or many") {
    const std::string options =
        " --images 40 --array 32x32 --mapping differential --fault-rate 0.02 --json";
    auto many = json::parse(run_kirchnet(compare + options).out);
    auto one = json::parse(run_kirchnet(compare + options + " --threads 1").out);
    CHECK(many["accuracy"] == one["accuracy"]);
    CHECK(many["agreement"] == one["agreement"]);
    CHECK(many["clipped"] == one["clipped"]);
}

TEST_CASE("compare: errors of ADCs are told, cost accuracy, and are the same on any threads") {
    const TemporaryFolder folder;
    const std::string options =
        " --images 60 --array 64x64 --mapping two_column --set converters.adc_noise=6 "
        "--set converters.adc_offset_deviation=4 --set converters.adc_inl=0,1,-1,0 --out ";
    const auto many = run_kirchnet(compare + options + (folder / "many.h5") + " --json");
    const auto one =
        run_kirchnet(compare + options + (folder / "one.h5") + " --set run.threads=1 --json");
    REQUIRE(many.code == 0);
    REQUIRE(one.code == 0);
    const auto accuracy = json::parse(many.out)["accuracy"]["two_column"];
    CHECK(accuracy == json::parse(one.out)["accuracy"]["two_column"]);
    CHECK(accuracy["ideal"].get<double>() < accuracy["software"].get<double>());
    CHECK(contains(read_file(folder / "many.md"),
                   "ADCs: offset 0 ± 4 LSB, gain 1 ± 0, INL of 4 points, noise 6 LSB rms"));
}

TEST_CASE("compare: a dry run prints an experiment that can be run") {
    const TemporaryFolder folder;
    const auto dry = run_kirchnet(compare + " --array 32x16 --images 50 --dry-run");
    REQUIRE(dry.code == 0);
    const auto file = folder.write("e.toml", dry.out);
    const auto again = run_kirchnet("compare " + file + " --dry-run");
    CHECK(again.out == dry.out);
}

TEST_CASE("compare: a preset is named in report and result, with what reading costs") {
    const TemporaryFolder folder;
    const auto run = run_kirchnet(compare + " --images 4 --preset isaac --engine ideal --out " +
                                  (folder / "r.h5") + " --json");
    REQUIRE(run.code == 0);
    const auto object = json::parse(run.out);
    CHECK(object["preset"] == "isaac");
    REQUIRE(object["accuracy"].size() == 1);
    CHECK(object["conversions_per_image"]["offset"].get<double>() * 4 ==
          object["adc_samples"]["offset"]["ideal"].get<double>());
    // Reads of 100 ns, 128 samples at 1.28 GS/s.
    CHECK(object["read_seconds_per_image"]["offset"].get<double>() ==
          doctest::Approx(object["reads_per_image"]["offset"].get<double>() * 100e-9));
    const auto report = read_file(folder / "r.md");
    CHECK(contains(report, "Preset isaac."));
    CHECK(contains(report, "16-bit weights in 2-bit cells, 16-bit inputs, 1-bit DAC"));
    CHECK(contains(report, "# isaac: ISAAC (Shafiee et al., ISCA 2016)"));
    CHECK(contains(report, "conversions per image"));
    const auto ranges = kirchnet::read_comparison(folder / "r.h5");
    CHECK(contains(ranges.header.settings, "preset = \"isaac\""));
}

TEST_CASE("compare: the ideal preset is the software network") {
    const auto run = run_kirchnet(compare + " --images 50 --preset ideal --json");
    REQUIRE(run.code == 0);
    const auto object = json::parse(run.out);
    for (const std::string mapping : {"two_column", "offset", "differential"})
        CHECK(object["agreement"][mapping]["circuit"] == 1.0);
}

TEST_CASE("compare: Ctrl-C leaves the finished arms readable") {
    const TemporaryFolder folder;
    const std::string out = folder / "r.h5";
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        // Many small arrays: long enough to be interrupted.
        const int null = open("/dev/null", 2);
        dup2(null, 1);
        dup2(null, 2);
        execl(KIRCHNET_PROGRAM, "kirchnet", "compare", digits.c_str(), "--data",
              digit_images.c_str(), "--images", "200", "--array", "8x8", "--engine", "nodal",
              "--set", "array.segment=1", "--out", out.c_str(), nullptr);
        _exit(127);
    }
    const auto partial = out + ".partial";
    for (int i = 0; i < 600 && !std::filesystem::exists(partial); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    REQUIRE(std::filesystem::exists(partial));
    kill(child, SIGINT);
    int status = 0;
    waitpid(child, &status, 0);
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 0) {
        MESSAGE("finished before it could be interrupted");
        return;
    }
    CHECK(WEXITSTATUS(status) == 1);
    const auto stored = kirchnet::read_comparison(out);
    CHECK_FALSE(stored.complete);
    CHECK(stored.header.labels.size() == 200);
}
