#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "data/budget_file.hpp"
#include "nn/statistics.hpp"
#include "program.hpp"

using namespace kirchnet::test;
using nlohmann::json;

namespace {

const std::string any_images = "compare " + digits + " --data " + digit_images +
                               " --budget --array 32x32 --mapping two_column --segment 5";
const std::string budget = any_images + " --images 40";
const std::string sources =
    " --fault-rate 0.02 --set device.variation=0.2 --set readout.kind=opamp --set readout.gain=1000"
    " --set readout.mismatch=0.01 --trials 2";

/// What does not depend on how fast the machine is.
json without_times(json budget) {
    for (auto& mapping : budget)
        for (const char* table : {"steps", "left_out"})
            for (auto& row : mapping[table])
                for (const char* time : {"operator_seconds", "inference_seconds"})
                    REQUIRE(row.erase(time) == 1);
    return budget;
}

}  // namespace

TEST_CASE("budget: table, JSON, file, report and figure tell the same story") {
    const TemporaryFolder folder;
    const auto run = run_kirchnet(budget + sources + " --json --out " + (folder / "b.h5"));
    REQUIRE(run.code == 0);
    const auto object = json::parse(run.out);
    const auto& steps = object["budget"]["two_column"]["steps"];
    REQUIRE(steps.size() == 6);
    CHECK(object["budget"]["two_column"]["left_out"].size() == 6);
    double level = object["budget"]["two_column"]["ideal"]["mean"];
    for (const auto& step : steps) {
        CHECK(step["on"] == true);
        level += step["change"]["mean"].get<double>();
        CHECK(step["accuracy"]["mean"].get<double>() == doctest::Approx(level));
    }
    CHECK(steps[0]["trials"] == 1);
    CHECK(steps[1]["trials"] == 2);

    // Every interval can be computed anew from the predictions on file.
    const auto record = kirchnet::read_budget(folder / "b.h5");
    CHECK(record.complete);
    const auto& mapping = record.mappings.at(0);
    std::size_t before = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const std::size_t after = mapping.steps.run[i];
        const auto change = kirchnet::estimate_change(
            mapping.runs[before].predicted, mapping.runs[after].predicted, record.header.labels);
        CHECK(change.low == steps[i]["change"]["low"].get<double>());
        CHECK(change.high == mapping.steps.change[i][4]);
        before = after;
    }
    const std::string report = read_file(folder / "b.md");
    CHECK(contains(report, "| + IR drop"));
    CHECK(contains(report, "| - ADC"));
    CHECK(contains(report, "b-budget-two_column.svg"));
    CHECK(contains(report, "variation = 0.2"));
    CHECK(contains(read_file(folder / "b-budget-two_column.svg"), "Error budget of"));
    CHECK(contains(run_kirchnet("info " + (folder / "b.h5")).out, "kirchnet budget"));
}

TEST_CASE("budget: the same numbers on one thread or two") {
    const std::string options = sources + " --json --threads ";
    const auto one = json::parse(run_kirchnet(budget + options + "1").out);
    const auto two = json::parse(run_kirchnet(budget + options + "2").out);
    CHECK(without_times(one["budget"]) == without_times(two["budget"]));
}

TEST_CASE("budget: without random sources one trial is enough, and sources that are off say so") {
    const auto run = run_kirchnet(budget);
    REQUIRE(run.code == 0);
    CHECK(contains(run.out, "+ faults (off)"));
    CHECK(contains(run.out, "+ device laws (off)"));
    CHECK(contains(run.out, "+ subtractor (off)"));
    CHECK(contains(run.out, "+ IR drop  "));
}

TEST_CASE("budget: settings that make none are refused by key") {
    const auto refused = [](const std::string& options, const std::string& key) {
        const auto run = run_kirchnet(any_images + options);
        CHECK(run.code == 2);
        CHECK(is_one_line(run.err));
        CHECK(contains(run.err, key));
    };
    refused(" --trials 0", "budget.trials");
    refused(" --trials -1", "budget.trials");
    refused(" --set readout.gain=0", "readout.gain");
    refused(" --set readout.kind=opamp --sense-at both", "array.sense_at");
    refused(" --set device.read_noise=-0.1", "device.read_noise");
    refused(" --images 1", "two images");
}

TEST_CASE("compare: amplifiers of a weak gain move the circuit's arms and not the ideal ones") {
    const std::string compare = "compare " + digits + " --data " + digit_images +
                                " --images 30 --array 32x32 --mapping differential --json";
    const auto ideal = json::parse(run_kirchnet(compare).out);
    const auto opamp =
        json::parse(run_kirchnet(compare + " --set readout.kind=opamp --set readout.gain=20").out);
    const auto worst = [](const json& object) {
        return object["worst_tile_error"]["differential"]["circuit"].get<double>();
    };
    CHECK(worst(opamp) > 2 * worst(ideal));
    CHECK(opamp["accuracy"]["differential"]["ideal"] == ideal["accuracy"]["differential"]["ideal"]);
}
