#include "tools/input/driven_tiles.hpp"

#include <fmt/format.h>

#include "circuit/random.hpp"
#include "nn/detail/readout_fold.hpp"
#include "tools/input/crossbar_input.hpp"

namespace kirchnet {
namespace {

/// One voltage per input of a layer, whichever tiles it drives [V], [rows].
Eigen::VectorXd random_layer_voltages(const WeightBlock& block, double limit, std::uint64_t seed) {
    Eigen::VectorXd voltages(block.weights.rows());
    for (Index r = 0; r < voltages.size(); ++r) {
        const KernelPosition& at = block.inputs[static_cast<std::size_t>(r)];
        voltages(r) = limit * keyed_uniform(seed, stream_of("layer voltages"),
                                            {static_cast<std::uint64_t>(at.input_channel),
                                             static_cast<std::uint64_t>(at.kernel_y),
                                             static_cast<std::uint64_t>(at.kernel_x), 0});
    }
    return voltages;
}

}  // namespace

DrivenTiles::DrivenTiles(const Experiment& experiment)
    : experiment_(experiment), graph_(load_graph(experiment)), faults_(experiment.fault_source()) {
    for (const Mapping mapping : experiment.mappings)
        given_[mapping] = experiment.given_arrays(mapping);
    if (!experiment.data.empty()) drive_.emplace(graph_, experiment);
}

LayerTile DrivenTiles::tile(const TileChoice& choice, std::size_t number) const {
    // A prime step spreads the sampled output pixels over the feature map.
    constexpr std::size_t step = 7919;
    const std::size_t position = number * step % graph_.geometry(choice.layer).positions();
    Tile tile = make_tile(choice);
    Eigen::VectorXd voltages =
        drive_ ? image_voltages(tile, number, position)
               : random_voltages(tile.rows(), experiment_.read_voltage, experiment_.seed + number);
    return {std::move(tile), std::move(voltages)};
}

std::vector<LayerTile> DrivenTiles::layer(const LayerChoice& choice, std::size_t number) const {
    const ImageShape shape = graph_.geometry(choice.layer).output;
    const std::size_t middle = shape.height / 2 * shape.width + shape.width / 2;
    std::vector<LayerTile> tiles;
    for (const TilePlace& place :
         tile_places(tile_layer(graph_, choice.layer, experiment_.tile_settings(choice.mapping)))) {
        Tile tile = make_tile({choice.mapping, choice.layer, place});
        Eigen::VectorXd voltages =
            drive_ ? image_voltages(tile, number, middle)
                   : random_layer_voltages(tile.block(), experiment_.read_voltage,
                                           experiment_.seed + number);
        tiles.push_back({std::move(tile), std::move(voltages)});
    }
    return tiles;
}

std::optional<LinearReadout> DrivenTiles::readout(const LayerChoice& choice) const {
    auto readout = experiment_.linear_readout();
    if (readout)
        readout->circuit.feedback_resistance = detail::layer_feedback(
            graph_, choice.layer, experiment_.tile_settings(choice.mapping), *readout);
    return readout;
}

std::string DrivenTiles::name_of(const TileChoice& choice) const {
    return fmt::format("{} tile {} {}", graph_.layer_name(choice.layer),
                       to_string(choice.place, experiment_.tile_settings(choice.mapping)),
                       to_string(choice.mapping));
}

Tile DrivenTiles::make_tile(const TileChoice& choice) const {
    const TileSettings settings = experiment_.tile_settings(choice.mapping);
    const TilePlace& place = choice.place;
    return {weight_block(graph_, choice.layer, settings, place.row, place.column, place.slice),
            settings, faults_, experiment_.device_draw(), given_.at(choice.mapping).get()};
}

Eigen::VectorXd DrivenTiles::image_voltages(const Tile& tile, std::size_t number,
                                            std::size_t position) const {
    return drive_->voltages(tile.block(), number % drive_->images().test.size(), position,
                            experiment_.read_voltage,
                            number % drive_->reads(tile.block().layer).size());
}

}  // namespace kirchnet
