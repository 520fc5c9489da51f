#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "circuit/error.hpp"
#include "data/crossbar_file.hpp"
#include "nn/tiling.hpp"
#include "tools/commands.hpp"
#include "tools/network_input.hpp"
#include "tools/output.hpp"

namespace kirchnet {
namespace {

struct Counts {
    std::size_t cells = 0;
    std::size_t stuck_off = 0;
    std::size_t stuck_on = 0;
    std::size_t open = 0;

    void count(Fault fault) {
        ++cells;
        stuck_off += fault == Fault::stuck_off ? 1 : 0;
        stuck_on += fault == Fault::stuck_on ? 1 : 0;
        open += fault == Fault::open ? 1 : 0;
    }
    void add(const Counts& other) {
        cells += other.cells;
        stuck_off += other.stuck_off;
        stuck_on += other.stuck_on;
        open += other.open;
    }
};

/// Walks every cell of a tile, recording its faults.
Counts record_tile(const Tile& tile, FaultMap& map) {
    Counts counts;
    for (const Crossbar& array : tile.arrays())
        for (Index r = 0; r < array.shape().word_lines; ++r)
            for (Index c = 0; c < array.shape().bit_lines; ++c) {
                const CellMeaning cell = tile.meaning({polarity_of(array.pattern(), c), r, c});
                map.set(tile.block().layer, cell.identity, cell.fault);
                counts.count(cell.fault);
            }
    return counts;
}

Counts record_layer(const Graph& graph, std::size_t layer, const TileSettings& settings,
                    const FaultSource& source, FaultMap& map) {
    Counts counts;
    const LayerTiling tiling = tile_layer(graph, layer, settings);
    for (const TilePlace& place : tile_places(tiling))
        counts.add(record_tile(
            Tile(weight_block(graph, layer, settings, place.row, place.column, place.slice),
                 settings, source),
            map));
    return counts;
}

std::vector<std::string> table_row(const std::string& name, const Counts& counts) {
    return {name, fmt::to_string(counts.cells), fmt::to_string(counts.stuck_off),
            fmt::to_string(counts.stuck_on), fmt::to_string(counts.open)};
}

std::string describe_origin(const Experiment& e) {
    if (!e.fault_map.empty()) return "copied from " + e.fault_map;
    return fmt::format("rate {} per cell, stuck-on : stuck-off = {}, seed {}, trial {}",
                       e.fault_law.rate, e.fault_law.stuck_on_per_off, e.seed, e.trial);
}

}  // namespace

int run_faults(const FaultsArguments& arguments) {
    const Experiment experiment = make_experiment(arguments.experiment, arguments.settings);
    const auto source = experiment.fault_source();
    if (!source) throw InvalidInput("--fault-rate", "give a rate above 0, or a map with --faults");
    const Graph graph = load_graph(experiment);
    const TileSettings settings =
        experiment.tile_settings(choose_mapping(arguments.mapping, experiment));

    FaultMap map;
    Counts total;
    TextTable table({"layer", "cells", "stuck-off", "stuck-on", "open"});
    for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) {
        const Counts counts = record_layer(graph, layer, settings, *source, map);
        table.add(table_row(graph.layer_name(layer), counts));
        total.add(counts);
    }
    table.add(table_row("total", total));
    if (!arguments.out.empty()) write_fault_map(arguments.out, map, describe_origin(experiment));
    if (arguments.json)
        print_json({{"cells", total.cells},
                    {"stuck_off", total.stuck_off},
                    {"stuck_on", total.stuck_on},
                    {"open", total.open},
                    {"file", arguments.out}});
    else
        print_text(table.markdown());
    return 0;
}

}  // namespace kirchnet
