#include <doctest/doctest.h>
#include <tbb/global_control.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"
#include "nn/detail/readout_fold.hpp"
#include "nn/operators.hpp"
#include "nn/tiling.hpp"
#include "small_networks.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;

namespace {

const SolverFactory ideal = [] { return std::make_unique<IdealSolver>(); };
const SolverFactory transfer = [] { return std::make_unique<TransferSolver>(); };
const SolverFactory nodal = [] { return std::make_unique<NodalSolver>(); };

TileSettings settings(Mapping mapping, Layout layout) {
    TileSettings tile;
    tile.array = {5, 4};
    tile.mapping = mapping;
    tile.layout = layout;
    tile.weight_bits = 0;
    return tile;
}

}  // namespace

TEST_CASE("without wires every mapping and layout gives back the weights") {
    const Graph graph(test::small_network());
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto layout : {Layout::split, Layout::interleaved}) {
            CAPTURE(to_string(mapping));
            const auto tile = settings(mapping, layout);
            const auto layers = extract_operators(graph, tile, std::nullopt, ideal);
            REQUIRE(layers.size() == 3);
            for (std::size_t layer = 0; layer < 3; ++layer) {
                const auto geometry = graph.geometry(layer);
                for (const auto& op : layers[layer].tiles)
                    for (std::size_t j = 0; j < op.outputs; ++j)
                        for (std::size_t r = 0; r < op.rows; ++r) {
                            const std::size_t flat =
                                (op.first_output + j) * geometry.rows_per_group() + op.first_row +
                                r;
                            // One input of 1: gain * w + input_sum must be the weight.
                            const double recovered =
                                static_cast<double>(layers[layer].gain()) *
                                    static_cast<double>(op.weights[j * op.rows + r]) +
                                static_cast<double>(layers[layer].input_sum());
                            CHECK(recovered * layers[layer].scale ==
                                  doctest::Approx(graph.weights(layer).values[flat])
                                      .epsilon(1e-5)
                                      .scale(1));
                        }
            }
        }
}

TEST_CASE("wires take part of the signal, and the deviation says how much") {
    const Graph graph(test::small_network());
    auto tile = settings(Mapping::two_column, Layout::split);
    tile.wires.word_line_segment = 1;
    tile.wires.bit_line_segment = 1;
    const auto mild = extract_operators(graph, tile, std::nullopt, nodal);
    tile.wires.word_line_segment = 100;
    tile.wires.bit_line_segment = 100;
    const auto strong = extract_operators(graph, tile, std::nullopt, nodal);
    CHECK(mild[0].tiles[0].wire_deviation > 0);
    CHECK(mild[0].tiles[0].wire_deviation < 0.01);
    CHECK(strong[0].tiles[0].wire_deviation > 10 * mild[0].tiles[0].wire_deviation);
}

TEST_CASE("a stuck-on cell under a zero weight reads as a full weight") {
    Network network = test::small_network();
    auto& conv = std::get<ConvOp>(network.nodes[1].operation);
    conv.weight.values[0] = 0;  // oc 0, ic 0, ky 0, kx 0
    const Graph graph(network);
    FaultMap map;
    map.set("first", CellAddress{0, 0, 0, 0, 0, Polarity::a}, Fault::stuck_on);
    const auto tile = settings(Mapping::two_column, Layout::split);
    const auto faulty = extract_operators(graph, tile, FaultSource{map}, ideal);
    const auto clean = extract_operators(graph, tile, std::nullopt, ideal);
    CHECK(clean[0].tiles[0].weights[0] == 0);
    CHECK(faulty[0].tiles[0].weights[0] == doctest::Approx(1));
    CHECK(faulty[0].tiles[0].weights[1] == clean[0].tiles[0].weights[1]);
    CHECK(faulty[1].tiles[0].weights == clean[1].tiles[0].weights);
}

TEST_CASE("progress counts every tile once and can stop the work") {
    const Graph graph(test::small_network());
    const auto tile = settings(Mapping::two_column, Layout::split);
    std::size_t last = 0;
    std::size_t total = 0;
    (void)extract_operators(graph, tile, std::nullopt, ideal,
                            [&](std::size_t done, std::size_t all) {
                                CHECK(done == last + 1);
                                last = done;
                                total = all;
                            });
    // 12 x 4 on 5 x 4: 3; two groups of 4 x 3: 2; 36 x 3: 8
    CHECK(total == 13);
    CHECK(last == 13);
    struct Stop {};
    CHECK_THROWS_AS((void)extract_operators(graph, tile, std::nullopt, ideal,
                                            [](std::size_t, std::size_t) { throw Stop{}; }),
                    Stop);
}

