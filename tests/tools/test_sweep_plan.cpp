#include <doctest/doctest.h>

#include <cstdlib>

#include "circuit/error.hpp"
#include "program.hpp"
#include "tools/sweep/shard.hpp"
#include "tools/sweep/sweep_gates.hpp"
#include "tools/sweep/sweep_plan.hpp"
#include "tools/sweep/sweep_summary.hpp"

using namespace kirchnet;
using test::contains;

namespace {

SweepPlan plan_of(const std::string& text) {
    return parse_plan(text, "plan.toml");
}

std::string refusal(const std::string& text) {
    try {
        (void)plan_of(text);
    } catch (const InvalidInput& error) {
        return error.what();
    }
    return "accepted";
}

/// Two mappings at rates 0, 0.001 and 0.01, four images, two chips where faults are drawn.
SweepRecord small_record() {
    SweepRecord record;
    record.axes = {"mapping", "faults.rate"};
    record.networks = {{"net.h5", "net", "00", 0.5, 1.0}};
    record.images = 4;
    record.trials = 2;
    const auto add = [&](const char* mapping, const char* rate, std::vector<std::uint8_t> chips) {
        const auto point = static_cast<std::uint32_t>(record.points.size());
        record.points.push_back({{mapping, rate}, 0, chips.size() > 1});
        for (std::uint32_t trial = 0; trial < chips.size(); ++trial) {
            int right = 0;
            for (int bit = 4; bit < 8; ++bit) right += (chips[trial] >> bit) & 1;
            record.units.push_back({point, trial, right / 4.0, {chips[trial]}, 0, 0, 0, 0});
        }
    };
    add("two_column", "0", {0xF0});
    add("two_column", "0.001", {0xE0, 0xC0});  // 3 and 2 of 4
    add("two_column", "0.01", {0x80, 0x00});   // 1 and 0
    add("differential", "0", {0xF0});
    add("differential", "0.001", {0xF0, 0xF0});
    add("differential", "0.01", {0xE0, 0xC0});
    return record;
}

}  // namespace

TEST_CASE("a plan is every combination of its axes, the last one fastest") {
    const SweepPlan plan = plan_of(
        "trials = 7\n[experiment]\nimages = 30\n[axes]\nmapping = ['differential', 'offset']\n"
        "'faults.rate' = [0, '1m']\n'cells.on' = '100u'\n");
    CHECK(plan.trials == 7);
    CHECK(plan.base.images == 30);
    CHECK(plan.axes == std::vector<std::string>{"mapping", "faults.rate", "cells.on"});
    REQUIRE(plan.points.size() == 4);
    CHECK(plan.points[0].values == std::vector<std::string>{"differential", "0", "1e-04"});
    CHECK(plan.points[1].values == std::vector<std::string>{"differential", "0.001", "1e-04"});
    CHECK(plan.points[2].values == std::vector<std::string>{"offset", "0", "1e-04"});
    CHECK(plan.points[3].mapping == Mapping::offset);
    CHECK(plan.points[3].experiment.fault_law.rate == 1e-3);
    CHECK(plan.points[3].arm(5).operators == Operators::ideal);
    CHECK(std::get<FaultDraw>(*plan.points[3].arm(5).chip.faults).trial == 5);
}

TEST_CASE("variations change one thing at a time, each with all combinations of the axes") {
    const SweepPlan plan = plan_of(
        "[experiment]\n[axes]\nmapping = ['two_column', 'differential']\n"
        "[[variation]]\n'array.segment' = [0.5, 1, 2]\n"
        "[[variation]]\n'array.size' = '32x32'\n'cells.off' = '1u'\n");
    // Base, 0.5 and 2 (1 is the base again), 32x32: two mappings each.
    REQUIRE(plan.points.size() == 8);
    CHECK(plan.axes ==
          std::vector<std::string>{"mapping", "array.segment", "array.size", "cells.off"});
    CHECK(plan.points[0].values == std::vector<std::string>{"two_column", "1", "128x128", "1e-06"});
    CHECK(plan.points[2].experiment.word_line_segment == 0.5);
    CHECK(plan.points[2].experiment.bit_line_segment == 0.5);
    CHECK(plan.points[7].values == std::vector<std::string>{"differential", "1", "32x32", "1e-06"});
}

TEST_CASE("what is wrong with a plan is named with its line") {
    CHECK(contains(refusal("tirals = 3\n"), "plan.toml:1:10: unknown key 'tirals'"));
    CHECK(contains(refusal("[axes]\nmapping = []\n"), "axis 'mapping' is empty"));
    CHECK(contains(refusal("[axes]\n'faults.rate' = [2]\n"), "plan.toml:2"));
    CHECK(contains(refusal("[axes]\n'fault.rate' = [0]\n"), "did you mean faults.rate"));
    CHECK(contains(refusal("[axes]\nfaults = {rate = [0]}\n"), "\"faults.KEY\""));
    CHECK(contains(refusal("[axes]\nimages = [5, 6]\n"), "cannot be an axis"));
    CHECK(contains(refusal("[axes]\nmapping = ['offset', 'offset']\n"), "twice"));
    CHECK(contains(refusal("[axes]\nmapping = ['tow_column']\n"), "tow_column"));
    CHECK(contains(refusal("trials = 0\n"), "trials = 0"));
    CHECK(contains(refusal("trials = 2.5\n"), "no whole number"));
    CHECK(contains(refusal("[experiment]\nimages = 'many'\n"), "plan.toml:2"));
    CHECK(contains(refusal("[axes]\nmapping = ['offset']\n[[variation]]\nmapping = ['offset']\n"),
                   "an axis already"));
    CHECK(contains(refusal("[[gate]]\nname = 'G'\nkind = 'best'\n"), "gate 'best'"));
    CHECK(contains(refusal("[[figure]]\nx = 'faults.rate'\n"), "no axis of this plan"));
    CHECK(contains(refusal("x = \n"), "plan.toml:1"));
}

