#include "data/import.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "circuit/error.hpp"
#include "data/image_shape.hpp"
#include "data/network_file.hpp"
#include "data/pruning.hpp"
#include "nn/tiling.hpp"
#include "tools/commands/commands.hpp"
#include "tools/output/output.hpp"

namespace kirchnet {
namespace {

std::size_t count_zeros(const Tensor& tensor) {
    return static_cast<std::size_t>(std::count(tensor.values.begin(), tensor.values.end(), 0.0F));
}

struct LayerSummary {
    std::string name;
    std::string shape = {};
    std::string output = {};  ///< channels, height and width
    std::size_t weights = 0;
    std::size_t zeros = 0;
    std::size_t products = 0;  ///< of weights and inputs, per image
    Index tiles = 0;
    double utilisation = 0;  ///< share of the tiles' cells that hold a weight
};

LayerSummary summarize(const Graph& graph, std::size_t layer, const TileSettings& settings) {
    const Tensor& weights = graph.weights(layer);
    const LayerTiling tiling = tile_layer(graph, layer, settings);
    const auto cells = static_cast<double>(tiling.tiles() * settings.array.cells());
    const LayerGeometry geometry = graph.geometry(layer);
    const ImageShape& output = geometry.output;
    const std::size_t count = weights.values.size();
    return {.name = graph.layer_name(layer),
            .shape = fmt::format("{}", fmt::join(weights.shape, "x")),
            .output = fmt::format("{}x{}x{}", output.channels, output.height, output.width),
            .weights = count,
            .zeros = count_zeros(weights),
            .products = count * geometry.positions(),
            .tiles = tiling.tiles(),
            .utilisation = static_cast<double>(count) * static_cast<double>(tiling.slices) / cells};
}

std::vector<std::string> table_row(const LayerSummary& layer) {
    const double zeros = static_cast<double>(layer.zeros) / static_cast<double>(layer.weights);
    return {layer.name,
            layer.shape,
            layer.output,
            fmt::to_string(layer.weights),
            fmt::format("{:.1f} %", 100 * zeros),
            fmt::format("{:.3f}", 1e-6 * static_cast<double>(layer.products)),
            fmt::to_string(layer.tiles),
            fmt::format("{:.0f} %", 100 * layer.utilisation)};
}

std::string summary_table(const std::vector<LayerSummary>& layers, const ArrayShape& array) {
    TextTable table({"layer", "weight shape", "output", "weights", "zeros", "million MACs",
                     fmt::format("{} tiles", to_string(array)), "cells used"});
    LayerSummary total{.name = "total"};
    double used_cells = 0;
    for (const auto& layer : layers) {
        table.add(table_row(layer));
        total.weights += layer.weights;
        total.zeros += layer.zeros;
        total.products += layer.products;
        total.tiles += layer.tiles;
        used_cells += layer.utilisation * static_cast<double>(layer.tiles * array.cells());
    }
    total.utilisation = used_cells / static_cast<double>(total.tiles * array.cells());
    table.add(table_row(total));
    return table.markdown();
}

/// What the file left open or had to be converted, for the user to check.
std::string notes(const Network& network) {
    std::string text;
    for (const auto& [key, value] : network.provenance)
        for (const char* kind : {"assumed_", "converted_", "dropped_"})
            if (key.starts_with(kind)) text += fmt::format("note: {}: {}\n", key, value);
    return text.empty() ? text : text + "\n";
}

nlohmann::json to_json(const LayerSummary& layer) {
    return {{"layer", layer.name},    {"weight_shape", layer.shape},
            {"output", layer.output}, {"weights", layer.weights},
            {"zeros", layer.zeros},   {"macs", layer.products},
            {"tiles", layer.tiles},   {"utilisation", layer.utilisation}};
}

ImportOptions import_options(const ImportArguments& arguments) {
    ImportOptions options{.mean = arguments.mean, .deviation = arguments.deviation, .input = {}};
    if (!arguments.input.empty()) options.input = parse_image_shape(arguments.input);
    return options;
}

Network load_network(const ImportArguments& arguments) {
    const bool has_options =
        !arguments.mean.empty() || !arguments.deviation.empty() || !arguments.input.empty();
    if (!arguments.cfg.empty()) {
        if (has_options)
            throw InvalidInput("--mean, --std and --input",
                               "do not go with --cfg: a Darknet network's input is in its "
                               "configuration");
        return import_darknet(arguments.cfg, arguments.source);
    }
    if (!is_network_file(arguments.source))
        return import_network(arguments.source, import_options(arguments));
    if (has_options)
        throw InvalidInput(arguments.source,
                           "is a network file, which has its normalisation and input shape: "
                           "--mean, --std and --input are for files of other programs");
    return read_network(arguments.source);
}

}  // namespace

int run_import(const ImportArguments& arguments) {
    TileSettings settings;
    settings.array = parse_array_shape(arguments.array);
    settings.bits_per_cell = arguments.bits_per_cell;
    (void)slice_count(settings);
    Network network = load_network(arguments);
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
        print_json({{"network", network.name},
                    {"file", arguments.out},
                    {"provenance", network.provenance},
                    {"layers", list}});
        return 0;
    }
    print_text(fmt::format("{}: {} ({} nodes, {} mapped layers, {} classes)\n{}\n{}", arguments.out,
                           network.name, graph.size(), layers.size(), graph.classes(),
                           notes(network), summary_table(layers, settings.array)));
    return 0;
}

}  // namespace kirchnet
