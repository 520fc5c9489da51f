// What the amplifiers behind the columns meet before anything is subtracted.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "nn/calibration.hpp"
#include "nn/common_mode.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/engines.hpp"
#include "tools/input/network_input.hpp"
#include "tools/output/output.hpp"
#include "tools/output/progress.hpp"

namespace kirchnet {
namespace {

constexpr std::size_t default_images = 10;

struct MappingCommonMode {
    Mapping mapping;
    std::vector<LayerCommonMode> layers;
};

/// All layers of a mapping in one.
LayerCommonMode whole(const std::vector<LayerCommonMode>& layers) {
    LayerCommonMode total;
    double side = 0;
    double difference = 0;
    for (const LayerCommonMode& layer : layers) {
        const auto columns = static_cast<double>(layer.columns);
        side += columns * layer.side_rms * layer.side_rms;
        difference += columns * layer.difference_rms * layer.difference_rms;
        total.columns += layer.columns;
        total.saturated += layer.saturated;
        total.largest_side = std::max(total.largest_side, layer.largest_side);
        total.largest_difference = std::max(total.largest_difference, layer.largest_difference);
    }
    total.side_rms = std::sqrt(side / static_cast<double>(total.columns));
    total.difference_rms = std::sqrt(difference / static_cast<double>(total.columns));
    return total;
}

double most_swing(const std::vector<LayerCommonMode>& layers, double swing) {
    double most = 0;
    for (const LayerCommonMode& layer : layers) most = std::max(most, layer.swing_used(swing));
    return most;
}

std::string ratio_text(const LayerCommonMode& layer) {
    return layer.difference_rms > 0 ? fmt::format("{:.1f}", layer.side_rms / layer.difference_rms)
                                    : std::string();
}

std::vector<std::string> row_of(const std::string& name, const LayerCommonMode& layer,
                                const std::string& feedback, double swing_used) {
    return {name,
            fmt::to_string(layer.columns),
            format_quantity(layer.side_rms, "A"),
            format_quantity(layer.difference_rms, "A"),
            ratio_text(layer),
            format_quantity(layer.largest_side, "A"),
            format_quantity(layer.largest_difference, "A"),
            feedback,
            fmt::format("{:.1f}", 100 * swing_used),
            fmt::to_string(layer.saturated)};
}

const std::vector<std::string> titles{"columns", "a column, rms",  "difference, rms",
                                      "ratio",   "largest column", "largest difference",
                                      "R_f",     "swing used [%]", "saturated columns"};

TextTable table_of(const std::string& first) {
    std::vector<std::string> all{first};
    all.insert(all.end(), titles.begin(), titles.end());
    return TextTable(all);
}

std::string report_text(const Graph& graph, const std::vector<MappingCommonMode>& mappings,
                        const LinearReadout& readout, std::size_t images, std::size_t strongest) {
    const double swing = readout.circuit.amplifier.swing;
    TextTable summary = table_of("mapping");
    std::string layers;
    for (const MappingCommonMode& of : mappings) {
        summary.add(row_of(std::string(to_string(of.mapping)), whole(of.layers), "",
                           most_swing(of.layers, swing)));
        TextTable table = table_of("layer");
        for (const LayerCommonMode& layer : of.layers)
            table.add(row_of(graph.layer_name(layer.layer), layer,
                             format_quantity(layer.feedback, "ohm"), layer.swing_used(swing)));
        layers += fmt::format("\n{}:\n\n{}", to_string(of.mapping), table.markdown());
    }
    return summary.markdown() + layers +
           fmt::format(
               "\nColumn currents before subtraction, wires included. Mean squares are over {} "
               "images, every output position and every read; largest values and saturated columns "
               "over the {} strongest different inputs (largest sum of |V|) of each range of "
               "rows. {} A column is saturated where R_f I exceeds the swing of {}.\n",
               images, strongest,
               readout.circuit.feedback_resistance > 0
                   ? "R_f is as given."
                   : "R_f is, per layer, 0.8 of the swing over the largest current its cells can "
                     "deliver.",
               format_quantity(swing, "V"));
}

nlohmann::json report_json(const Graph& graph, const std::vector<MappingCommonMode>& mappings,
                           const LinearReadout& readout) {
    nlohmann::json report;
    for (const MappingCommonMode& of : mappings) {
        auto layers = nlohmann::json::array();
        for (const LayerCommonMode& layer : of.layers)
            layers.push_back({{"layer", graph.layer_name(layer.layer)},
                              {"columns", layer.columns},
                              {"feedback", layer.feedback},
                              {"side_rms", layer.side_rms},
                              {"difference_rms", layer.difference_rms},
                              {"largest_side", layer.largest_side},
                              {"largest_difference", layer.largest_difference},
                              {"swing_used", layer.swing_used(readout.circuit.amplifier.swing)},
                              {"saturated", layer.saturated}});
        report["mappings"][std::string(to_string(of.mapping))] = layers;
    }
    report["swing"] = readout.circuit.amplifier.swing;
    return report;
}

void check_arguments(const Experiment& experiment, std::size_t strongest) {
    check_experiment(experiment);
    if (experiment.cell_law != "linear")
        throw InvalidInput("cells.law", "column currents are reported of linear cells alone");
    if (strongest == 0) throw InvalidInput("--strongest", "needs at least one input to look at");
}

}  // namespace

int run_readout(const ReadoutArguments& arguments) {
    Experiment experiment = make_experiment(arguments.experiment, arguments.settings);
    if (experiment.images == 0) experiment.images = default_images;
    experiment.readout_kind = Readout::opamp;
    check_arguments(experiment, arguments.strongest);
    stop_at_safe_places();
    const ThreadLimit threads(experiment.threads);
    const Graph graph = load_graph(experiment);
    const ExperimentImages images = load_images(experiment, graph.network().input);
    if (!images.note.empty()) print_note(images.note);
    const auto dacs = calibrate_dacs(graph, images.calibration, experiment.converters,
                                     show_progress("input ranges", "images"));
    const LinearReadout readout = experiment.linear_readout().value();
    std::vector<std::size_t> layers(graph.layers().size());
    for (std::size_t i = 0; i < layers.size(); ++i) layers[i] = i;
    std::vector<MappingCommonMode> mappings;
    for (const Mapping mapping : experiment.mappings) {
        const std::string name(to_string(mapping));
        const ChipSettings chip{experiment.tile_settings(mapping), experiment.fault_source(),
                                experiment.device_draw(), std::nullopt};
        const auto drive =
            observe_drive(graph, dacs, images.test,
                          {chip.tile, experiment.read_voltage, arguments.strongest, layers},
                          show_progress(name + " inputs", "images"));
        mappings.push_back(
            {mapping, common_mode(graph, chip, readout, drive, engine_factory(experiment.engine),
                                  show_progress(name + " columns", "tiles"))});
    }
    if (arguments.json)
        print_json(report_json(graph, mappings, readout));
    else
        print_text(report_text(graph, mappings, readout, images.test.size(), arguments.strongest));
    return 0;
}

}  // namespace kirchnet
