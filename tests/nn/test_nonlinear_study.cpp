#include <doctest/doctest.h>
#include <tbb/global_control.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"
#include "nn/nonlinear_study.hpp"
#include "small_networks.hpp"
#include "small_tiles.hpp"
#include "solver/nonlinear_solver.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;
using test::small_tiles;

namespace {

const SolverFactory ideal = [] { return std::make_unique<IdealSolver>(); };
const SolverFactory line = [] { return std::make_unique<NonlinearSolver>(); };
const SolverFactory transfer = [] { return std::make_unique<TransferSolver>(); };

NonlinearSettings study_settings(const Graph& graph, const TileSettings& tile, CellLaw law) {
    NonlinearSettings settings;
    settings.chip.tile = tile;
    settings.cells = {std::move(law), 0.2};
    settings.positions = 0;
    for (std::size_t layer = 0; layer < graph.layers().size(); ++layer)
        settings.layers.push_back(layer);
    return settings;
}

double largest_apart(const std::vector<float>& x, const std::vector<float>& y) {
    REQUIRE(x.size() == y.size());
    double worst = 0;
    double largest = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(x[i]) - static_cast<double>(y[i])));
        largest = std::max(largest, std::abs(static_cast<double>(x[i])));
    }
    return worst / largest;
}

}  // namespace

TEST_CASE("with next to no curvature the network gives the linear answer on all layers") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 3);
    const auto calibration = test::random_images(graph.network().input, 20, 10);
    for (const Mapping mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const bool faulty : {false, true}) {
            CAPTURE(to_string(mapping));
            const auto tile = small_tiles(mapping, 20);
            auto settings = study_settings(graph, tile, CellLaw::sinh(1e-6));
            if (faulty) settings.chip.faults = FaultDraw{{0.1, 5.2}, 3, 0};
            const auto drivers = circuit_drivers(graph, settings.chip, {8, 0, Operators::circuit},
                                                 calibration, transfer);
            const NonlinearStudy study(graph, drivers, settings, line);
            const auto linear = study.compare_layers(images);
            REQUIRE(linear.layers.size() == 3);
            for (const LayerError& error : linear.layers) {
                // Weights and outputs are rounded to floats.
                CHECK(error.relative_rms() < 1e-6);
                CHECK(is_good_enough(error));
            }
            // Offset adds up inputs of order 1 thirty-six at a time.
            CHECK(largest_apart(study.run_network(images).outputs, linear.outputs) < 2e-5);
        }
}

TEST_CASE("the linear operator of a layer is off by what the closed form says, more for larger a") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 2);
    const auto tile = small_tiles(Mapping::two_column, 0);
    const auto drivers = circuit_drivers(graph, {tile}, {8, 8, Operators::circuit},
                                         test::random_images(graph.network().input, 20, 10), ideal);
    FeatureMaps input;
    load_images(graph.network(), images, 0, 2, input);
    DriverWorkspace workspace;
    const PositionMatrix x = read_inputs(drivers[0], input, workspace).at(0).values;
    double before = 0;
    for (const double a : {1.0, 2.0, 4.0, 8.0}) {
        auto settings = study_settings(graph, tile, CellLaw::sinh(a));
        settings.layers = {0};
        const auto error =
            NonlinearStudy(graph, drivers, settings, ideal).compare_layers(images).layers.at(0);
        double squares = 0;
        double signal = 0;
        double straight = 0;
        double product = 0;
        std::size_t samples = 0;
        for (const TileOperator& place : drivers[0].operators.tiles)
            for (std::size_t j = 0; j < place.outputs; ++j)
                for (Index k = 0; k < x.cols(); ++k, ++samples) {
                    double linear = 0;
                    double exact = 0;
                    for (std::size_t r = 0; r < place.rows; ++r) {
                        const auto share =
                            static_cast<double>(x(static_cast<Index>(place.first_row + r), k));
                        const double w = static_cast<double>(place.weights[j * place.rows + r]);
                        const double curved = std::sinh(a * 0.2 * share) / std::sinh(a * 0.2);
                        linear += w * share;
                        exact += w * curved;
                    }
                    squares += (linear - exact) * (linear - exact);
                    signal += exact * exact;
                    straight += linear * linear;
                    product += linear * exact;
                }
        CHECK(error.samples == samples);
        // The study's outputs are floats, which the small difference at a = 1 shows.
        CHECK(error.relative_rms() == doctest::Approx(std::sqrt(squares / signal)).epsilon(1e-4));
        CHECK(error.gain == doctest::Approx(product / straight).epsilon(1e-6));
        CHECK(error.relative_left() ==
              doctest::Approx(std::sqrt(1 - product * product / straight / signal)).epsilon(1e-3));
        CHECK(error.rms_lsb * drivers[0].adc.at(0).lsb() == doctest::Approx(error.rms));
        CHECK(error.relative_rms() > 2 * before);
        before = error.relative_rms();
    }
}

