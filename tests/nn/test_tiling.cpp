#include <doctest/doctest.h>

#include "circuit/error.hpp"
#include "nn/tiling.hpp"
#include "small_networks.hpp"

using namespace kirchnet;

namespace {

TileSettings settings(Index word_lines, Index bit_lines) {
    TileSettings tile;
    tile.array = {word_lines, bit_lines};
    return tile;
}

}  // namespace

TEST_CASE("a layer of 12 rows and 4 outputs on 5 x 3 arrays needs 3 x 2 tiles") {
    const Graph graph(test::small_network());
    const auto tiling = tile_layer(graph, 0, settings(5, 3));
    CHECK(tiling.row_tiles == 3);
    CHECK(tiling.column_tiles == 2);
}

TEST_CASE("interleaved pairs halve the outputs per array") {
    const Graph graph(test::small_network());
    auto tile = settings(5, 4);
    tile.layout = Layout::interleaved;
    CHECK(tile_layer(graph, 0, tile).column_tiles == 2);
    tile.mapping = Mapping::offset;  // has no pairs to interleave
    CHECK(tile_layer(graph, 0, tile).column_tiles == 1);
}

TEST_CASE("every weight lies in exactly one tile, at the address its cell claims") {
    const Graph graph(test::small_network());
    TileSettings tile;
    SUBCASE("groups apart") {
        tile = settings(5, 3);
    }
    SUBCASE("groups on one diagonal") {
        tile = settings(9, 7);
    }
    for (std::size_t layer = 0; layer < 3; ++layer) {
        const auto tiling = tile_layer(graph, layer, tile);
        const auto geometry = graph.geometry(layer);
        const auto& values = graph.weights(layer).values;
        std::vector<int> seen(values.size(), 0);
        const std::size_t channels = geometry.input.channels / geometry.groups;
        for (Index row = 0; row < tiling.row_tiles; ++row)
            for (Index column = 0; column < tiling.column_tiles; ++column) {
                const auto block = weight_block(graph, layer, tile, row, column);
                for (Index r = 0; r < block.weights.rows(); ++r)
                    for (Index j = 0; j < block.weights.cols(); ++j) {
                        if (!block.holds(r, j)) {
                            CHECK(block.weights(r, j) == 0);
                            continue;
                        }
                        const auto& at = block.inputs[static_cast<std::size_t>(r)];
                        const auto oc = static_cast<std::size_t>(block.first_output_channel + j);
                        // PyTorch: [oc][ic within the group][ky][kx]
                        const auto flat = ((oc * channels +
                                            static_cast<std::size_t>(at.input_channel) % channels) *
                                               geometry.kernel_height +
                                           static_cast<std::size_t>(at.kernel_y)) *
                                              geometry.kernel_width +
                                          static_cast<std::size_t>(at.kernel_x);
                        ++seen[flat];
                        CHECK(block.weights(r, j) * tiling.scale ==
                              doctest::Approx(values[flat]).epsilon(1e-12));
                    }
            }
        for (const int count : seen) CHECK(count == 1);
    }
}

TEST_CASE("the second group's inputs are the second half of the channels") {
    const Graph graph(test::small_network());
    TileSettings tile = settings(8, 8);
    tile.groups = Groups::separate;
    CHECK(tile_layer(graph, 1, tile).column_tiles == 2);
    const auto block = weight_block(graph, 1, tile, 0, 1);
    CHECK(block.first_output_channel == 3);
    CHECK(block.inputs.front() == KernelPosition{2, 0, 0});
}

TEST_CASE("groups share a tile while their rows and outputs fit") {
    const Graph graph(test::small_network());  // layer 1: two groups of 4 rows and 3 outputs
    CHECK(tile_layer(graph, 1, settings(8, 6)).groups_per_tile == 2);
    CHECK(tile_layer(graph, 1, settings(8, 6)).tiles() == 1);
    CHECK(tile_layer(graph, 1, settings(7, 6)).groups_per_tile == 1);
    CHECK(tile_layer(graph, 1, settings(8, 5)).groups_per_tile == 1);
    CHECK(tile_layer(graph, 1, settings(8, 5)).tiles() == 2);
    const auto block = weight_block(graph, 1, settings(8, 6), 0, 0);
    CHECK(block.groups == 2);
    CHECK(block.inputs[3] == KernelPosition{1, 0, 1});
    CHECK(block.inputs[4] == KernelPosition{2, 0, 0});
    CHECK(block.holds(3, 2));
    CHECK_FALSE(block.holds(3, 3));
    CHECK_FALSE(block.holds(4, 2));
    CHECK(block.holds(4, 3));
    CHECK_FALSE(block.holds(8, 5));
}

TEST_CASE("cells between groups rest at HRS and count as padding") {
    const Graph graph(test::small_network());
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential}) {
        TileSettings how = settings(9, 7);
        how.mapping = mapping;
        const Tile tile(weight_block(graph, 1, how, 0, 0), how);
        const CellMeaning between = tile.meaning({Polarity::a, 1, 4});
        CHECK_FALSE(between.weight.has_value());
        CHECK(between.conductance == how.device.off);
        CHECK(std::get<PaddingCell>(between.identity).word_line == 1);
        const CellMeaning own = tile.meaning({Polarity::a, 5, 4});
        CHECK(std::get<CellAddress>(own.identity).output_channel == 4);
        CHECK(std::get<CellAddress>(own.identity).input_channel == 2);
    }
}

TEST_CASE("a layer of zeros has scale 1") {
    Network network = test::small_network();
    auto& conv = std::get<ConvOp>(network.nodes[1].operation);
    conv.weight.values.assign(conv.weight.values.size(), 0.0F);
    CHECK(tile_layer(Graph(network), 0, settings(8, 8)).scale == 1);
}

TEST_CASE("a layer fills the share of its tiles' room that its weights take") {
    // Layer 0 is 4 outputs of 12 rows: 3 x 2 tiles of 5 word lines and 3 outputs have room for 90.
    const Graph graph(test::small_network());
    const TileUse use = tile_use(graph, 0, settings(5, 3));
    CHECK(use.tiles == 6);
    CHECK(use.weights == 48);
    CHECK(use.share() == doctest::Approx(48.0 / 90));
}

TEST_CASE("a tile outside the layer is refused, saying how many there are") {
    const Graph graph(test::small_network());
    CHECK_THROWS_WITH_AS((void)weight_block(graph, 0, settings(5, 3), 3, 0),
                         doctest::Contains("3 x 2 tiles"), InvalidInput);
    CHECK_THROWS_AS((void)weight_block(graph, 0, settings(5, 3), -1, 0), InvalidInput);
}
