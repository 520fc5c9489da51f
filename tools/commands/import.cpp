#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "data/network_file.hpp"
#include "nn/tiling.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace kirchnet {
namespace {

std::size_t count_zeros(const Tensor& tensor) {
    return static_cast<std::size_t>(std::count(tensor.values.begin(), tensor.values.end(), 0.0F));
}

struct LayerSummary {
    std::string name;
    std::string shape;
    std::size_t weights;
    std::size_t zeros;
    Index tiles;
    double utilisation;  ///< share of the tiles' cells that hold a weight
};

LayerSummary summarize(const Graph& graph, std::size_t layer, const TileSettings& settings) {
    const Tensor& weights = graph.weights(layer);
    const LayerTiling tiling = tile_layer(graph, layer, settings);
    const auto cells = static_cast<double>(tiling.tiles() * settings.array.cells());
    return {
        graph.layer_name(layer),
        fmt::format("{}", fmt::join(weights.shape, "x")),
        weights.values.size(),
        count_zeros(weights),
        tiling.tiles(),
        static_cast<double>(weights.values.size()) * static_cast<double>(tiling.slices) / cells};
}

std::string summary_table(const std::vector<LayerSummary>& layers, const ArrayShape& array) {
    TextTable table({"layer", "weight shape", "weights", "zeros",
                     fmt::format("{} tiles", to_string(array)), "cells used"});
    LayerSummary total{"total", "", 0, 0, 0, 0};
    double used_cells = 0;
    for (const auto& layer : layers) {
        table.add({layer.name, layer.shape, fmt::to_string(layer.weights),
                   fmt::format("{:.1f} %", 100.0 * static_cast<double>(layer.zeros) /
                                               static_cast<double>(layer.weights)),
                   fmt::to_string(layer.tiles), fmt::format("{:.0f} %", 100 * layer.utilisation)});
        total.weights += layer.weights;
        total.zeros += layer.zeros;
        total.tiles += layer.tiles;
        used_cells += layer.utilisation * static_cast<double>(layer.tiles * array.cells());
    }
    const double cells = static_cast<double>(total.tiles * array.cells());
    table.add({total.name, "", fmt::to_string(total.weights),
               fmt::format("{:.1f} %", 100.0 * static_cast<double>(total.zeros) /
                                           static_cast<double>(total.weights)),
               fmt::to_string(total.tiles), fmt::format("{:.0f} %", 100 * used_cells / cells)});
    return table.markdown();
}

nlohmann::json to_json(const LayerSummary& layer) {
    return {{"layer", layer.name},      {"weight_shape", layer.shape},
            {"weights", layer.weights}, {"zeros", layer.zeros},
            {"tiles", layer.tiles},     {"utilisation", layer.utilisation}};
}

}  // namespace

int run_import(const ImportArguments& arguments) {
    TileSettings settings;
    settings.array = parse_array_shape(arguments.array);
    settings.bits_per_cell = arguments.bits_per_cell;
    (void)slice_count(settings);
    Network network = is_network_file(arguments.source) ? read_network(arguments.source)
                                                        : import_state_dict(arguments.source);
    prune_by_magnitude(network, arguments.prune);
    if (arguments.prune > 0)
        network.provenance["pruning"] =
            fmt::format("magnitude, {} of each mapped layer", arguments.prune);
    const Graph graph(network);
    write_network(arguments.out, network);

    std::vector<LayerSummary> layers;
    for (std::size_t layer = 0; layer < graph.layers().size(); ++layer)
        layers.push_back(summarize(graph, layer, settings));
    if (arguments.json) {
        auto list = nlohmann::json::array();
        for (const auto& layer : layers) list.push_back(to_json(layer));
        print_json({{"network", network.name}, {"file", arguments.out}, {"layers", list}});
        return 0;
    }
    print_text(fmt::format("{}: {} ({} nodes, {} mapped layers, {} classes)\n\n{}", arguments.out,
                           network.name, graph.size(), layers.size(), graph.classes(),
                           summary_table(layers, settings.array)));
    return 0;
}

}  // namespace kirchnet