TEST_CASE("inputs of one bit do not show the curvature of cells without wires, amplitudes do") {
    const Graph graph(test::small_network());
    auto images = test::random_images(graph.network().input, 2);
    const auto calibration = test::random_images(graph.network().input, 20, 10);
    const auto tile = small_tiles(Mapping::differential, 0);
    auto settings = study_settings(graph, tile, CellLaw::sinh(10));
    settings.layers = {1};  // behind a ReLU, so that one bit without sign is a DAC
    const auto error_of = [&](int bits) {
        const Dac dac{bits, 1.0, false};
        auto drivers =
            circuit_drivers(graph, {tile}, {8, 8, Operators::circuit}, calibration, ideal);
        set_dac(drivers[1], dac);
        return NonlinearStudy(graph, drivers, settings, ideal).compare_layers(images).layers.at(0);
    };
    CHECK(error_of(1).relative_worst() < 1e-6);  // floats
    CHECK(error_of(1).signal > 0.1);
    CHECK(error_of(8).relative_rms() > 0.05);
}

TEST_CASE("one-bit reads of sliced weights give the linear network's outputs, to the bit") {
    // Word lines stand at 0 or V_r, where each cell is exact; samples are whole levels, and so are
    // codes, whatever the engine rounds.
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 2);
    const auto calibration = test::random_images(graph.network().input, 20, 10);
    for (const Mapping mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto subtraction : {Subtraction::before, Subtraction::after})
            for (const auto passes : {SignedInputs::bipolar, SignedInputs::two_pass}) {
                CAPTURE(to_string(mapping));
                auto tile = small_tiles(mapping, 0);
                tile.weight_bits = 5;
                tile.bits_per_cell = 2;
                tile.subtraction = subtraction;
                auto settings = study_settings(graph, tile, CellLaw::sinh(10));
                ConverterSettings converters{1, 10, Operators::circuit};
                converters.input_bits = 4;
                converters.signed_inputs = passes;
                converters.adc_range = AdcRange::full;
                const auto drivers =
                    circuit_drivers(graph, settings.chip, converters, calibration, ideal);
                const NonlinearStudy study(graph, drivers, settings, ideal);
                const auto linear = study.compare_layers(images);
                for (const LayerError& error : linear.layers) {
                    CHECK(error.relative_rms() < 1e-6);  // floats
                    CHECK(error.signal > 0.1);
                    CHECK(error.effort.points ==
                          error.arrays * error.positions * drivers[error.layer].reads.size());
                }
                CHECK(study.run_network(images).outputs == linear.outputs);
            }
}

