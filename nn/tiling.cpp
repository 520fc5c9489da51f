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

}  // namespace

LayerTiling tile_layer(const Graph& graph, std::size_t layer, const TileSettings& settings) {
    const LayerGeometry geometry = graph.geometry(layer);
    LayerTiling tiling;
    tiling.layer = graph.layer_name(layer);
    tiling.scale = largest_magnitude(graph.weights(layer));
    tiling.groups = static_cast<Index>(geometry.groups);
    tiling.row_tiles = ceil_divide(geometry.rows_per_group(), settings.array.word_lines);
    tiling.column_tiles =
        tiling.groups * ceil_divide(geometry.outputs_per_group(), outputs_per_tile(settings));
    return tiling;
}

TileUse tile_use(const Graph& graph, std::size_t layer, const TileSettings& settings) {
    return {static_cast<std::size_t>(tile_layer(graph, layer, settings).tiles()),
            graph.weights(layer).values.size(),
            static_cast<std::size_t>(settings.array.word_lines * outputs_per_tile(settings))};
}

WeightBlock weight_block(const Graph& graph, std::size_t layer, const TileSettings& settings,
                         Index tile_row, Index tile_column) {
    const LayerTiling tiling = tile_layer(graph, layer, settings);
    if (tile_row < 0 || tile_row >= tiling.row_tiles || tile_column < 0 ||
        tile_column >= tiling.column_tiles)
        throw InvalidInput(
            fmt::format("tile {},{} of layer {}", tile_row, tile_column, tiling.layer),
            fmt::format("the layer has {} x {} tiles (rows 0 to {}, columns 0 to {})",
                        tiling.row_tiles, tiling.column_tiles, tiling.row_tiles - 1,
                        tiling.column_tiles - 1));
    const LayerGeometry geometry = graph.geometry(layer);
    const auto rows = static_cast<Index>(geometry.rows_per_group());
    const auto outputs = static_cast<Index>(geometry.outputs_per_group());
    const Index group = tile_column / tiling.column_tiles_per_group();
    const Index first_row = tile_row * settings.array.word_lines;
    const Index first_output =
        tile_column % tiling.column_tiles_per_group() * outputs_per_tile(settings);

    WeightBlock block;
    block.layer = tiling.layer;
    block.tile_row = tile_row;
    block.tile_column = tile_column;
    block.first_output_channel = group * outputs + first_output;
    block.weights.resize(std::min(settings.array.word_lines, rows - first_row),
                         std::min(outputs_per_tile(settings), outputs - first_output));
    const auto& values = graph.weights(layer).values;
    for (Index r = 0; r < block.weights.rows(); ++r) {
        block.inputs.push_back(kernel_position(geometry, static_cast<std::size_t>(group),
                                               static_cast<std::size_t>(first_row + r)));
        for (Index j = 0; j < block.weights.cols(); ++j) {
            const Index flat = (block.first_output_channel + j) * rows + first_row + r;
            block.weights(r, j) =
                static_cast<double>(values[static_cast<std::size_t>(flat)]) / tiling.scale;
        }
    }
    return block;
}

}  // namespace kirchnet
