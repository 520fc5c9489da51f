#pragma once

#include "circuit/tile.hpp"
#include "nn/graph.hpp"

namespace kirchnet {

/// How one layer's weight matrix is cut into tiles. Groups lie side by side as tile columns.
struct LayerTiling {
    std::string layer;
    double scale = 1;        ///< max|W| of the layer; 1 for a layer of zeros
    Index row_tiles = 0;     ///< tiles along the inputs of one group
    Index column_tiles = 0;  ///< tiles along the outputs of all groups
    Index groups = 1;

    [[nodiscard]] Index tiles() const { return row_tiles * column_tiles; }
    [[nodiscard]] Index column_tiles_per_group() const { return column_tiles / groups; }
};

LayerTiling tile_layer(const Graph& graph, std::size_t layer, const TileSettings& settings);

/// How much of its tiles a layer fills.
struct TileUse {
    std::size_t tiles = 0;
    std::size_t weights = 0;           ///< in all tiles together
    std::size_t weights_per_tile = 0;  ///< there is room for: word lines × outputs

    /// 0 to 1.
    [[nodiscard]] double share() const {
        return tiles == 0
                   ? 0
                   : static_cast<double>(weights) / static_cast<double>(tiles * weights_per_tile);
    }
};

TileUse tile_use(const Graph& graph, std::size_t layer, const TileSettings& settings);

/// The weights tile (row, column) of a layer holds, normalised by the layer's scale.
/// @throws InvalidInput  when the layer has no such tile, saying how many there are
WeightBlock weight_block(const Graph& graph, std::size_t layer, const TileSettings& settings,
                         Index tile_row, Index tile_column);

}  // namespace kirchnet
