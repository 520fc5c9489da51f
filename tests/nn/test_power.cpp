#include <doctest/doctest.h>

#include <algorithm>

#include "circuit/error.hpp"
#include "nn/calibration.hpp"
#include "nn/power.hpp"
#include "small_networks.hpp"
#include "small_tiles.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;
using test::small_tiles;

namespace {

constexpr double read_voltage = 0.25;

const SolverFactory transfer = [] { return std::make_unique<TransferSolver>(); };

const std::vector<std::size_t> all_layers{0, 1, 2};

std::vector<Dac> fitted(const Graph& graph, const LabelledImages& images,
                        const ConverterSettings& converters) {
    return calibrate_dacs(graph, images, converters);
}

/// What each array of a tile does with one input after another, without any moments.
struct OneByOne {
    std::vector<ArrayPower> mean;
    std::vector<SegmentCurrent> word_line;
    std::vector<SegmentCurrent> bit_line;
};

OneByOne run_one_by_one(const Graph& graph, std::size_t layer, const Tile& tile,
                        const std::vector<Dac>& dacs, const LabelledImages& images) {
    const LayerGeometry geometry = graph.geometry(layer);
    const Drivers software = software_drivers(graph);
    const WeightBlock& block = tile.block();
    const auto group =
        static_cast<std::size_t>(block.first_output_channel) / geometry.outputs_per_group();
    const auto first = static_cast<std::size_t>(block.tile_row * tile.settings().array.word_lines);
    const auto reads = input_reads(dacs[layer]);
    OneByOne result{std::vector<ArrayPower>(tile.arrays().size()),
                    std::vector<SegmentCurrent>(tile.arrays().size()),
                    std::vector<SegmentCurrent>(tile.arrays().size())};
    NodalSolver solver;
    for (std::size_t image = 0; image < images.size(); ++image)
        for (std::size_t position = 0; position < geometry.positions(); ++position) {
            const auto values = layer_inputs(graph, software, images, image, layer, group, position,
                                             static_cast<std::size_t>(block.groups));
            for (const InputRead& read : reads) {
                Eigen::VectorXd input = Eigen::VectorXd::Zero(tile.arrays()[0].shape().word_lines);
                for (Index r = 0; r < tile.rows(); ++r)
                    input(r) =
                        read_voltage *
                        dac_fraction(
                            dacs[layer], read,
                            static_cast<double>(values[first + static_cast<std::size_t>(r)]));
                for (std::size_t i = 0; i < tile.arrays().size(); ++i) {
                    const Crossbar& array = tile.arrays()[i];
                    const OperatingPoint point = solver.solve(array, input, Voltages::keep);
                    const auto& word = point.word_line_voltage.front();
                    const auto& bit = point.bit_line_voltage.front();
                    const LineCurrents currents = line_currents(array, word, bit, input);
                    result.mean[i] += array_power(array, word, bit, input, currents);
                    const SegmentCurrent w = worst_word_line_segment(array, currents);
                    const SegmentCurrent b = worst_bit_line_segment(array, currents);
                    if (w.current > result.word_line[i].current) result.word_line[i] = w;
                    if (b.current > result.bit_line[i].current) result.bit_line[i] = b;
                }
            }
        }
    return result;
}

}  // namespace