TEST_CASE("slices, reads of several bits and sides apart: no curvature is the linear answer") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 2);
    const auto calibration = test::random_images(graph.network().input, 20, 10);
    for (const Mapping mapping : {Mapping::two_column, Mapping::offset, Mapping::differential}) {
        CAPTURE(to_string(mapping));
        auto tile = small_tiles(mapping, 20);
        tile.bits_per_cell = 3;
        tile.subtraction = Subtraction::after;
        ConverterSettings converters{3, 0, Operators::circuit};
        converters.input_bits = 7;
        auto settings = study_settings(graph, tile, CellLaw::sinh(1e-6));
        const auto drivers =
            circuit_drivers(graph, settings.chip, converters, calibration, transfer);
        const NonlinearStudy flat(graph, drivers, settings, line);
        const auto linear = flat.compare_layers(images);
        for (const LayerError& error : linear.layers) CHECK(error.relative_rms() < 1e-6);
        // Layers add up floats of order 100, slices with weights up to 2^6.
        CHECK(largest_apart(flat.run_network(images).outputs, linear.outputs) < 2e-5);
        settings.cells.law = CellLaw::sinh(10);
        const NonlinearStudy curved(graph, drivers, settings, line);
        CHECK(largest_apart(curved.run_network(images).outputs, linear.outputs) > 0.01);
    }
}

TEST_CASE("device laws change nonlinear cells as they change linear ones") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 2);
    const auto calibration = test::random_images(graph.network().input, 20, 10);
    auto settings =
        study_settings(graph, small_tiles(Mapping::two_column, 20), CellLaw::sinh(1e-6));
    settings.chip.devices = DeviceDraw{{0.2}, 3, 1};
    const ConverterSettings converters{8, 0, Operators::circuit};
    const auto drivers = circuit_drivers(graph, settings.chip, converters, calibration, transfer);
    const NonlinearStudy study(graph, drivers, settings, line);
    const auto linear = study.compare_layers(images).outputs;
    CHECK(largest_apart(study.run_network(images).outputs, linear) < 2e-5);  // floats
    settings.chip.devices.reset();
    const NonlinearStudy other(graph, drivers, settings, line);
    CHECK(largest_apart(other.run_network(images).outputs, linear) > 0.01);
}

TEST_CASE("amplifiers with nonlinear cells are refused by their key") {
    ChipSettings chip;
    chip.readout.emplace();
    const Graph graph(test::small_network());
    CHECK_THROWS_WITH_AS(check_study(graph, chip, {CellLaw::sinh(4), 0.2}),
                         doctest::Contains("readout.kind"), InvalidInput);
    CHECK_THROWS_WITH_AS((void)NonlinearLayer(graph, 0, chip, {CellLaw::sinh(4), 0.2}),
                         doctest::Contains("readout.kind"), InvalidInput);
    CHECK_NOTHROW(check_study(graph, chip, {CellLaw{}, 0.2}));
}

namespace {

/// Linear cells behind amplifiers of 1.2 V.
NonlinearSettings amplified(const Graph& graph, const TileSettings& tile, SwingLimit limit) {
    NonlinearSettings settings = study_settings(graph, tile, CellLaw{});
    LinearReadout& readout = settings.chip.readout.emplace();
    readout.circuit.amplifier.limit = limit;
    readout.circuit.hold = {.capacitance = 1e-14,
                            .pedestal = 2e-3,
                            .hold_time = 1e-8,
                            .droop_time = 2e-7,
                            .temperature = 0};
    readout.offset_deviation = 1e-3;
    readout.mismatch = 0.01;
    return settings;
}

}  // namespace