TEST_CASE("operators by port merging are the same bits on one thread and on many") {
    const Graph graph(test::small_network());
    TileSettings tile = settings(Mapping::differential, Layout::split);
    tile.wires.word_line_segment = 2;
    tile.wires.bit_line_segment = 2;
    const auto many = extract_operators(graph, tile, std::nullopt, transfer);
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    const auto alone = extract_operators(graph, tile, std::nullopt, transfer);
    REQUIRE(many.size() == alone.size());
    for (std::size_t layer = 0; layer < many.size(); ++layer)
        for (std::size_t i = 0; i < many[layer].tiles.size(); ++i)
            CHECK(many[layer].tiles[i].weights == alone[layer].tiles[i].weights);
}

TEST_CASE("amplifiers of high gain and no offset read as ideal subtraction does") {
    const Graph graph(test::small_network());
    ChipSettings chip{settings(Mapping::differential, Layout::split)};
    chip.tile.wires.word_line_segment = chip.tile.wires.bit_line_segment = 20;
    const auto plain = extract_operators(graph, chip, transfer);
    chip.readout = LinearReadout{};
    chip.readout->circuit.amplifier.gain = 1e12;
    const auto amplified = extract_operators(graph, chip, transfer);
    chip.readout->circuit.amplifier.gain = 100;
    const auto weak = extract_operators(graph, chip, transfer);
    for (std::size_t i = 0; i < plain[0].tiles.size(); ++i) {
        const auto& expected = plain[0].tiles[i].weights;
        CHECK(amplified[0].tiles[i].offset.empty());
        CHECK(weak[0].tiles[i].weights != expected);
        for (std::size_t k = 0; k < expected.size(); ++k)  // float rounding
            CHECK(amplified[0].tiles[i].weights[k] ==
                  doctest::Approx(expected[k]).epsilon(1e-6).scale(1));
    }
}

TEST_CASE("the feedback resistance is for the largest current a layer's cells can deliver") {
    // offset mapping, continuous: states (w + 1) / 2 of the normalised weights of one column
    const Graph graph(test::small_network());
    TileSettings tile = settings(Mapping::offset, Layout::split);
    tile.array = {64, 64};
    const auto& weights = graph.weights(2).values;
    const std::size_t rows = graph.geometry(2).rows_per_group();
    double scale = 0;
    for (const float w : weights) scale = std::max(scale, std::abs(static_cast<double>(w)));
    double largest = 0;
    for (std::size_t j = 0; j < 3; ++j) {
        double total = 0;
        for (std::size_t r = 0; r < rows; ++r)
            total += 1e-6 + 99e-6 * (static_cast<double>(weights[j * rows + r]) / scale + 1) / 2;
        largest = std::max(largest, total);
    }
    LinearReadout readout;
    readout.circuit.amplifier.swing = 1.5;
    CHECK(detail::layer_feedback(graph, 2, tile, readout) ==
          doctest::Approx(0.8 * 1.5 / (0.2 * largest)));
    readout.circuit.feedback_resistance = 777;
    CHECK(detail::layer_feedback(graph, 2, tile, readout) == 777);
}

TEST_CASE("amplifiers behind bit lines read at both ends are refused") {
    const Graph graph(test::small_network());
    ChipSettings chip{settings(Mapping::differential, Layout::split)};
    chip.tile.wires.sense_at = SenseSide::both;
    chip.readout = LinearReadout{};
    CHECK_THROWS_WITH_AS((void)extract_operators(graph, chip, transfer),
                         doctest::Contains("one end"), InvalidInput);
}

TEST_CASE("arrays given as they are drawn make the same operators, amplifiers included") {
    const Graph graph(test::small_network());
    ChipSettings chip{settings(Mapping::two_column, Layout::split), FaultDraw{{0.2, 1.0}, 4, 0}};
    chip.tile.wires.word_line_segment = 20;
    chip.tile.wires.sense = 30;
    for (const bool has_amplifiers : {false, true}) {
        if (has_amplifiers) {
            chip.readout = LinearReadout{};
            chip.readout->circuit.amplifier.gain = 50;  // an input resistance to be seen
        }
        const auto drawn = extract_operators(graph, chip, transfer);
        auto given = std::make_shared<GivenArrays>();
        const TilePlace place{0, 1, 0};
        const std::string layer = graph.layer_name(1);
        given->set(
            {layer, place.row, place.column, place.slice},
            Tile(weight_block(graph, 1, chip.tile, place.row, place.column), chip.tile, chip.faults)
                .arrays());
        ChipSettings with_given = chip;
        with_given.given = given;
        const auto same = extract_operators(graph, with_given, transfer);
        with_given.faults.reset();
        const auto designed = extract_operators(graph, with_given, transfer);
        const auto places = tile_places(tile_layer(graph, 1, chip.tile));
        for (std::size_t i = 0; i < places.size(); ++i) {
            CHECK(same[1].tiles[i].weights == drawn[1].tiles[i].weights);
            CHECK(same[1].tiles[i].offset == drawn[1].tiles[i].offset);
            if (places[i] == place)
                CHECK(designed[1].tiles[i].weights == drawn[1].tiles[i].weights);
        }
    }
}
