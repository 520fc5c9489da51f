#include <doctest/doctest.h>
#include <tbb/global_control.h>

#include "circuit/error.hpp"
#include "nn/comparison.hpp"
#include "small_networks.hpp"
#include "solver/nodal_solver.hpp"

using namespace kirchnet;

namespace {

const SolverFactory nodal = [] { return std::make_unique<NodalSolver>(); };

struct Results {
    std::vector<ArmResult> arms;
    std::vector<std::string> steps;
    std::vector<Calibration> calibrations;
};

Results compare(const Graph& graph, const ComparisonSettings& settings) {
    Results results;
    ComparisonObserver observer;
    observer.begin_step = [&](const std::string& step) {
        results.steps.push_back(step);
        return Progress{};
    };
    observer.calibrated = [&](Mapping, Operators, const Calibration& c) {
        results.calibrations.push_back(c);
    };
    observer.finished = [&](const ArmResult& arm) { results.arms.push_back(arm); };
    run_comparison(graph, test::random_images(graph.network().input, 200),
                   test::random_images(graph.network().input, 50, 10), settings, nodal, observer);
    return results;
}

ComparisonSettings small_settings() {
    ComparisonSettings settings;
    settings.tile.array = {8, 6};
    settings.tile.wires.word_line_segment = 20;
    settings.tile.wires.bit_line_segment = 20;
    return settings;
}

}  // namespace

TEST_CASE(
    "with no wires, no converters and no faults every image is classified as by the software") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 200);
    const auto software = run_inference(graph, software_drivers(graph), images);
    auto settings = small_settings();
    settings.tile.wires = {};
    settings.tile.weight_bits = 0;
    settings.converters.dac_bits = 0;
    settings.converters.adc_bits = 0;
    for (const auto layout : {Layout::split, Layout::interleaved}) {
        settings.tile.layout = layout;
        const auto results = compare(graph, settings);
        REQUIRE(results.arms.size() == 6);
        for (const auto& arm : results.arms) CHECK(arm.inference.predicted == software.predicted);
    }
}

TEST_CASE("faults add two arms per mapping, and ranges are fitted on the fault-free chip alone") {
    const Graph graph(test::small_network());
    auto settings = small_settings();
    settings.faults = FaultDraw{{0.2, 5.2}, 3, 0};
    const auto results = compare(graph, settings);
    CHECK(results.arms.size() == 12);
    CHECK(results.calibrations.size() == 6);
    CHECK_FALSE(results.arms[0].faulty);
    CHECK(results.arms[3].faulty);
    CHECK(results.arms[3].operators == Operators::circuit);
    CHECK(results.arms[2].inference.predicted != results.arms[0].inference.predicted);
}

TEST_CASE("device laws add the same arms, and leave ranges and the designed chip's arms alone") {
    const Graph graph(test::small_network());
    auto settings = small_settings();
    settings.mappings = {Mapping::differential};
    const auto designed = compare(graph, settings);
    settings.devices = DeviceDraw{{.variation = 0.5}, 3, 0};
    const auto results = compare(graph, settings);
    REQUIRE(results.arms.size() == 4);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(results.arms[i].inference.predicted == designed.arms[i].inference.predicted);
        CHECK(results.calibrations[i].adc[0][0].range == designed.calibrations[i].adc[0][0].range);
        CHECK(results.arms[i + 2].faulty);
        CHECK(results.arms[i + 2].inference.predicted != designed.arms[i].inference.predicted);
    }
}

TEST_CASE("the calibration follows what it is fitted on") {
    const Graph graph(test::small_network());
    auto settings = small_settings();
    settings.tile.wires.word_line_segment = 500;
    settings.mappings = {Mapping::differential};
    settings.converters.calibrate_on = Operators::circuit;
    const auto on_circuit = compare(graph, settings);
    settings.converters.calibrate_on = Operators::ideal;
    const auto on_ideal = compare(graph, settings);
    // Told in the order ideal, circuit. Wires take signal, so the circuit's range is smaller.
    REQUIRE(on_circuit.calibrations.size() == 2);
    CHECK(on_circuit.calibrations[1].adc[0][0].range < on_circuit.calibrations[0].adc[0][0].range);
    CHECK(on_ideal.calibrations[1].adc[0][0].range == on_circuit.calibrations[0].adc[0][0].range);
    // The ideal arm is the same whatever the circuit arms are fitted on.
    CHECK(on_ideal.arms[0].inference.predicted == on_circuit.arms[0].inference.predicted);
    CHECK(on_ideal.arms[1].inference.adc[0].clipped <= on_circuit.arms[1].inference.adc[0].clipped);
}