TEST_CASE("shards are I of N, or what a Slurm job array says") {
    CHECK(parse_shard("2/8").index == 2);
    CHECK(parse_shard("2/8").count == 8);
    for (const char* text : {"0/8", "9/8", "2", "2/", "/8", "a/b", "1/0"}) {
        CAPTURE(text);
        CHECK_THROWS_AS((void)parse_shard(text), InvalidInput);
    }
    ::unsetenv("SLURM_ARRAY_TASK_ID");
    CHECK_THROWS_AS((void)parse_shard("slurm"), InvalidInput);
    // sbatch --array=10-40:10, third task
    ::setenv("SLURM_ARRAY_TASK_ID", "30", 1);
    ::setenv("SLURM_ARRAY_TASK_COUNT", "4", 1);
    ::setenv("SLURM_ARRAY_TASK_MIN", "10", 1);
    ::setenv("SLURM_ARRAY_TASK_STEP", "10", 1);
    CHECK(to_string(parse_shard("slurm")) == "3/4");
    for (const char* name : {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT",
                             "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP"})
        ::unsetenv(name);
}

TEST_CASE("points are summarised over their chips") {
    const SweepRecord record = small_record();
    const SweepSummary summary(record);
    const PointSummary point = summary.summary(1);
    CHECK(point.trials == 2);
    CHECK(point.accuracy.mean == 0.625);
    CHECK(point.least == 0.5);
    CHECK(point.most == 0.75);
    // Two chips, 0.75 and 0.5: s/sqrt(2) = 0.125. Student's interval of one degree of freedom, 12.7
    // times that to each side, ends where accuracies do.
    CHECK(point.over_chips.standard_error == doctest::Approx(0.125));
    CHECK(point.over_chips.low == 0);
    CHECK(point.over_chips.high == 1);
    CHECK(summary.fault_free(1) == 1);
    CHECK(summary.number(4, "faults.rate") == 0.001);
    CHECK(summary.number(4, "zeros") == 0.5);
    CHECK_THROWS_AS((void)summary.number(4, "mapping"), InvalidInput);
}

TEST_CASE("pairs differ in the named axes alone, and are compared image by image") {
    const SweepRecord record = small_record();
    const SweepSummary summary(record);
    const auto pairs = summary.compare(PairedPoints{"",
                                                    {{"mapping", "two_column"}},
                                                    {{"mapping", "differential"}},
                                                    {{"faults.rate", {"0.001", "0.01"}}}});
    REQUIRE(pairs.size() == 2);
    CHECK(pairs[0].from == 1);
    CHECK(pairs[0].to == 4);
    CHECK(pairs[0].trials == 2);
    CHECK(pairs[0].change.mean == 0.375);
    CHECK(pairs[1].change.mean == 0.5);
}

TEST_CASE("equal losses are found between points, on a logarithmic axis") {
    const SweepRecord record = small_record();
    const SweepSummary summary(record);
    // two_column loses 0.375 at 0.001 and 0.875 at 0.01, so 0.5 at a quarter of the decade between.
    // differential loses 0 and 0.375 and never gets there.
    const PairedPoints same{"", {{"mapping", "two_column"}}, {{"mapping", "two_column"}}, {}};
    const IsoLoss found = iso_loss(summary, same, "faults.rate", 0.5);
    CHECK(found.from == doctest::Approx(0.001 * std::pow(10, 0.25)));
    CHECK(found.ratio == 1);
    const PairedPoints pair{"", {{"mapping", "two_column"}}, {{"mapping", "differential"}}, {}};
    CHECK_THROWS_AS((void)iso_loss(summary, pair, "faults.rate", 0.5), InvalidInput);
}

TEST_CASE("gates pass and fail") {
    const SweepRecord record = small_record();
    const SweepSummary summary(record);
    GateSettings gate;
    gate.pair = {"",
                 {{"mapping", "two_column"}},
                 {{"mapping", "differential"}},
                 {{"faults.rate", {"0.01"}}}};
    gate.p = 1;
    CHECK(check_gate(summary, gate).passed);
    std::swap(gate.pair.from, gate.pair.to);
    CHECK(!check_gate(summary, gate).passed);
    gate.kind = GateSettings::Kind::equal;
    gate.pair.where = {{"faults.rate", {"0"}}};
    CHECK(check_gate(summary, gate).passed);
    gate.kind = GateSettings::Kind::worst;
    gate.pair.from = {{"mapping", "two_column"}};
    gate.pair.where = {{"faults.rate", {"0.01"}}};
    CHECK(check_gate(summary, gate).passed);
    gate.pair.from = {{"mapping", "differential"}};
    CHECK(!check_gate(summary, gate).passed);
    gate.kind = GateSettings::Kind::interior_minimum;
    gate.along = "faults.rate";
    gate.pair.where = {};
    CHECK(!check_gate(summary, gate).passed);  // losses only grow
    gate.pair.where = {{"faults.rate", {"0.5"}}};
    CHECK(!check_gate(summary, gate).passed);  // no points at all
}
