#include <fmt/format.h>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "data/atomic_file.hpp"
#include "data/crossbar_file.hpp"
#include "data/matrix_file.hpp"
#include "netlists/netlist_writer.hpp"
#include "nn/tiling.hpp"
#include "tools/cell_law_input.hpp"
#include "tools/commands.hpp"
#include "tools/network_input.hpp"
#include "tools/output.hpp"

namespace kirchnet {
namespace {

struct Drive {
    Eigen::VectorXd voltages;  ///< of the word lines in use [V]
    std::string comment;
};

Drive drive_from_file(const NetlistArguments& arguments, Index rows) {
    const Eigen::MatrixXd values = read_matrix(arguments.input);
    if (values.size() != rows)
        throw InvalidInput(
            arguments.input,
            fmt::format("{} read voltages, but the tile uses {} word lines", values.size(), rows));
    return {values.reshaped(), "read voltages from " + arguments.input};
}

/// Which digit of the inputs a read drives; empty where they take one read.
std::string read_words(const std::vector<InputRead>& reads, std::size_t number) {
    if (reads.size() == 1) return {};
    const InputRead& read = reads.at(number);
    return fmt::format(", read {} of {} (a step counts {:g})", number, reads.size(), read.weight);
}

Drive drive_from_image(const NetlistArguments& arguments, const Experiment& experiment,
                       const Graph& graph, const WeightBlock& block) {
    const ImageDrive drive(graph, experiment);
    if (!drive.images().note.empty()) print_note(drive.images().note);
    return {
        drive.voltages(block, arguments.image, arguments.position, experiment.read_voltage,
                       arguments.read),
        fmt::format("activations of image {} (label {}) at output position {}, {}-bit DAC{}, "
                    "full scale {} V",
                    arguments.image, drive.images().test.labels.at(arguments.image),
                    arguments.position, experiment.converters.dac_bits,
                    read_words(drive.reads(block.layer), arguments.read), experiment.read_voltage)};
}

Drive find_drive(const NetlistArguments& arguments, const Experiment& experiment,
                 const Graph& graph, const WeightBlock& block) {
    if (!arguments.input.empty() && !experiment.data.empty())
        throw InvalidInput("--input", "give read voltages or an image, not both");
    if (!arguments.input.empty()) return drive_from_file(arguments, block.weights.rows());
    if (!experiment.data.empty()) return drive_from_image(arguments, experiment, graph, block);
    return {Eigen::VectorXd::Constant(block.weights.rows(), experiment.read_voltage),
            fmt::format("every used word line at {} V", experiment.read_voltage)};
}

std::string describe_faults(const Experiment& experiment) {
    if (!experiment.fault_map.empty()) return "fault map " + experiment.fault_map;
    if (experiment.fault_law.rate > 0)
        return fmt::format("rate {} per cell, stuck-on : stuck-off = {}, seed {}, trial {}",
                           experiment.fault_law.rate, experiment.fault_law.stuck_on_per_off,
                           experiment.seed, experiment.trial);
    return "none";
}

/// `X.h5` for one array, `X-a.h5` and `X-b.h5` for two.
void save_crossbars(const Tile& tile, const std::filesystem::path& path) {
    if (tile.arrays().size() == 1) return write_crossbar(path, tile.arrays().front());
    for (const Crossbar& array : tile.arrays()) {
        auto named = path;
        named.replace_filename(fmt::format("{}-{}{}", path.stem().string(),
                                           to_string(array.pattern()), path.extension().string()));
        write_crossbar(named, array);
    }
}

}  // namespace

int run_netlist(const NetlistArguments& arguments) {
    Experiment experiment = make_experiment(arguments.experiment, arguments.settings);
    if (arguments.read_voltage)
        set_key(experiment, "cells.read_voltage", format_exact(*arguments.read_voltage));
    const ThreadLimit threads(experiment.threads);
    const Graph graph = load_graph(experiment);
    const TileSettings settings =
        experiment.tile_settings(choose_mapping(arguments.mapping, experiment));
    const auto [row, column] = parse_tile(arguments.tile);
    const WeightBlock block = weight_block(graph, graph.find_layer(arguments.layer), settings, row,
                                           column, arguments.slice);
    const Drive drive = find_drive(arguments, experiment, graph, block);
    const Tile tile(block, settings, experiment.fault_source(), experiment.device_draw());

    TileDeckSettings deck;
    deck.readout =
        arguments.readout.empty() ? experiment.readout_kind : parse_readout(arguments.readout);
    deck.law = named_cell_law(experiment.cell_law, "cells.law", experiment.read_voltage);
    deck.read_voltage = experiment.read_voltage;
    deck.amplifiers = experiment.readout;
    deck.amplifiers.seed = experiment.seed;
    deck.amplifiers.trial = experiment.trial;
    deck.input_comment = drive.comment;
    deck.fault_comment = describe_faults(experiment);
    deck.device_comment = fmt::format("seed {}, trial {}", experiment.seed, experiment.trial);
    const std::string text = arguments.flat ? write_flat_deck(tile, drive.voltages, deck)
                                            : write_tile_deck(tile, drive.voltages, deck);
    if (!arguments.save_crossbar.empty()) save_crossbars(tile, arguments.save_crossbar);
    if (arguments.out.empty() || arguments.out == "-")
        print_text(text);
    else
        write_text_atomically(arguments.out, text);
    return 0;
}

}  // namespace kirchnet
