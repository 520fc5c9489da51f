#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <sstream>
#include <utility>

#include "circuit/error.hpp"
#include "example_layer.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"
#include "run_deck.hpp"
#include "solver/nodal_solver.hpp"

using namespace kirchnet;
using namespace kirchnet_test;

namespace {

TileSettings settings_of(Mapping mapping, Layout layout, double bit_line_segment = 2.5) {
    TileSettings settings = example_settings(mapping, layout);
    settings.wires.word_line_segment = 1.5;
    settings.wires.bit_line_segment = bit_line_segment;
    settings.wires.driver = 40;
    return settings;
}

/// Column currents a - b of one tile, by the nodal solver: [outputs].
Eigen::VectorXd outputs_of(const Tile& tile, const Eigen::VectorXd& used) {
    Eigen::VectorXd outputs = Eigen::VectorXd::Zero(tile.outputs());
    for (Index j = 0; j < tile.outputs(); ++j)
        for (const Polarity side : {Polarity::a, Polarity::b}) {
            if (side == Polarity::b && !tile.has_pairs()) continue;
            const TileColumn column = tile.column(j, side);
            const Crossbar& array = tile.arrays()[column.array];
            Eigen::MatrixXd inputs = Eigen::MatrixXd::Zero(array.shape().word_lines, 1);
            inputs.topRows(used.size()) = used;
            const double current =
                NodalSolver().solve(array, inputs, Voltages::skip).current(column.bit_line, 0);
            outputs(j) += side == Polarity::a ? current : -current;
        }
    return outputs;
}

Eigen::Vector3d layer_outputs(const std::vector<LayerTile>& tiles) {
    Eigen::Vector3d sums = Eigen::Vector3d::Zero();
    for (const LayerTile& part : tiles)
        sums.segment(part.tile.block().first_output_channel, part.tile.outputs()) +=
            outputs_of(part.tile, part.inputs);
    return sums;
}

}  // namespace

TEST_CASE("a layer's deck adds what its tiles read, hierarchical and flat") {
    for (const Mapping mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const Layout layout : {Layout::split, Layout::interleaved}) {
            const auto tiles = example_layer(settings_of(mapping, layout));
            const Eigen::Vector3d expected = layer_outputs(tiles);
            for (const bool flat : {false, true}) {
                const std::string deck =
                    flat ? write_flat_layer_deck(tiles, {}) : write_layer_deck(tiles, {});
                const auto found = run_operating_point(deck, {"y_0", "y_1", "y_2"});
                for (Index j = 0; j < 3; ++j)
                    CHECK(found.at(fmt::format("y_{}", j)) ==
                          doctest::Approx(expected(j)).epsilon(1e-9).scale(0));
            }
        }
}

TEST_CASE("cells of a layer's deck keep the names of their tile's own deck") {
    const auto tiles = example_layer(settings_of(Mapping::two_column, Layout::split));
    const std::string deck = write_layer_deck(tiles, {});
    CHECK(deck.find(".subckt tile_1_0 ") != std::string::npos);
    CHECK(deck.find("\nxc_b_2_1 wl_b_2_1 bl_b_2_1 ") != std::string::npos);
    const std::string cell = "@r.xt1_0.xc_b_2_1.rcell[resistance]";
    CHECK(1 / run_operating_point(deck, {cell}).at(cell) ==
          doctest::Approx(tiles[2].tile.arrays()[1].conductance()(2, 1)).epsilon(1e-12).scale(0));
}

TEST_CASE("slices of a layer are added by their weight") {
    TileSettings settings = settings_of(Mapping::two_column, Layout::split);
    settings.weight_bits = 5;
    settings.bits_per_cell = 2;
    std::vector<LayerTile> tiles;
    double expected = 0;
    for (int slice = 0; slice < 2; ++slice) {
        WeightBlock block = example_block();
        block.slice = slice;
        tiles.push_back({Tile(block, settings), example_inputs});
        expected += (slice == 0 ? 1 : 4) * outputs_of(tiles.back().tile, example_inputs)(0);
    }
    CHECK(run_operating_point(write_layer_deck(tiles, {}), {"y_64"}).at("y_64") ==
          doctest::Approx(expected).epsilon(1e-9).scale(0));
}

TEST_CASE("a layer whose tiles disagree about an input is refused") {
    auto tiles = example_layer(settings_of(Mapping::two_column, Layout::split));
    tiles[1].inputs(0) += 0.01;
    CHECK_THROWS_AS((void)write_layer_deck(tiles, {}), InvalidInput);
    CHECK_THROWS_AS((void)write_layer_deck({}, {}), InvalidInput);
}

TEST_CASE("a deck of one output is exact where bit lines have no resistance") {
    for (const Layout layout : {Layout::split, Layout::interleaved})
        for (const bool flat : {false, true}) {
            const Tile tile(example_block(), settings_of(Mapping::differential, layout, 0));
            TileDeckSettings settings;
            settings.output = 1;
            const std::string deck = flat ? write_flat_deck(tile, example_inputs, settings)
                                          : write_tile_deck(tile, example_inputs, settings);
            CHECK(deck.find("sub_0") == std::string::npos);
            CHECK(run_operating_point(deck, {"sub_1"}).at("sub_1") ==
                  doctest::Approx(outputs_of(tile, example_inputs)(1)).epsilon(1e-9).scale(0));
        }
}

