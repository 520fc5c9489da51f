#pragma once

#include "circuit/tile.hpp"
#include "nn/graph.hpp"

namespace kirchnet {

/// How one layer's weight matrix is cut into tiles. Groups lie side by side as tile columns, or as
/// many as fit on the diagonal of one tile.
struct LayerTiling {
    std::string layer;
    double scale = 1;        ///< max|W| of the layer; 1 for a layer of zeros
    Index row_tiles = 0;     ///< tiles along the inputs of one group
    Index column_tiles = 0;  ///< tiles along the outputs of all groups
    Index groups = 1;
    Index groups_per_tile = 1;  ///< the last tile may hold fewer

    [[nodiscard]] Index tiles() const { return row_tiles * column_tiles; }
};

LayerTiling tile_layer(const Graph& graph, std::size_t layer, const TileSettings& settings);

/// The weights tile (row, column) of a layer holds, normalised by the layer's scale.
/// @throws InvalidInput  when the layer has no such tile, saying how many there are
WeightBlock weight_block(const Graph& graph, std::size_t layer, const TileSettings& settings,
                         Index tile_row, Index tile_column);

}  // namespace kirchnet
