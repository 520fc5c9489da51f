#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include "circuit/layer.hpp"
#include "tests/netlists/example_tile.hpp"

namespace kirchnet_test {

/// A layer of six inputs on two rows and two columns of tiles, which have two outputs each; of
/// sliced weights, every slice.
/// @param last_outputs  of the second column's tiles, 1 or 2
inline std::vector<kirchnet::LayerTile> example_layer(
    const kirchnet::TileSettings& settings, kirchnet::Index last_outputs = 1,
    const std::optional<kirchnet::FaultSource>& faults = {}) {
    using kirchnet::Index;
    std::vector<kirchnet::LayerTile> tiles;
    for (Index row = 0; row < 2; ++row)
        for (Index column = 0; column < 2; ++column)
            for (int slice = 0; slice < kirchnet::slice_count(settings); ++slice) {
                kirchnet::WeightBlock block;
                block.layer = "conv";
                block.tile_row = row;
                block.tile_column = column;
                block.slice = slice;
                block.first_output_channel = 2 * column;
                block.weights.resize(3, column == 0 ? 2 : last_outputs);
                for (Index r = 0; r < 3; ++r) {
                    block.inputs.push_back({static_cast<std::int32_t>(3 * row + r), 0, 0});
                    for (Index j = 0; j < block.weights.cols(); ++j)
                        block.weights(r, j) =
                            std::cos(static_cast<double>(5 * r + 3 * j + 7 * row + 11 * column));
                }
                const Eigen::Vector3d inputs = example_inputs * (row == 0 ? 1 : -0.6);
                tiles.push_back({kirchnet::Tile(block, settings, faults), inputs});
            }
    return tiles;
}

}  // namespace kirchnet_test