TEST_CASE("with resistive bit lines it is the array whose other bit lines have none") {
    const Tile tile(example_block(), settings_of(Mapping::differential, Layout::split, 800));
    TileDeckSettings settings;
    settings.output = 0;
    double expected = 0;
    for (std::size_t i = 0; i < 2; ++i) {
        const Crossbar reduced = column_crossbar(tile, tile.arrays()[i], 0);
        Eigen::VectorXd inputs = Eigen::VectorXd::Zero(4);
        inputs.head(3) = example_inputs;
        expected +=
            (i == 0 ? 1 : -1) * NodalSolver().solve(reduced, inputs, Voltages::skip).current(0, 0);
    }
    for (const bool flat : {false, true}) {
        const std::string deck = flat ? write_flat_deck(tile, example_inputs, settings)
                                      : write_tile_deck(tile, example_inputs, settings);
        CHECK(run_operating_point(deck, {"sub_0"}).at("sub_0") ==
              doctest::Approx(expected).epsilon(1e-9).scale(0));
    }
    CHECK(expected != doctest::Approx(outputs_of(tile, example_inputs)(0)).epsilon(1e-6).scale(0));
    settings.output = 7;
    CHECK_THROWS_AS((void)write_tile_deck(tile, example_inputs, settings), InvalidInput);
}

TEST_CASE("the spice3 dialect holds R, V and E lines of plain numbers alone") {
    for (const Readout readout : {Readout::ideal, Readout::opamp}) {
        const Tile tile(example_block(), settings_of(Mapping::two_column, Layout::split));
        TileDeckSettings settings;
        settings.dialect = Dialect::spice3;
        settings.readout = readout;
        settings.amplifiers.circuit.amplifier.offset = 1e-4;
        const std::string deck = write_flat_deck(tile, example_inputs, settings);
        std::istringstream lines(deck);
        for (std::string line; std::getline(lines, line);) {
            CAPTURE(line);
            CHECK(std::string("*rve.").find(line.front()) != std::string::npos);
            if (line.front() == '*') continue;
            CHECK(line.find_first_of("{}';=") ==
                  (line.starts_with(".options") ? line.find('=') : std::string::npos));
        }
        CHECK(deck.find(".param") == std::string::npos);
        if (has_ngspice_program()) CHECK(run_ngspice_batch(deck).status == 0);
    }
}

TEST_CASE("the spice3 dialect has the currents and outputs of the readable deck") {
    const Tile tile(example_block(), settings_of(Mapping::two_column, Layout::split));
    TileDeckSettings settings;
    settings.amplifiers.circuit.amplifier.offset = 1e-4;
    settings.amplifiers.circuit.amplifier.swing = 1e3;  // far from saturation, as E sources are
    settings.amplifiers.circuit.feedback_resistance = 2e3;
    settings.amplifiers.mismatch = 0.02;  // every resistor of the chip is another
    settings.amplifiers.feedback_mismatch = 0.02;
    const std::vector<std::pair<Readout, SubtractorKind>> read_outs{
        {Readout::ideal, SubtractorKind::difference},
        {Readout::opamp, SubtractorKind::difference},
        {Readout::opamp, SubtractorKind::current_mode}};
    for (const auto& [readout, kind] : read_outs) {
        settings.readout = readout;
        settings.amplifiers.circuit.kind = kind;
        settings.dialect = Dialect::ngspice;
        std::vector<std::string> wanted{"vs_a_0#branch", "vs_a_1#branch", "vs_b_0#branch"};
        if (readout == Readout::opamp) wanted.insert(wanted.end(), {"sub_0", "sub_1"});
        const auto readable =
            run_operating_point(write_tile_deck(tile, example_inputs, settings), wanted);
        settings.dialect = Dialect::spice3;
        const auto plain =
            run_operating_point(write_flat_deck(tile, example_inputs, settings), wanted);
        for (const std::string& name : wanted) {
            CAPTURE(name);
            CHECK(plain.at(name) == doctest::Approx(readable.at(name)).epsilon(1e-6).scale(0));
        }
    }
    const auto tiles = example_layer(settings_of(Mapping::two_column, Layout::split));
    settings.readout = Readout::ideal;
    const std::string layer = write_flat_layer_deck(tiles, settings);
    CHECK(layer.find("by_0") == std::string::npos);
    const auto found = run_operating_point(layer, {"vs_a_0_t0_0#branch", "vs_b_0_t0_0#branch"});
    CHECK(found.at("vs_a_0_t0_0#branch") - found.at("vs_b_0_t0_0#branch") ==
          doctest::Approx(outputs_of(tiles[0].tile, tiles[0].inputs)(0)).epsilon(1e-9).scale(0));
}
