#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "data/network_digest.hpp"
#include "data/network_file.hpp"
#include "data/sweep_file.hpp"
#include "tests/tools/program.hpp"
#include "tools/settings/experiment.hpp"
#include "tools/sweep/sweep_figures.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

const std::string plan_text = R"(
name = "stuck cells <b>"
trials = 3

[experiment]
array.size = "32x32"

[axes]
"faults.rate" = [0, 0.01]
operators = ["ideal", "circuit"]

[[figure]]
name = "kept"
x = "faults.rate"
panels = ["operators"]
log_x = true

[[figure]]
name = "lost"
x = "faults.rate"
y = "loss"
where = {operators = "ideal"}

[[figure]]
name = "by operators"
x = "operators"

[[pair]]
name = "wires"
from = {operators = "ideal"}
to = {operators = "circuit"}

[[gate]]
name = "wires cost nothing"
kind = "equal"
from = {operators = "ideal"}
to = {operators = "circuit"}
)";

/// Two rates, ideal and circuit; three chips where cells are stuck, scored as a detector is.
SweepRecord hand_made_sweep() {
    SweepRecord record;
    record.name = "stuck cells <b>";
    record.plan = plan_text;
    record.identity = "0123";
    Experiment base;
    base.array = {32, 32};
    record.settings = to_toml(base);
    record.metric = "mAP@0.5";
    record.seed = 1;
    record.trials = 3;
    record.images = 10;
    record.axes = {"faults.rate", "operators"};
    record.networks = {{digits, "digits", digest_of(read_network(digits)), 0.7, 0.95}};
    record.points = {{{"0", "ideal"}, 0, false},
                     {{"0", "circuit"}, 0, false},
                     {{"0.01", "ideal"}, 0, true},
                     {{"0.01", "circuit"}, 0, true}};
    const auto add = [&](std::uint32_t point, std::uint32_t trial, double score) {
        record.units.push_back({point, trial, score, {}, 0, 0, 0, 0});
    };
    add(0, 0, 0.9);
    add(1, 0, 0.8);
    const double ideal[] = {0.4, 0.5, 0.6};
    const double circuit[] = {0.3, 0.2, 0.1};
    for (std::uint32_t trial = 0; trial < 3; ++trial) {
        add(2, trial, ideal[trial]);
        add(3, trial, circuit[trial]);
    }
    record.complete = true;
    return record;
}

std::string write(const TemporaryFolder& folder, const SweepRecord& record,
                  const std::string& name = "r.h5") {
    write_sweep(folder / name, record);
    return folder / name;
}

Outcome report(const TemporaryFolder& folder, const std::string& arguments) {
    return run_kirchnet("report " + arguments + " -o " + (folder / "page.html"));
}

}  // namespace

TEST_CASE("a figure's CSV holds what its points' scores come to by hand") {
    const TemporaryFolder folder;
    const auto run = report(folder, write(folder, hand_made_sweep()));
    CHECK_MESSAGE(run.code == 0, run.err);
    // Scores 0.4, 0.5, 0.6: mean 0.5, standard error 0.1 / sqrt(3) = 0.0577350; Student's t of 2
    // degrees of freedom at 0.975 is 4.3026527, so half the interval is 0.24841377. Likewise for
    // 0.3, 0.2, 0.1 about 0.2, but for scores below 0, which there are none of.
    CHECK(read_file(folder / "page-kept.csv") ==
          "point,faults.rate,operators,mAP@0.5,low,high,least,most,trials\n"
          "0,0,ideal,0.9,0.9,0.9,0.9,0.9,1\n"
          "2,0.01,ideal,0.5,0.25158623,0.74841377,0.4,0.6,3\n"
          "1,0,circuit,0.8,0.8,0.8,0.8,0.8,1\n"
          "3,0.01,circuit,0.2,0,0.44841377,0.1,0.3,3\n");
    // Lost of the 0.9 without faults, chip by chip: 0.5, 0.4, 0.3.
    CHECK(read_file(folder / "page-lost.csv") ==
          "point,faults.rate,operators,mAP@0.5 lost,low,high,least,most,trials\n"
          "0,0,ideal,0,0,0,0,0,1\n"
          "2,0.01,ideal,0.4,0.15158623,0.64841377,0.3,0.5,3\n");
    CHECK(contains(read_file(folder / "page-kept.svg"), "<polyline"));
}