TEST_CASE("the answer does not depend on the number of threads") {
    const Graph graph(test::small_network());
    auto settings = small_settings();
    settings.faults = FaultDraw{{0.05, 5.2}, 3, 1};
    const auto many = compare(graph, settings);
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    const auto single = compare(graph, settings);
    REQUIRE(many.arms.size() == single.arms.size());
    for (std::size_t i = 0; i < many.arms.size(); ++i) {
        CHECK(many.arms[i].inference.predicted == single.arms[i].inference.predicted);
        CHECK(many.arms[i].worst_deviation == single.arms[i].worst_deviation);
        CHECK(many.arms[i].inference.adc[1].clipped == single.arms[i].inference.adc[1].clipped);
    }
}

TEST_CASE("a sum that a layer takes along is the sum done on its own") {
    // A pool over one pixel changes nothing, but keeps the sum out of the layer before it.
    const auto network = [](bool apart) {
        Network result;
        result.name = "sum";
        result.input = {2, 6, 5};
        result.mean = {0.5F, 0.25F};
        result.deviation = {0.25F, 0.5F};
        const ConvOp conv{test::random_tensor({2, 2, 3, 3}, 1), {}, 1, 1, 1};
        const LinearOp classify{test::random_tensor({3, 60}, 2), test::random_tensor({3}, 3)};
        result.nodes = {{"image", InputOp{}, {}}, {"conv", conv, {"image"}}};
        if (apart)
            result.nodes.push_back({"same", PoolOp{PoolOp::Kind::maximum, 1, 1, 0}, {"conv"}});
        result.nodes.push_back({"add", AddOp{}, {"image", apart ? "same" : "conv"}});
        result.nodes.push_back({"relu", ReluOp{}, {"add"}});
        result.nodes.push_back({"classify", classify, {"relu"}});
        return Graph(std::move(result));
    };
    const Graph together = network(false);
    const Graph apart = network(true);
    const auto images = test::random_images(together.network().input, 3);
    const auto first = network_outputs(together, software_drivers(together), images);
    const auto second = network_outputs(apart, software_drivers(apart), images);
    REQUIRE(first.size() == 3 * 3);
    REQUIRE(second.size() == 3 * 3);
    for (std::size_t i = 0; i < first.size(); ++i)
        CHECK(first[i] == doctest::Approx(second[i]).epsilon(1e-5));  // rounding of float sums
}

TEST_CASE("images of another shape and labels beyond the classes are refused") {
    const Graph graph(test::small_network());
    CHECK_THROWS_WITH_AS(
        (void)run_inference(graph, software_drivers(graph), test::random_images({2, 5, 6}, 3)),
        doctest::Contains("2x5x6"), InvalidInput);
    auto images = test::random_images(graph.network().input, 3);
    images.labels[1] = 3;
    CHECK_THROWS_WITH_AS((void)run_inference(graph, software_drivers(graph), images),
                         doctest::Contains("label 3"), InvalidInput);
}

TEST_CASE("the inputs of one output pixel are the patch under the kernel") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 2);
    const auto drivers = software_drivers(graph);
    // Layer `first`: 3 x 2 kernel, stride 2, padding 1; output pixel (1, 1) covers rows 1..3 and
    // columns 1..2 of the image.
    const auto inputs = layer_inputs(graph, drivers, images, 1, 0, 0, 4);
    REQUIRE(inputs.size() == 12);
    const auto pixel = [&](std::size_t c, std::size_t y, std::size_t x) {
        const auto p = images.pixels[((2 + c) * 6 + y) * 5 + x];
        return (static_cast<float>(p) / 255.0F - graph.network().mean[c]) /
               graph.network().deviation[c];
    };
    CHECK(inputs[0] == doctest::Approx(pixel(0, 1, 1)));
    CHECK(inputs[3] == doctest::Approx(pixel(0, 2, 2)));
    CHECK(inputs[11] == doctest::Approx(pixel(1, 3, 2)));
    CHECK_THROWS_AS((void)layer_inputs(graph, drivers, images, 2, 0, 0, 0), InvalidInput);
    CHECK_THROWS_AS((void)layer_inputs(graph, drivers, images, 0, 0, 0, 9), InvalidInput);
}
