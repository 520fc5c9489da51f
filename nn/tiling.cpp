#include "nn/tiling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

Index ceil_divide(std::size_t amount, Index part) {
    return (static_cast<Index>(amount) + part - 1) / part;
}

double largest_magnitude(const Tensor& weights) {
    float largest = 0;
    for (const float weight : weights.values) largest = std::max(largest, std::abs(weight));
    return largest > 0 ? static_cast<double>(largest) : 1.0;
}

KernelPosition kernel_position(const LayerGeometry& geometry, std::size_t group, std::size_t row) {
    const std::size_t pixels = geometry.kernel_height * geometry.kernel_width;
    const std::size_t channels = geometry.input.channels / geometry.groups;
    const auto int32 = [](std::size_t value) { return static_cast<std::int32_t>(value); };
    return {int32(group * channels + row / pixels), int32(row % pixels / geometry.kernel_width),
            int32(row % geometry.kernel_width)};
}

/// Whole groups that fit on the diagonal of one tile; 1 where they stay apart.
Index groups_per_tile(const LayerGeometry& geometry, const TileSettings& settings) {
    if (settings.groups == Groups::separate) return 1;
    const auto rows = static_cast<Index>(geometry.rows_per_group());
    const auto outputs = static_cast<Index>(geometry.outputs_per_group());
    const Index fit =
        std::min(settings.array.word_lines / rows, outputs_per_tile(settings) / outputs);
    return std::clamp(fit, Index{1}, static_cast<Index>(geometry.groups));
}

/// What a tile holds of a layer: from each of its groups the same rows and outputs.
struct BlockPlace {
    Index first_group;
    Index groups;
    Index first_row;  ///< within a group, as the next three
    Index rows;
    Index first_output;
    Index outputs;
};

BlockPlace place_of(const LayerGeometry& geometry, const LayerTiling& tiling,
                    const TileSettings& settings, Index tile_row, Index tile_column) {
    const auto rows = static_cast<Index>(geometry.rows_per_group());
    const auto outputs = static_cast<Index>(geometry.outputs_per_group());
    if (tiling.groups_per_tile > 1) {
        const Index first = tile_column * tiling.groups_per_tile;
        return {first,  std::min(tiling.groups_per_tile, tiling.groups - first), 0, rows, 0,
                outputs};
    }
    const Index columns_per_group = tiling.column_tiles / tiling.groups;
    const Index first_row = tile_row * settings.array.word_lines;
    const Index first_output = tile_column % columns_per_group * outputs_per_tile(settings);
    return {tile_column / columns_per_group,
            1,
            first_row,
            std::min(settings.array.word_lines, rows - first_row),
            first_output,
            std::min(outputs_per_tile(settings), outputs - first_output)};
}

}  // namespace

LayerTiling tile_layer(const Graph& graph, std::size_t layer, const TileSettings& settings) {
    const LayerGeometry geometry = graph.geometry(layer);
    LayerTiling tiling;
    tiling.layer = graph.layer_name(layer);
    tiling.scale = largest_magnitude(graph.weights(layer));
    tiling.groups = static_cast<Index>(geometry.groups);
    tiling.row_tiles = ceil_divide(geometry.rows_per_group(), settings.array.word_lines);
    tiling.groups_per_tile = groups_per_tile(geometry, settings);
    tiling.column_tiles =
        tiling.groups_per_tile > 1
            ? ceil_divide(geometry.groups, tiling.groups_per_tile)
            : tiling.groups * ceil_divide(geometry.outputs_per_group(), outputs_per_tile(settings));
    tiling.slices = slice_count(settings);
    return tiling;
}

std::vector<TilePlace> tile_places(const LayerTiling& tiling) {
    std::vector<TilePlace> places;
    for (int slice = 0; slice < tiling.slices; ++slice)
        for (Index column = 0; column < tiling.column_tiles; ++column)
            for (Index row = 0; row < tiling.row_tiles; ++row)
                places.push_back({row, column, slice});
    return places;
}

std::string to_string(const TilePlace& place, const TileSettings& settings) {
    const std::string text = fmt::format("{},{}", place.row, place.column);
    return settings.bits_per_cell == 0 ? text : fmt::format("{} slice {}", text, place.slice);
}

TileUse tile_use(const Graph& graph, std::size_t layer, const TileSettings& settings) {
    const LayerTiling tiling = tile_layer(graph, layer, settings);
    return {static_cast<std::size_t>(tiling.tiles()),
            graph.weights(layer).values.size() * static_cast<std::size_t>(tiling.slices),
            static_cast<std::size_t>(settings.array.word_lines * outputs_per_tile(settings))};
}

WeightBlock weight_block(const Graph& graph, std::size_t layer, const TileSettings& settings,
                         Index tile_row, Index tile_column, int slice) {
    const LayerTiling tiling = tile_layer(graph, layer, settings);
    if (slice < 0 || slice >= tiling.slices)
        throw InvalidInput(
            fmt::format("slice {} of layer {}", slice, tiling.layer),
            fmt::format("weights have {} slice{}", tiling.slices, tiling.slices == 1 ? "" : "s"));
    if (tile_row < 0 || tile_row >= tiling.row_tiles || tile_column < 0 ||
        tile_column >= tiling.column_tiles)
        throw InvalidInput(
            fmt::format("tile {},{} of layer {}", tile_row, tile_column, tiling.layer),
            fmt::format("the layer has {} x {} tiles (rows 0 to {}, columns 0 to {})",
                        tiling.row_tiles, tiling.column_tiles, tiling.row_tiles - 1,
                        tiling.column_tiles - 1));
    const LayerGeometry geometry = graph.geometry(layer);
    const BlockPlace place = place_of(geometry, tiling, settings, tile_row, tile_column);
    const auto rows_per_group = static_cast<Index>(geometry.rows_per_group());
    const auto outputs_per_group = static_cast<Index>(geometry.outputs_per_group());

    WeightBlock block;
    block.layer = tiling.layer;
    block.tile_row = tile_row;
    block.tile_column = tile_column;
    block.slice = slice;
    block.first_output_channel = place.first_group * outputs_per_group + place.first_output;
    block.groups = place.groups;
    block.weights.setZero(place.groups * place.rows, place.groups * place.outputs);
    const auto& values = graph.weights(layer).values;
    for (Index g = 0; g < place.groups; ++g)
        for (Index r = 0; r < place.rows; ++r) {
            const Index group = place.first_group + g;
            block.inputs.push_back(kernel_position(geometry, static_cast<std::size_t>(group),
                                                   static_cast<std::size_t>(place.first_row + r)));
            for (Index j = 0; j < place.outputs; ++j) {
                const Index output = group * outputs_per_group + place.first_output + j;
                const Index flat = output * rows_per_group + place.first_row + r;
                block.weights(g * place.rows + r, g * place.outputs + j) =
                    static_cast<double>(values[static_cast<std::size_t>(flat)]) / tiling.scale;
            }
        }
    return block;
}

}  // namespace kirchnet