TEST_CASE("a report holds all it needs") {
    const TemporaryFolder folder;
    REQUIRE(report(folder, write(folder, hand_made_sweep())).code == 0);
    const std::string page = read_file(folder / "page.html");
    for (const auto* part :
         {"<!DOCTYPE html>", "default-src 'none'", "Gates", "FAILED", "wires cost nothing",
          "Paired differences", "Points", "The worst chip", "Its worst cells", "Its netlist",
          "xc_a_", "IR drop", "kirchnet netlist", "Where it comes from", "digest", "Configuration",
          "Dygraph", "Permission is hereby granted", "</html>"})
        CHECK_MESSAGE(contains(page, part), part);
    CHECK(contains(page, "stuck cells &lt;b&gt;"));
    for (const auto* load :
         {" src=", "url(http", "@import", "<link", "href=\"http", "cells <b>", "sourceMappingURL"})
        CHECK_MESSAGE(!contains(page, load), load);
}

TEST_CASE("a figure over categories is a table") {
    const TemporaryFolder folder;
    REQUIRE(report(folder, write(folder, hand_made_sweep())).code == 0);
    CHECK(contains(read_file(folder / "page.html"), "'operators' holds no numbers"));
    CHECK(contains(read_file(folder / "page-by-operators.csv"), "2,0.01,ideal,0.5,"));
    CHECK_FALSE(std::filesystem::exists(folder / "page-by-operators.svg"));
}

TEST_CASE("a plan without figures gets the one that suits its axes") {
    const TemporaryFolder folder;
    SweepRecord record = hand_made_sweep();
    record.plan.erase(record.plan.find("[[figure]]"));
    REQUIRE(report(folder, write(folder, record)).code == 0);
    CHECK(contains(read_file(folder / "page-accuracy.csv"), "2,0.01,ideal,0.5,"));
}

TEST_CASE("a failed gate shows in the exit code where asked for, and in JSON") {
    const TemporaryFolder folder;
    const auto run = report(folder, write(folder, hand_made_sweep()) + " --check --json");
    CHECK(run.code == 1);
    const auto json = nlohmann::json::parse(run.out);
    CHECK(json["passed"] == false);
    CHECK(json["sweeps"][0]["gates"][0]["name"] == "wires cost nothing");
    CHECK(json["sweeps"][0]["points"].size() == 4);
    CHECK(json["sweeps"][0]["pairs"].size() == 2);
}

TEST_CASE("shards of one sweep are reported together, other sweeps apart") {
    const TemporaryFolder folder;
    SweepRecord first = hand_made_sweep();
    SweepRecord second = first;
    first.shard = "1/2";
    second.shard = "2/2";
    first.units.erase(first.units.begin() + 4, first.units.end());
    second.units.erase(second.units.begin(), second.units.begin() + 4);
    SweepRecord other = hand_made_sweep();
    other.identity = "4567";
    const auto run =
        report(folder, write(folder, first, "1.h5") + " " + write(folder, second, "2.h5") + " " +
                           write(folder, other, "3.h5") + " --json");
    REQUIRE_MESSAGE(run.code == 0, run.err);
    const auto json = nlohmann::json::parse(run.out);
    REQUIRE(json["sweeps"].size() == 2);
    CHECK(json["sweeps"][0]["files"].size() == 2);
    CHECK(json["sweeps"][0]["points"] == json["sweeps"][1]["points"]);
    CHECK(read_file(folder / "page-kept.csv") == read_file(folder / "page-kept-2.csv"));
}

TEST_CASE("a report says when the network is gone") {
    const TemporaryFolder folder;
    SweepRecord record = hand_made_sweep();
    SUBCASE("no file") {
        record.networks[0].file = "gone.h5";
    }
    SUBCASE("another one") {
        record.networks[0].digest = "0";
    }
    REQUIRE(report(folder, write(folder, record)).code == 0);
    CHECK(contains(read_file(folder / "page.html"), "the chip could not be made again"));
}

