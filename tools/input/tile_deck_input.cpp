#include "tools/input/tile_deck_input.hpp"

#include <fmt/format.h>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "data/matrix_file.hpp"
#include "tools/input/cell_law_input.hpp"
#include "tools/input/deck_converters.hpp"
#include "tools/output/output.hpp"

namespace kirchnet {
namespace {

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

std::string describe_faults(const Experiment& experiment) {
    std::string text = "none";
    if (!experiment.fault_map.empty()) text = "fault map " + experiment.fault_map;
    if (experiment.fault_law.is_on())
        text = fmt::format("{}, seed {}, trial {}", describe(experiment.fault_law), experiment.seed,
                           experiment.trial);
    if (!experiment.array_files.empty())
        text += fmt::format(", arrays given by {}", fmt::join(experiment.array_files, ", "));
    return text;
}

/// A read voltage given on its own is that of the cells, too.
Experiment experiment_of(const NetlistArguments& arguments) {
    Experiment experiment = make_experiment(arguments.experiment, arguments.settings);
    if (arguments.read_voltage)
        set_key(experiment, "cells.read_voltage", format_exact(*arguments.read_voltage));
    return experiment;
}

}  // namespace

TileSource::TileSource(const NetlistArguments& arguments)
    : arguments_(arguments),
      experiment_(experiment_of(arguments)),
      threads_(experiment_.threads),
      graph_(load_graph(experiment_)),
      settings_(experiment_.tile_settings(choose_mapping(arguments.mapping, experiment_))),
      given_(load_given_arrays(graph_, experiment_, settings_.mapping)),
      faults_(experiment_.fault_source()) {
    if (!arguments.input.empty() && !experiment_.data.empty())
        throw InvalidInput("--input", "give read voltages or an image, not both");
    if (experiment_.data.empty()) return;
    images_.emplace(graph_, experiment_);
    if (!images_->images().note.empty()) print_note(images_->images().note);
}

Tile TileSource::tile(std::size_t layer, const TilePlace& place) const {
    return {weight_block(graph_, layer, settings_, place.row, place.column, place.slice), settings_,
            faults_, experiment_.device_draw(), given_.get()};
}

TilePlace TileSource::place() const {
    const auto [row, column] = parse_tile(arguments_.tile);
    return {row, column, arguments_.slice};
}

Drive TileSource::drive(const WeightBlock& block) const {
    if (!arguments_.input.empty()) return drive_from_file(arguments_, block.weights.rows());
    if (!images_)
        return {Eigen::VectorXd::Constant(block.weights.rows(), experiment_.read_voltage),
                fmt::format("every used word line at {} V", experiment_.read_voltage)};
    return {images_->voltages(block, arguments_.image, arguments_.position,
                              experiment_.read_voltage, arguments_.input_read),
            fmt::format("activations of image {} (label {}) at output position {}, {}-bit DAC{}, "
                        "full scale {} V",
                        arguments_.image, images_->images().test.labels.at(arguments_.image),
                        arguments_.position, experiment_.converters.dac_bits,
                        read_words(images_->reads(block.layer), arguments_.input_read),
                        experiment_.read_voltage)};
}

TileDeckSettings TileSource::deck(const Drive& drive) const {
    TileDeckSettings deck;
    deck.readout =
        arguments_.readout.empty() ? experiment_.readout_kind : parse_readout(arguments_.readout);
    deck.law = named_cell_law(experiment_.cell_law, "cells.law", experiment_.read_voltage);
    deck.read_voltage = experiment_.read_voltage;
    deck.amplifiers = experiment_.readout;
    deck.amplifiers.seed = experiment_.seed;
    deck.amplifiers.trial = experiment_.trial;
    deck.amplifiers.reading = {arguments_.image, arguments_.position,
                               static_cast<std::uint32_t>(arguments_.input_read)};
    deck.input_comment = drive.comment;
    deck.fault_comment = describe_faults(experiment_);
    deck.device_comment = fmt::format("seed {}, trial {}", experiment_.seed, experiment_.trial);
    deck.dialect = parse_dialect(arguments_.dialect);
    return deck;
}

TileDeckSettings TileSource::deck(const Drive& drive, std::size_t layer) const {
    TileDeckSettings deck = this->deck(drive);
    if (!experiment_.has_converters) return deck;
    if (deck.readout != Readout::opamp)
        throw InvalidInput(
            "readout.converters",
            "an ideal read-out has no voltage to convert; give readout.kind = opamp");
    if (deck.dialect == Dialect::spice3)
        throw InvalidInput("readout.converters", "round, which SPICE3's R, V and E cannot");
    if (converters_.empty())
        converters_ = network_converters(graph_, experiment_, settings_,
                                         images_ ? &images_->images() : nullptr);
    deck.amplifiers.circuit.adc = converters_[layer];
    return deck;
}

}  // namespace kirchnet
