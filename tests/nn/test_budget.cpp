#include <doctest/doctest.h>
#include <tbb/global_control.h>

#include "circuit/error.hpp"
#include "nn/budget.hpp"
#include "small_networks.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;

namespace {

const SolverFactory transfer = [] { return std::make_unique<TransferSolver>(); };

LabelledImages labelled(const Graph& graph, std::size_t count, std::uint64_t seed) {
    LabelledImages images = test::random_images(graph.network().input, count, seed);
    // The software network is right on every image, so every change is a loss.
    images.labels = run_inference(graph, software_drivers(graph), images).predicted;
    return images;
}

Budget budget_of(const Graph& graph, const BudgetSettings& settings,
                 const Progress& progress = {}) {
    return run_budget(graph, labelled(graph, 120, 9), labelled(graph, 40, 10), settings, transfer,
                      progress);
}

/// Nothing is on.
BudgetSettings nothing() {
    BudgetSettings settings;
    settings.full.chip.tile.array = {8, 6};
    settings.full.chip.tile.weight_bits = 0;
    settings.full.converters = {0, 0, Operators::circuit};
    settings.full.operators = Operators::circuit;
    settings.trials = 3;
    return settings;
}

/// Each source alone, strong enough to be seen.
void switch_on(ArmSettings& arm, Source source) {
    switch (source) {
        case Source::quantisation:
            arm.chip.tile.weight_bits = 2;
            arm.converters.dac_bits = 2;
            return;
        case Source::faults:
            arm.chip.faults = FaultDraw{{0.3, 5.2}, 3, 0};
            return;
        case Source::ir_drop:
            arm.chip.tile.wires.word_line_segment = 500;
            arm.chip.tile.wires.bit_line_segment = 500;
            return;
        case Source::subtractor:
            arm.chip.readout = LinearReadout{.mismatch = 0.1, .seed = 3};
            return;
        case Source::adc:
            arm.converters.adc_bits = 3;
            return;
        case Source::device_laws:
            arm.chip.devices = DeviceDraw{{.variation = 1}, 3, 0};
            return;
    }
}

BudgetSettings everything() {
    BudgetSettings settings = nothing();
    for (const Source source : all_sources) switch_on(settings.full, source);
    return settings;
}

bool is_nothing(const Estimate& change) {
    return change.mean == 0 && change.low == 0 && change.high == 0;
}

}  // namespace

TEST_CASE("a budget with every source off has the software's accuracy and no step") {
    const Graph graph(test::small_network());
    const Budget budget = budget_of(graph, nothing());
    CHECK(budget.ideal.mean == 1);
    CHECK(budget.runs.size() == 1);
    REQUIRE(budget.steps.size() == 6);
    REQUIRE(budget.left_out.size() == 6);
    for (const BudgetRow& row : budget.steps) {
        CHECK_FALSE(row.is_on);
        CHECK(is_nothing(row.change));
    }
    for (const BudgetRow& row : budget.left_out) CHECK(is_nothing(row.change));
}

TEST_CASE("a source alone appears in its own step and is what leaving it out gives back") {
    const Graph graph(test::small_network());
    for (const Source source : all_sources) {
        CAPTURE(to_string(source));
        BudgetSettings settings = nothing();
        switch_on(settings.full, source);
        const Budget budget = budget_of(graph, settings);
        CHECK(budget.runs.size() == 2);
        for (std::size_t i = 0; i < all_sources.size(); ++i) {
            const bool here = all_sources[i] == source;
            CHECK(budget.steps[i].is_on == here);
            CHECK(is_nothing(budget.steps[i].change) == !here);
            CHECK(is_nothing(budget.left_out[i].change) == !here);
            if (!here) continue;
            CHECK(budget.steps[i].change.mean < 0);
            CHECK(budget.left_out[i].change.mean == -budget.steps[i].change.mean);
            CHECK(budget.runs[budget.left_out[i].run].sources == SourceSet());
        }
        const bool random = source == Source::faults || source == Source::subtractor ||
                            source == Source::device_laws;
        CHECK(budget.runs[1].predicted.size() == (random ? 3 : 1));
    }
}