TEST_CASE("results that cannot be reported are refused by name") {
    const TemporaryFolder folder;
    SweepRecord record = hand_made_sweep();
    std::string words;
    SUBCASE("no unit") {
        record.units.clear();
        words = "no finished unit";
    }
    SUBCASE("a plan that is no TOML") {
        record.plan = "x = = 1";
        words = "plan:1:";
    }
    SUBCASE("a key that the plan no longer knows") {
        record.plan += "colour = 3\n";
        words = "unknown key 'colour'";
    }
    SUBCASE("a plan of other points") {
        record.plan.replace(record.plan.find("0.01"), 4, "0.02");
        words = "attribute 'plan'";
    }
    SUBCASE("a plan that is no text") {
        record.plan += "\xff";
        words = "UTF-8";
    }
    SUBCASE("settings that no longer exist") {
        record.settings = "colour = 3";
        words = "colour";
    }
    const auto run = report(folder, write(folder, record));
    CHECK(run.code == 2);
    CHECK(contains(run.err, "r.h5"));
    CHECK_MESSAGE(contains(run.err, words), run.err);
    CHECK(is_one_line(run.err));
    CHECK_FALSE(std::filesystem::exists(folder / "page.html"));
}

TEST_CASE("files that are no sweep results, and bad targets, are refused") {
    const TemporaryFolder folder;
    const std::string results = write(folder, hand_made_sweep());
    CHECK(report(folder, digits).code == 2);
    CHECK(report(folder, folder / "none.h5").code == 2);
    CHECK(report(folder, folder.write("text.h5", "no HDF5")).code == 2);
    CHECK(run_kirchnet("report " + results + " -o " + results).code == 2);
    CHECK(run_kirchnet("report " + results).code == 2);
    CHECK(run_kirchnet("report " + results + " -o " + (folder / "no/folder.html")).code == 1);
}

TEST_CASE("a figure of changes shows its pair, and where nothing changes") {
    const TemporaryFolder folder;
    SweepRecord record = hand_made_sweep();
    record.plan += R"(
[[figure]]
name = "change"
x = "faults.rate"
y = "change"
pair = "wires"
)";
    // By hand: -0.1 without faults; with faults -0.1, -0.3, -0.5 of the three chips.
    write(folder, record);
    const auto run = report(folder, (folder / "r.h5") + " --json");
    CAPTURE(run.err);
    REQUIRE(run.code == 0);
    const std::string csv = read_file(folder / "page-change.csv");
    CHECK(contains(csv, "change of mAP@0.5"));
    CHECK(contains(csv, "0,0,ideal,-0.1,"));
    CHECK(contains(csv, "2,0.01,ideal,-0.3,"));
    CHECK(contains(csv, ",-0.5,-0.1,3"));
    CHECK(!contains(csv, "circuit"));
    CHECK(nlohmann::json::parse(run.out)["sweeps"][0]["break_even"][0]["at"].is_null());
}

TEST_CASE("break-even lies between points as the axis is drawn") {
    const auto point = [](double x, double mean, double low, double high) {
        FigurePoint p;
        p.x = x;
        p.y.mean = mean;
        p.y.low = low;
        p.y.high = high;
        return p;
    };
    // 0.1 at x = 1 and -0.1 at x = 100: half way over the logarithm is 10, in x itself 50.5.
    FigureSeries series{"s", {point(1, 0.1, 0.05, 0.3), point(100, -0.1, -0.15, 0.1)}};
    CHECK(break_even(series, true).at == doctest::Approx(10));
    CHECK(break_even(series, false).at == doctest::Approx(50.5));
    // Its lower end crosses a quarter of the way, its upper end nowhere.
    CHECK(break_even(series, true).low == doctest::Approx(std::pow(100, 0.25)));
    CHECK(std::isnan(break_even(series, true).high));
}

TEST_CASE("reports are made of every published results file, whatever wrote it") {
    const TemporaryFolder folder;
    const std::filesystem::path published =
        std::filesystem::path(KIRCHNET_EMBEDDED) / "../../docs/figures/yuan2021";
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(published)) {
        if (entry.path().extension() != ".h5") continue;
        ++files;
        const auto run = run_kirchnet(
            fmt::format("report '{}' -o '{}'", entry.path().string(), folder / "report.html"));
        CAPTURE(entry.path().string());
        CAPTURE(run.err);
        CHECK(run.code == 0);
    }
    CHECK(files >= 11);
}