TEST_CASE("amplifiers sized for the largest current stay within their swing: the linear answer") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 2);
    const auto calibration = test::random_images(graph.network().input, 20, 10);
    for (const Mapping mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto kind : {SubtractorKind::difference, SubtractorKind::current_mode})
            for (const bool in_parts : {false, true}) {
                CAPTURE(to_string(mapping));
                CAPTURE(to_string(kind));
                CAPTURE(in_parts);
                auto tile = small_tiles(mapping, 20, Layout::interleaved);
                ConverterSettings converters{8, 0, Operators::circuit};
                if (in_parts) {
                    tile.bits_per_cell = 3;
                    tile.subtraction = Subtraction::after;
                    converters.dac_bits = 3;
                    converters.input_bits = 7;
                }
                auto settings = amplified(graph, tile, SwingLimit::hard);
                settings.chip.readout->circuit.kind = kind;
                const auto drivers =
                    circuit_drivers(graph, settings.chip, converters, calibration, transfer);
                const NonlinearStudy study(graph, drivers, settings, transfer);
                const auto linear = study.compare_layers(images);
                for (const LayerError& error : linear.layers) {
                    CHECK(error.relative_rms() < 1e-6);  // floats
                    CHECK(error.signal > 0.05);
                    CHECK(error.effort.saturation.amplifiers > 0);
                    CHECK(error.effort.saturation.saturated == 0);
                    CHECK(error.effort.residual < 1e-12);
                }
                const auto pass = study.run_network(images);
                CHECK(largest_apart(pass.outputs, linear.outputs) < 2e-5);
                CHECK(pass.effort.saturation.saturated_readings == 0);
            }
}

TEST_CASE(
    "the larger the feedback, the more amplifiers saturate and the worse is the linear answer") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 2);
    const auto calibration = test::random_images(graph.network().input, 20, 10);
    const auto tile = small_tiles(Mapping::differential, 20);
    for (const auto limit : {SwingLimit::smooth, SwingLimit::hard}) {
        double before = -1;
        std::uint64_t saturated = 0;
        for (const double feedback : {5e3, 5e4, 5e5}) {
            CAPTURE(feedback);
            auto settings = amplified(graph, tile, limit);
            settings.layers = {1};
            settings.chip.readout->circuit.feedback_resistance = feedback;
            const auto drivers = circuit_drivers(graph, settings.chip, {8, 8, Operators::circuit},
                                                 calibration, transfer);
            const auto error = NonlinearStudy(graph, drivers, settings, transfer)
                                   .compare_layers(images)
                                   .layers.at(0);
            CHECK(error.relative_rms() > before);
            CHECK(error.effort.saturation.saturated >= saturated);
            before = error.relative_rms();
            saturated = error.effort.saturation.saturated;
        }
        CHECK(saturated > 0);
        CHECK(before > 0.1);
    }
}

TEST_CASE("a network with saturated amplifiers does not depend on the number of threads") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 4);
    const auto tile = small_tiles(Mapping::differential, 50, Layout::interleaved);
    auto settings = amplified(graph, tile, SwingLimit::smooth);
    settings.chip.readout->circuit.kind = SubtractorKind::current_mode;
    settings.chip.readout->circuit.feedback_resistance = 1e5;
    const auto drivers = circuit_drivers(
        graph, settings.chip, {}, test::random_images(graph.network().input, 20, 10), transfer);
    const NonlinearStudy study(graph, drivers, settings, transfer);
    const auto many = study.run_network(images);
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    const auto single = study.run_network(images);
    CHECK(many.outputs == single.outputs);
    CHECK(many.effort.iterations == single.effort.iterations);
    CHECK(many.effort.saturation.saturated > 0);
    CHECK(many.effort.saturation.saturated == single.effort.saturation.saturated);
    CHECK(many.effort.saturation.saturated_readings == single.effort.saturation.saturated_readings);
}

TEST_CASE("amplifiers whose ranges are fitted on ideal operators, which have none") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 1);
    const auto calibration = test::random_images(graph.network().input, 20, 10);
    const auto settings = amplified(graph, small_tiles(Mapping::two_column, 20), SwingLimit::hard);
    const auto drivers =
        circuit_drivers(graph, settings.chip, {8, 8, Operators::ideal}, calibration, transfer);
    const auto without = circuit_drivers(graph, {settings.chip.tile}, {8, 8, Operators::ideal},
                                         calibration, transfer);
    CHECK(drivers[0].adc[0].range == without[0].adc[0].range);
    CHECK_FALSE(drivers[0].operators.tiles[0].offset.empty());
    const auto linear = NonlinearStudy(graph, drivers, settings, transfer).compare_layers(images);
    for (const LayerError& error : linear.layers) CHECK(error.relative_rms() < 1e-6);
}

