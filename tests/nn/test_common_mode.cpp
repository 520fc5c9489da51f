#include <doctest/doctest.h>

#include <cmath>

#include "circuit/error.hpp"
#include "nn/calibration.hpp"
#include "nn/common_mode.hpp"
#include "small_networks.hpp"
#include "small_tiles.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;
using test::small_tiles;

namespace {

constexpr double read_voltage = 0.25;

const SolverFactory transfer = [] { return std::make_unique<TransferSolver>(); };

/// Sums over inputs taken one after the other, without any moments.
struct OneByOne {
    double side_squares = 0;
    double difference_squares = 0;
    double largest_side = 0;
    double largest_difference = 0;
    std::size_t sides = 0;
    std::size_t differences = 0;

    void add_side(double current) {
        side_squares += current * current;
        largest_side = std::max(largest_side, std::abs(current));
        ++sides;
    }
    void add_difference(double current) {
        difference_squares += current * current;
        largest_difference = std::max(largest_difference, std::abs(current));
        ++differences;
    }
};

void add_tile(const Graph& graph, std::size_t layer, const Tile& tile, const std::vector<Dac>& dacs,
              const LabelledImages& images, OneByOne& sums) {
    const LayerGeometry geometry = graph.geometry(layer);
    const Drivers software = software_drivers(graph);
    const WeightBlock& block = tile.block();
    const auto group =
        static_cast<std::size_t>(block.first_output_channel) / geometry.outputs_per_group();
    const auto first = static_cast<std::size_t>(block.tile_row * tile.settings().array.word_lines);
    NodalSolver solver;
    for (std::size_t image = 0; image < images.size(); ++image)
        for (std::size_t position = 0; position < geometry.positions(); ++position) {
            const auto values = layer_inputs(graph, software, images, image, layer, group, position,
                                             static_cast<std::size_t>(block.groups));
            Eigen::VectorXd input = Eigen::VectorXd::Zero(tile.arrays()[0].shape().word_lines);
            for (Index r = 0; r < tile.rows(); ++r)
                input(r) =
                    read_voltage *
                    dac_fraction(dacs[layer],
                                 static_cast<double>(values[first + static_cast<std::size_t>(r)]));
            std::vector<Eigen::MatrixXd> current;
            for (const Crossbar& array : tile.arrays())
                current.push_back(solver.solve(array, input, Voltages::skip).current);
            const auto side = [&](Index output, Polarity polarity) {
                const TileColumn at = tile.column(output, polarity);
                return current[at.array](at.bit_line, 0);
            };
            for (Index j = 0; j < tile.outputs(); ++j) {
                double difference = side(j, Polarity::a);
                sums.add_side(difference);
                if (tile.has_pairs()) {
                    sums.add_side(side(j, Polarity::b));
                    difference -= side(j, Polarity::b);
                }
                sums.add_difference(difference);
            }
        }
}

}  // namespace

TEST_CASE("column currents before subtraction are those of the inputs, one after the other") {
    const Graph graph(test::small_network());
    const LabelledImages images = test::random_images(graph.network().input, 2);
    const auto dacs = calibrate_dacs(graph, images, ConverterSettings{});
    for (const Mapping mapping : {Mapping::two_column, Mapping::offset, Mapping::differential}) {
        CAPTURE(to_string(mapping));
        ChipSettings chip{small_tiles(mapping, 0, Layout::split)};
        chip.tile.wires.word_line_segment = 30;
        chip.tile.wires.bit_line_segment = 20;
        LinearReadout readout;
        readout.circuit.feedback_resistance = 3e3;
        readout.read_voltage = read_voltage;
        const auto drive =
            observe_drive(graph, dacs, images, {chip.tile, read_voltage, 100000, {0, 1, 2}});
        for (const LayerCommonMode& found : common_mode(graph, chip, readout, drive, transfer)) {
            CAPTURE(found.layer);
            OneByOne expected;
            for (const TilePlace& place : tile_places(tile_layer(graph, found.layer, chip.tile)))
                add_tile(graph, found.layer,
                         Tile(weight_block(graph, found.layer, chip.tile, place.row, place.column),
                              chip.tile),
                         dacs, images, expected);
            const auto rms = [](double squares, std::size_t count) {
                return std::sqrt(squares / static_cast<double>(count));
            };
            const auto near = [](double value) {
                return doctest::Approx(value).epsilon(1e-9).scale(0);
            };
            CHECK(found.side_rms == near(rms(expected.side_squares, expected.sides)));
            CHECK(found.difference_rms ==
                  near(rms(expected.difference_squares, expected.differences)));
            CHECK(found.largest_side == near(expected.largest_side));
            CHECK(found.largest_difference == near(expected.largest_difference));
            CHECK(found.swing_used(1.2) == near(3e3 * expected.largest_side / 1.2));
            CHECK(found.feedback == 3e3);
        }
    }
}

TEST_CASE("columns saturate where R_f I leaves the swing, and not within it") {
    const Graph graph(test::small_network());
    const LabelledImages images = test::random_images(graph.network().input, 2);
    const auto dacs = calibrate_dacs(graph, images, ConverterSettings{});
    const ChipSettings chip{small_tiles(Mapping::differential, 0, Layout::split)};
    const auto drive =
        observe_drive(graph, dacs, images, {chip.tile, read_voltage, 100000, {0, 1, 2}});
    LinearReadout readout;
    readout.read_voltage = read_voltage;
    for (const LayerCommonMode& layer : common_mode(graph, chip, readout, drive, transfer)) {
        CHECK(layer.saturated == 0);  // R_f follows from the largest current there can be
        CHECK(layer.swing_used(readout.circuit.amplifier.swing) <= 0.8);
    }
    readout.circuit.feedback_resistance = 1e9;
    for (const LayerCommonMode& layer : common_mode(graph, chip, readout, drive, transfer))
        CHECK(layer.saturated == layer.columns);
    readout.circuit.amplifier.swing = -1;
    CHECK_THROWS_AS((void)common_mode(graph, chip, readout, drive, transfer), InvalidInput);
}
