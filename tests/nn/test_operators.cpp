#include <doctest/doctest.h>
#include <tbb/global_control.h>

#include <cmath>

#include "circuit/ideal_solver.hpp"
#include "nn/operators.hpp"
#include "nn/tiling.hpp"
#include "small_networks.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;

namespace {

const SolverFactory ideal = [] { return std::make_unique<IdealSolver>(); };
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
    const SolverFactory transfer = [] { return std::make_unique<TransferSolver>(); };
    const auto many = extract_operators(graph, tile, std::nullopt, transfer);
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    const auto alone = extract_operators(graph, tile, std::nullopt, transfer);
    REQUIRE(many.size() == alone.size());
    for (std::size_t layer = 0; layer < many.size(); ++layer)
        for (std::size_t i = 0; i < many[layer].tiles.size(); ++i)
            CHECK(many[layer].tiles[i].weights == alone[layer].tiles[i].weights);
}