TEST_CASE("a network that finds objects is refused by name") {
    Network network = test::small_network();
    network.nodes.pop_back();
    network.detection_classes = 1;
    network.heads = {{"grouped", {{1, 2}}, 1}};
    const Graph graph(network);
    CHECK_THROWS_WITH_AS(check_study(graph, {}, {CellLaw::sinh(4)}),
                         doctest::Contains("network small"), InvalidInput);
}

TEST_CASE("a sample of positions is drawn by seed and layer, within those there are") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 4);
    const auto tile = small_tiles(Mapping::two_column, 20);
    const auto drivers = circuit_drivers(
        graph, {tile}, {}, test::random_images(graph.network().input, 20, 10), transfer);
    auto settings = study_settings(graph, tile, CellLaw::sinh(5));
    settings.positions = 7;
    const auto run = [&] {
        return NonlinearStudy(graph, drivers, settings, line).compare_layers(images).layers;
    };
    const auto first = run();
    const auto again = run();
    settings.seed = 2;
    const auto other = run();
    // Two layers of 9 and 6 positions an image, and one of one.
    CHECK(first[0].effort.points == 7 * first[0].arrays);
    CHECK(first[2].effort.points == 4 * first[2].arrays);
    CHECK(first[0].rms == again[0].rms);
    CHECK(first[0].rms != other[0].rms);
    CHECK(first[2].rms == other[2].rms);
    const NonlinearStudy study(graph, drivers, settings, line);
    CHECK(study.points_of_layers(4) ==
          first[0].effort.points + first[1].effort.points + first[2].effort.points);
}

TEST_CASE("results of a nonlinear network do not depend on the number of threads") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 10);
    const auto tile = small_tiles(Mapping::offset, 50);
    const auto drivers = circuit_drivers(
        graph, {tile}, {}, test::random_images(graph.network().input, 20, 10), transfer);
    const NonlinearStudy study(graph, drivers, study_settings(graph, tile, CellLaw::sinh(5)), line);
    const auto many = study.run_network(images);
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    const auto single = study.run_network(images);
    CHECK(many.outputs == single.outputs);
    CHECK(many.effort.iterations == single.effort.iterations);
}

TEST_CASE("layers that are not chosen stay linear, to the bit") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 3);
    const auto tile = small_tiles(Mapping::two_column, 50);
    const auto drivers = circuit_drivers(
        graph, {tile}, {}, test::random_images(graph.network().input, 20, 10), transfer);
    auto settings = study_settings(graph, tile, CellLaw::sinh(10));
    settings.layers = {};
    const NonlinearStudy none(graph, drivers, settings, line);
    const auto linear = none.compare_layers(images);
    CHECK(linear.layers.empty());
    CHECK(none.run_network(images).outputs == linear.outputs);
    settings.layers = {2};
    CHECK(NonlinearStudy(graph, drivers, settings, line).run_network(images).outputs !=
          linear.outputs);
    // The same as inference gives.
    const auto predicted = run_inference(graph, drivers, images).predicted;
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(largest_output(std::span(linear.outputs).subspan(3 * i, 3)) == predicted[i]);
}

TEST_CASE("a linear answer is good enough within half an LSB rms, or a hundredth without ADC") {
    LayerError error;
    error.signal = 2;
    error.has_adc = true;
    error.rms_lsb = 0.499;
    CHECK(is_good_enough(error));
    error.rms_lsb = 0.501;
    CHECK_FALSE(is_good_enough(error));
    error.has_adc = false;
    error.rms = 0.0199;
    CHECK(is_good_enough(error));
    error.rms = 0.0201;
    CHECK_FALSE(is_good_enough(error));
}
