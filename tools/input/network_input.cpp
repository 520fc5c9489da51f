#include "tools/input/network_input.hpp"

#include <fmt/format.h>
#include <tbb/global_control.h>

#include <algorithm>
#include <charconv>

#include "circuit/error.hpp"
#include "data/network_file.hpp"
#include "nn/comparison.hpp"
#include "nn/tiling.hpp"
#include "tools/input/engines.hpp"
#include "tools/output/progress.hpp"

namespace kirchnet {

struct ThreadLimit::State {
    /// Made in its place: a copy of TBB's control looks alike and controls nothing.
    explicit State(int threads)
        : control(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads)) {
    }
    tbb::global_control control;
};

ThreadLimit::ThreadLimit(int threads) {
    if (threads < 0) throw InvalidInput("run.threads", fmt::format("{} is negative", threads));
    if (threads > 0) state_ = std::make_unique<State>(threads);
}

ThreadLimit::~ThreadLimit() = default;

Graph load_graph(const Experiment& experiment) {
    if (experiment.network.empty())
        throw InvalidInput("no network given; name a network file made by 'kirchnet import'");
    if (!is_network_file(experiment.network))
        throw InvalidInput(experiment.network,
                           "is no network file of ours; convert it with 'kirchnet import' first");
    return Graph(read_network(experiment.network));
}

ExperimentImages load_images(const Experiment& experiment, const ImageShape& input) {
    if (experiment.data.empty())
        throw InvalidInput("no test images given; name them with --data or the key 'data'");
    ExperimentImages images;
    images.test = read_test_images(experiment.data, input);
    const std::string& source =
        experiment.calibration.empty() ? experiment.data : experiment.calibration;
    auto calibration = read_calibration_images(source, experiment.calibration_images);
    if (!calibration && !experiment.calibration.empty()) {
        const bool same = source == experiment.data;
        const LabelledImages others = same ? images.test : read_test_images(source, input);
        calibration = subset(others, 0, std::min(experiment.calibration_images, others.size()));
        if (same)
            images.note = fmt::format("converter ranges are fitted on the first {} test images",
                                      calibration->size());
    }
    const std::size_t all = images.test.size();
    if (calibration) {
        images.calibration = std::move(*calibration);
    } else {
        if (all < 2)
            throw InvalidInput(experiment.data, "too few images to hold some out for calibration");
        const std::size_t held_out = std::min(experiment.calibration_images, all / 2);
        images.calibration = subset(images.test, all - held_out, held_out);
        images.test = subset(images.test, 0, all - held_out);
        images.note = fmt::format(
            "no training images beside {}: the last {} test images are held out for calibration",
            experiment.data, held_out);
    }
    if (experiment.images > images.test.size())
        throw InvalidInput("images",
                           fmt::format("{} asked for, but {} has {} to test on", experiment.images,
                                       experiment.data, images.test.size()));
    if (experiment.images > 0) images.test = subset(images.test, 0, experiment.images);
    return images;
}

void check_experiment(const Experiment& experiment) {
    (void)experiment.fault_source();
    if (!experiment.array_files.empty() && experiment.mappings.size() != 1)
        throw InvalidInput("array.files",
                           "are arrays of one mapping; name it alone (--mapping two_column)");
    for (const Mapping mapping : experiment.mappings) {
        (void)outputs_per_tile(experiment.tile_settings(mapping));
        (void)slice_count(experiment.tile_settings(mapping));
    }
    check(experiment.converters);
    for (const Mapping mapping : experiment.mappings)
        check(experiment.correction, experiment.tile_settings(mapping), experiment.converters);
    if (experiment.weight_bits != 0) (void)largest_level(experiment.weight_bits);
    check(experiment.device);
    if (experiment.linear_readout())
        (void)with_input_resistance(experiment.tile_settings(experiment.mappings.front()).wires, 0);
    (void)engine_factory(experiment.engine);
}

void refuse_given_arrays(const Experiment& experiment, std::string_view who) {
    if (!experiment.array_files.empty())
        throw InvalidInput("array.files",
                           fmt::format("are arrays of one chip, but {} draws many; 'kirchnet "
                                       "compare' and 'nonlinear' take them",
                                       who));
}

std::shared_ptr<const GivenArrays> load_given_arrays(const Graph& graph,
                                                     const Experiment& experiment,
                                                     Mapping mapping) {
    auto given = experiment.given_arrays(mapping);
    if (!given) return given;
    const TileSettings settings = experiment.tile_settings(mapping);
    for (const auto& [place, arrays] : given->tiles())  // says what does not fit, before any work
        (void)Tile(weight_block(graph, graph.find_layer(place.layer), settings, place.row,
                                place.column, place.slice),
                   settings, std::nullopt, std::nullopt, given.get());
    return given;
}

Mapping choose_mapping(const std::string& given, const Experiment& experiment) {
    if (!given.empty()) return parse_mapping(given);
    return experiment.mappings.size() == 1 ? experiment.mappings.front() : Mapping::two_column;
}

std::pair<Index, Index> parse_tile(const std::string& text) {
    std::pair<Index, Index> tile{0, 0};
    const char* end = text.data() + text.size();
    const auto row = std::from_chars(text.data(), end, tile.first);
    const bool has_comma = row.ec == std::errc{} && row.ptr != end && *row.ptr == ',';
    if (has_comma) {
        const auto column = std::from_chars(row.ptr + 1, end, tile.second);
        if (column.ec == std::errc{} && column.ptr == end) return tile;
    }
    throw InvalidInput("--tile", fmt::format("'{}' is not ROW,COLUMN, such as 0,1", text));
}

ImageDrive::ImageDrive(const Graph& graph, const Experiment& experiment)
    : graph_(graph),
      word_lines_(experiment.array.word_lines),
      images_(load_images(experiment, graph.network().input)),
      software_(software_drivers(graph)),
      dacs_(calibrate_dacs(graph, images_.calibration, experiment.converters,
                           show_progress("input ranges", "images"))) {}

std::vector<InputRead> ImageDrive::reads(const std::string& layer) const {
    return input_reads(dacs_[graph_.find_layer(layer)]);
}

Eigen::VectorXd ImageDrive::voltages(const WeightBlock& block, std::size_t image,
                                     std::size_t position, double read_voltage,
                                     std::size_t read) const {
    const std::size_t layer = graph_.find_layer(block.layer);
    const auto all_reads = input_reads(dacs_[layer]);
    if (read >= all_reads.size())
        throw InvalidInput(fmt::format("read {} of layer {}", read, block.layer),
                           fmt::format("its inputs take {} read{}", all_reads.size(),
                                       all_reads.size() == 1 ? "" : "s"));
    const std::size_t outputs = graph_.geometry(layer).outputs_per_group();
    const auto group = static_cast<std::size_t>(block.first_output_channel) / outputs;
    const auto inputs = layer_inputs(graph_, software_, images_.test, image, layer, group, position,
                                     static_cast<std::size_t>(block.groups));
    const auto first = static_cast<std::size_t>(block.tile_row * word_lines_);
    Eigen::VectorXd voltages(block.weights.rows());
    for (Index r = 0; r < voltages.size(); ++r)
        voltages(r) = read_voltage * dac_fraction(dacs_[layer], all_reads[read],
                                                  inputs[first + static_cast<std::size_t>(r)]);
    return voltages;
}

}  // namespace kirchnet