TEST_CASE(
    "with everything on, steps lead from ideal to all, and the last source left out is the last "
    "step") {
    const Graph graph(test::small_network());
    const Budget budget = budget_of(graph, everything());
    double accuracy = budget.ideal.mean;
    for (const BudgetRow& row : budget.steps) {
        CHECK(row.is_on);
        accuracy += row.change.mean;
        CHECK(row.accuracy.mean == doctest::Approx(accuracy));
        CHECK(row.change.low <= row.change.mean);
        CHECK(row.change.high >= row.change.mean);
    }
    for (const BudgetRow& row : budget.left_out)
        CHECK(row.accuracy.mean ==
              doctest::Approx(budget.steps.back().accuracy.mean + row.change.mean));
    CHECK(budget.left_out.back().run == budget.steps[4].run);
    CHECK(budget.left_out.back().change.mean == doctest::Approx(-budget.steps.back().change.mean));
    // No two runs are the same, and each has what its sources ask for.
    CHECK(budget.runs.size() == 7 + 5);
    CHECK(budget.runs[1].predicted.size() == 1);
    CHECK(budget.runs[2].predicted.size() == 3);
    CHECK(budget.runs[2].predicted[0] != budget.runs[2].predicted[1]);
}

TEST_CASE("trials are paired: a run of one trial is that trial of a run of many") {
    const Graph graph(test::small_network());
    BudgetSettings settings = everything();
    const Budget many = budget_of(graph, settings);
    settings.first_trial = 2;
    settings.trials = 1;
    const Budget one = budget_of(graph, settings);
    for (std::size_t run = 0; run < many.runs.size(); ++run)
        CHECK(one.runs[run].predicted.back() == many.runs[run].predicted.back());
}

TEST_CASE("a budget does not depend on the number of threads") {
    const Graph graph(test::small_network());
    const auto with_threads = [&](std::size_t threads) {
        const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
        return budget_of(graph, everything());
    };
    const Budget one = with_threads(1);
    const Budget two = with_threads(2);
    REQUIRE(one.runs.size() == two.runs.size());
    for (std::size_t run = 0; run < one.runs.size(); ++run)
        CHECK(one.runs[run].predicted == two.runs[run].predicted);
    CHECK(one.steps.back().change.high == two.steps.back().change.high);
}

TEST_CASE("ranges are fitted on the chip as designed, and on ideal wires where that is asked for") {
    const Graph graph(test::small_network());
    BudgetSettings settings = nothing();
    for (const Source source : {Source::ir_drop, Source::adc, Source::faults})
        switch_on(settings.full, source);
    const Budget on_circuit = budget_of(graph, settings);
    settings.full.converters.calibrate_on = Operators::ideal;
    const Budget on_ideal = budget_of(graph, settings);
    const auto range = [](const Budget& budget, std::size_t run) {
        return budget.calibrations[run].adc[0][0].range;
    };
    const std::size_t all = on_circuit.steps.back().run;
    // Wires take signal; without them the range is the same whatever is asked for.
    CHECK(range(on_circuit, all) < range(on_ideal, all));
    const std::size_t no_wires = on_circuit.left_out[2].run;
    CHECK(range(on_circuit, no_wires) == range(on_ideal, no_wires));
    CHECK(range(on_circuit, no_wires) == range(on_ideal, all));
    const std::size_t no_faults = on_circuit.left_out[1].run;
    CHECK(range(on_circuit, no_faults) == range(on_circuit, all));
}

TEST_CASE("progress of a budget only grows, and ends at its total") {
    const Graph graph(test::small_network());
    BudgetSettings settings = nothing();
    switch_on(settings.full, Source::faults);
    switch_on(settings.full, Source::adc);
    std::size_t last = 0;
    std::size_t whole = 0;
    (void)budget_of(graph, settings, [&](std::size_t done, std::size_t total) {
        CHECK(done >= last);
        CHECK((whole == 0 || whole == total));
        last = done;
        whole = total;
    });
    CHECK(last == whole);
}

TEST_CASE("a budget without trials or images is refused") {
    const Graph graph(test::small_network());
    BudgetSettings settings = nothing();
    CHECK_THROWS_WITH_AS(
        (void)run_budget(graph, labelled(graph, 1, 9), labelled(graph, 4, 10), settings, transfer),
        doctest::Contains("two images"), InvalidInput);
    settings.trials = 0;
    CHECK_THROWS_WITH_AS((void)budget_of(graph, settings), doctest::Contains("one trial"),
                         InvalidInput);
}
