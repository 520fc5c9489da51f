#include <doctest/doctest.h>

#include "circuit/error.hpp"
#include "data/budget_file.hpp"
#include "support.hpp"

using namespace kirchnet;

namespace {

BudgetRecord example_budget() {
    BudgetRecord record;
    record.header = {.settings = "images = 3\n",
                     .network = "net.h5 (small)",
                     .data = "digits",
                     .seed = 18446744073709551615ULL,
                     .labels = {2, 0, 1},
                     .software = {2, 0, 0},
                     .software_accuracy = 2.0 / 3};
    record.first_trial = 7;
    record.complete = true;
    BudgetMappingRecord mapping{.mapping = "differential", .runs = {}, .steps = {}, .left_out = {}};
    mapping.runs = {{{}, {{2, 0, 1}}, {1.5, 2}, {3, 4}},
                    {{"faults", "ADC"},
                     {{2, 1, 1}, {0, 0, 1}},
                     {1.5, 2},
                     {2.5, 3.5},
                     {60, 18000000000},
                     {7, 0},
                     0.25,
                     1.5}};
    mapping.steps = {{"faults", "ADC"},
                     {0, 1},
                     {{1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}},
                     {{0.1, 0.2, 0.3, 0.4, 0.5}, {0.6, 0.7, 0.8, 0.9, 1}}};
    mapping.left_out = {{"ADC"}, {0}, {{1, 2, 3, 4, 5}}, {{-0.1, 0.2, 0.3, -0.4, 0.5}}};
    record.mappings = {mapping};
    return record;
}

}  // namespace

TEST_CASE("a budget reads back as it was written, every trial's predictions included") {
    const test::TemporaryFolder folder;
    const auto path = folder / "budget.h5";
    const BudgetRecord written = example_budget();
    write_budget(path, written);
    const BudgetRecord found = read_budget(path);
    CHECK(found.complete);
    CHECK(found.first_trial == 7);
    CHECK(found.confidence == 0.95);
    CHECK(found.header.seed == written.header.seed);
    CHECK(found.header.labels == written.header.labels);
    REQUIRE(found.mappings.size() == 1);
    const BudgetMappingRecord& mapping = found.mappings[0];
    const BudgetMappingRecord& expected = written.mappings[0];
    CHECK(mapping.mapping == "differential");
    REQUIRE(mapping.runs.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(mapping.runs[i].sources == expected.runs[i].sources);
        CHECK(mapping.runs[i].predicted == expected.runs[i].predicted);
        CHECK(mapping.runs[i].adc_range == expected.runs[i].adc_range);
        CHECK(mapping.runs[i].dac_range == expected.runs[i].dac_range);
        CHECK(mapping.runs[i].adc_samples == expected.runs[i].adc_samples);
        CHECK(mapping.runs[i].clipped == expected.runs[i].clipped);
        CHECK(mapping.runs[i].operator_seconds == expected.runs[i].operator_seconds);
        CHECK(mapping.runs[i].inference_seconds == expected.runs[i].inference_seconds);
    }
    CHECK(mapping.steps.source == expected.steps.source);
    CHECK(mapping.steps.run == expected.steps.run);
    CHECK(mapping.steps.accuracy == expected.steps.accuracy);
    CHECK(mapping.steps.change == expected.steps.change);
    CHECK(mapping.left_out.change == expected.left_out.change);
}

TEST_CASE("budgets that do not fit themselves are refused by key") {
    const test::TemporaryFolder folder;
    const auto path = folder / "budget.h5";
    const auto refused = [&](const BudgetRecord& record, const char* key) {
        write_budget(path, record);
        CHECK_THROWS_WITH_AS((void)read_budget(path), doctest::Contains(key), InvalidInput);
    };
    BudgetRecord record = example_budget();
    record.mappings[0].runs[1].predicted = {{2, 1}, {0, 0}};
    refused(record, "runs/0001/predicted");
    record = example_budget();
    record.mappings[0].steps.run[1] = 2;
    refused(record, "steps/run");
    record = example_budget();
    record.mappings[0].left_out.change.clear();
    refused(record, "left_out/change");
}

TEST_CASE("the summary of a budget lists what it holds") {
    const test::TemporaryFolder folder;
    write_budget(folder / "budget.h5", example_budget());
    const FileSummary summary = summarize_file(folder / "budget.h5");
    CHECK(summary.format == "kirchnet budget");
    CHECK_FALSE(summary.lines.empty());
}
