#pragma once

#include <string>
#include <vector>

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
    Index slices = 1;           ///< digits of the weights, each in tiles of its own

    [[nodiscard]] Index tiles() const { return row_tiles * column_tiles * slices; }
};

/// Where a tile sits within its layer.
struct TilePlace {
    Index row = 0;
    Index column = 0;
    int slice = 0;

    friend bool operator==(const TilePlace&, const TilePlace&) = default;
};

/// All places of a layer in the order of its operators: rows fastest, then columns, then slices.
std::vector<TilePlace> tile_places(const LayerTiling& tiling);

/// `0,1`, and where weights are sliced `0,1 slice 2`.
std::string to_string(const TilePlace& place, const TileSettings& settings);

/// @throws InvalidInput  when weights cannot be cut into such slices
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
/// @param slice  which digit of them its cells hold
/// @throws InvalidInput  when the layer has no such tile, saying how many there are
WeightBlock weight_block(const Graph& graph, std::size_t layer, const TileSettings& settings,
                         Index tile_row, Index tile_column, int slice = 0);

}  // namespace kirchnet