TEST_CASE("mean power of a network is that of its inputs, one after the other") {
    const Graph graph(test::small_network());
    const LabelledImages images = test::random_images(graph.network().input, 3);
    ConverterSettings converters;
    SUBCASE("whole inputs") {}
    SUBCASE("digit by digit") {
        converters.input_bits = 6;
        converters.dac_bits = 2;
    }
    SUBCASE("continuous") {
        converters.dac_bits = 0;
    }
    const std::vector<Dac> dacs = fitted(graph, images, converters);
    const double tolerance = converters.dac_bits == 0 ? 1e-3 : 1e-6;  // continuous: 4096 steps
    for (const Mapping mapping : {Mapping::two_column, Mapping::offset, Mapping::differential}) {
        ChipSettings chip{small_tiles(mapping, 0, Layout::split)};
        chip.tile.wires.word_line_segment = 30;
        chip.tile.wires.bit_line_segment = 20;
        chip.tile.wires.driver = 50;
        chip.tile.wires.sense = 10;
        const auto drive =
            observe_drive(graph, dacs, images, {chip.tile, read_voltage, 100000, all_layers});
        const auto layers = network_power(graph, chip, drive, {}, transfer);
        REQUIRE(layers.size() == 3);
        for (const LayerPower& layer : layers) {
            const double inputs = static_cast<double>(layer.reads * images.size());
            double delivered = 0;
            for (const TilePower& power : layer.tiles) {
                const Tile tile(weight_block(graph, layer.layer, chip.tile, power.place.row,
                                             power.place.column),
                                chip.tile);
                const OneByOne expected = run_one_by_one(graph, layer.layer, tile, dacs, images);
                REQUIRE(power.arrays.size() == tile.arrays().size());
                for (std::size_t i = 0; i < power.arrays.size(); ++i) {
                    const ArrayPower& mean = power.arrays[i].mean;
                    const auto near = [&](double value, double sum) {
                        CHECK(value == doctest::Approx(sum / inputs).epsilon(tolerance));
                    };
                    near(mean.delivered, expected.mean[i].delivered);
                    near(mean.drivers, expected.mean[i].drivers);
                    near(mean.word_lines, expected.mean[i].word_lines);
                    near(mean.cells, expected.mean[i].cells);
                    near(mean.bit_lines, expected.mean[i].bit_lines);
                    near(mean.sense, expected.mean[i].sense);
                    CHECK(mean.dissipated() == doctest::Approx(mean.delivered).epsilon(1e-10));
                    CHECK(power.arrays[i].word_line.current ==
                          doctest::Approx(expected.word_line[i].current).epsilon(tolerance));
                    CHECK(power.arrays[i].bit_line.current ==
                          doctest::Approx(expected.bit_line[i].current).epsilon(tolerance));
                    if (converters.dac_bits != 0)
                        CHECK(power.arrays[i].word_line.name == expected.word_line[i].name);
                    delivered += expected.mean[i].delivered / inputs;
                }
            }
            CHECK(layer.energy_per_image(1e-7) ==
                  doctest::Approx(delivered * 1e-7 * static_cast<double>(layer.reads))
                      .epsilon(tolerance));
        }
    }
}

TEST_CASE("amplifiers cost what their resistors and supplies take") {
    const Graph graph(test::small_network());
    const LabelledImages images = test::random_images(graph.network().input, 2);
    const std::vector<Dac> dacs = fitted(graph, images, {});
    ChipSettings chip{small_tiles(Mapping::differential, 0, Layout::split)};
    LinearReadout readout;
    readout.circuit.feedback_resistance = 2e3;
    readout.circuit.amplifier.gain = 1e12;  // no input resistance: arrays as without amplifiers
    const auto drive = observe_drive(graph, dacs, images, {chip.tile, read_voltage, 1, {2}});
    const auto ideal = network_power(graph, chip, drive, {1e-3, 2}, transfer);
    CHECK(ideal[0].readout_power() == ReadoutPower{});
    chip.readout = readout;
    const auto layers = network_power(graph, chip, drive, {1e-3, 2}, transfer);
    CHECK(layers[0].array_power().delivered == doctest::Approx(ideal[0].array_power().delivered));
    // 36 rows and 3 outputs: an amplifier per bit line and one per pair, 2 mW each.
    Index amplifiers = 0;
    for (const TilePower& tile : layers[0].tiles) {
        const Tile built(weight_block(graph, 2, chip.tile, tile.place.row, tile.place.column),
                         chip.tile);
        amplifiers += 3 * built.outputs();
    }
    CHECK(layers[0].readout_power().amplifiers ==
          doctest::Approx(2e-3 * static_cast<double>(amplifiers)));
    CHECK(layers[0].readout_power().feedback > 0);
    CHECK(layers[0].readout_power().bridge > 0);
}

TEST_CASE("power of a network refuses what has no mean power") {
    const Graph graph(test::small_network());
    const LabelledImages images = test::random_images(graph.network().input, 2);
    const std::vector<Dac> dacs = fitted(graph, images, {});
    const TileSettings tiles = small_tiles(Mapping::offset, 0, Layout::split);
    CHECK_THROWS_AS(observe_drive(graph, dacs, images, {tiles, 0.0, 1, {0}}), InvalidInput);
    const auto drive = observe_drive(graph, dacs, images, {tiles, 0.2, 1, {0}});
    TileSettings others = tiles;
    others.array.word_lines = 5;
    CHECK_THROWS_AS(network_power(graph, {others}, drive, {}, transfer), InvalidInput);
    CHECK_THROWS_AS(network_power(graph, {tiles}, drive, {-1, 1}, transfer), InvalidInput);
}
