#include "nn/operators.hpp"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <cmath>
#include <mutex>

#include "nn/detail/readout_fold.hpp"
#include "nn/tiling.hpp"

namespace kirchnet {
namespace {

struct TileTask {
    std::size_t layer;
    std::size_t slot;
    TilePlace place;
    double feedback;  ///< R_f of the layer's amplifiers [ohm]; 0 for an ideal read-out
};

/// Conductances [S] as operator entries, row by row.
std::vector<float> entries_of(const Eigen::MatrixXd& T, double span, double unit) {
    std::vector<float> entries(static_cast<std::size_t>(T.size()));
    using Entries = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Eigen::Map<Entries>(entries.data(), T.rows(), T.cols()) = (T / span * unit).cast<float>();
    return entries;
}

double unit_of(const TileSettings& settings, const LevelSlice& slice) {
    return settings.bits_per_cell == 0 ? 1.0 : slice.levels;
}

/// Offsets in units of weight × input as operator entries.
std::vector<float> offsets_of(const Eigen::VectorXd& offset, double unit) {
    std::vector<float> entries;
    for (const double value : offset) entries.push_back(static_cast<float>(value * unit));
    return entries;
}

/// What is converted of a tile's outputs: one quantity, or both sides apart.
struct TileReads {
    detail::TileReadout a;
    std::optional<detail::TileReadout> b;

    [[nodiscard]] Eigen::MatrixXd difference() const {
        return b ? Eigen::MatrixXd(a.transfer - b->transfer) : a.transfer;
    }
};

/// What an engine finds of a tile, read as the chip reads it.
class TileReader {
  public:
    TileReader(const ChipSettings& chip, double feedback, OperatingPointSolver& solver)
        : chip_(chip), feedback_(feedback), solver_(solver) {}

    void read(const Tile& tile) {
        if (!chip_.readout) {
            transfers_ = transfers_of(tile);
            return;
        }
        amplifiers_ = draw_amplifiers(tile, *chip_.readout, feedback_);
        if (detail::are_alike(*chip_.readout, tile.settings())) {
            outputs_ = detail::outputs_of_alike(tile, transfers_of(tile), amplifiers_);
            return;
        }
        std::vector<ArrayPorts> ports;
        for (const Crossbar& array : tile.arrays()) ports.push_back(solver_.ports(array));
        outputs_ = detail::outputs_of_drawn(tile, ports, amplifiers_);
    }

    [[nodiscard]] TileReads reads(const Tile& tile) const {
        if (!tile.has_pairs() || tile.has_subtractors())
            return {chip_.readout ? detail::read_by_amplifiers(tile, outputs_, amplifiers_,
                                                               chip_.readout->read_voltage)
                                  : detail::read_ideally(tile, transfers_),
                    std::nullopt};
        return {side(tile, Polarity::a), side(tile, Polarity::b)};
    }

    [[nodiscard]] detail::TileReadout reference(const Tile& tile) const {
        return chip_.readout ? detail::read_reference_by_amplifiers(tile, outputs_, amplifiers_,
                                                                    chip_.readout->read_voltage)
                             : detail::read_reference_ideally(tile, transfers_);
    }

  private:
    [[nodiscard]] std::vector<Eigen::MatrixXd> transfers_of(const Tile& tile) {
        std::vector<Eigen::MatrixXd> transfers;
        for (const Crossbar& array : tile.arrays())
            transfers.push_back(solver_.transfer_rows(array, tile.read_bit_lines()));
        return transfers;
    }
    [[nodiscard]] detail::TileReadout side(const Tile& tile, Polarity polarity) const {
        return chip_.readout
                   ? detail::read_side_by_amplifiers(tile, outputs_, polarity, amplifiers_,
                                                     chip_.readout->read_voltage)
                   : detail::read_side_ideally(tile, transfers_, polarity);
    }

    const ChipSettings& chip_;
    double feedback_;
    OperatingPointSolver& solver_;
    std::vector<Eigen::MatrixXd> transfers_;  ///< of an ideal read-out
    TileAmplifiers amplifiers_;
    detail::AmplifierOutputs outputs_;
};

/// How a tile's arrays are built: amplifiers that are alike show themselves to an array as a sense
/// resistance.
TileSettings settings_of(const ChipSettings& chip, double feedback) {
    TileSettings settings = chip.tile;
    if (chip.readout && detail::are_alike(*chip.readout, settings))
        settings.wires = with_input_resistance(
            settings.wires, amplifier_input(chip.readout->circuit.amplifier, feedback).resistance);
    return settings;
}

/// The given arrays; where amplifiers are alike, this tile's alone, behind their input resistance.
std::shared_ptr<const GivenArrays> given_behind_amplifiers(const Graph& graph,
                                                           const ChipSettings& chip,
                                                           const TileTask& task) {
    if (!chip.given || !chip.readout || !detail::are_alike(*chip.readout, chip.tile))
        return chip.given;
    const TileKey key{graph.layer_name(task.layer), task.place.row, task.place.column,
                      task.place.slice};
    const std::vector<Crossbar>* arrays = chip.given->find(key);
    if (arrays == nullptr) return {};
    const double resistance =
        amplifier_input(chip.readout->circuit.amplifier, task.feedback).resistance;
    std::vector<Crossbar> behind;
    for (const Crossbar& array : *arrays)
        behind.emplace_back(array.intended_conductance(), array.conductance(), array.faults(),
                            with_input_resistance(array.wires(), resistance), array.pattern());
    auto given = std::make_shared<GivenArrays>();
    given->set(key, std::move(behind));
    return given;
}

TileOperator extract_tile(const Graph& graph, const ChipSettings& chip, const TileTask& task,
                          OperatingPointSolver& solver) {
    const TileSettings settings = settings_of(chip, task.feedback);
    const TilePlace& place = task.place;
    const auto given = given_behind_amplifiers(graph, chip, task);
    const Tile tile(weight_block(graph, task.layer, settings, place.row, place.column, place.slice),
                    settings, chip.faults, chip.devices, given.get());
    TileReader reader(chip, task.feedback, solver);
    reader.read(tile);
    std::vector<Eigen::MatrixXd> wireless;
    for (const Crossbar& array : tile.arrays())
        wireless.emplace_back(array.conductance().transpose());
    const TileReads read = reader.reads(tile);
    const Eigen::MatrixXd T = read.difference();
    const Eigen::MatrixXd G = detail::read_ideally(tile, wireless).transfer;

    TileOperator result = place_of(graph.geometry(task.layer), tile);
    const double span = settings.device.span();
    const double unit = entry_unit(tile);
    result.weights = entries_of(read.a.transfer, span, unit);
    result.offset = offsets_of(read.a.offset, unit);
    if (read.b) {
        result.weights_b = entries_of(read.b->transfer, span, unit);
        result.offset_b = offsets_of(read.b->offset, unit);
    }
    if (tile.reference_bit_line()) {
        const detail::TileReadout reference = reader.reference(tile);
        result.reference = entries_of(reference.transfer, span, unit);
        for (const float offset : offsets_of(reference.offset, unit))
            result.reference_offset = offset;
    }
    const double signal = G.norm();
    result.wire_deviation = signal > 0 ? (T - G).norm() / signal : 0;
    return result;
}

/// What the sum of a layer without pairs is to be given per input.
double common_term(const LayerOperators& layer) {
    double per_input = layer.largest;
    for (const OperatorSlice& slice : layer.slices) per_input += slice.weight * slice.at_hrs;
    return -per_input;
}

/// Everything about a layer but its tiles.
LayerOperators describe_layer(const TileSettings& settings, const LayerTiling& tiling) {
    LayerOperators layer;
    layer.scale = tiling.scale;
    layer.is_sliced = settings.bits_per_cell > 0;
    const bool has_pairs = has_column_pair(settings.mapping);
    layer.reads_sides = has_pairs && settings.subtraction == Subtraction::after;
    layer.largest = layer.is_sliced ? largest_level(settings.weight_bits) : 1;
    layer.slices.clear();
    for (int k = 0; k < tiling.slices; ++k) {
        const LevelSlice slice =
            level_slice(settings.mapping, settings.weight_bits, settings.bits_per_cell, k);
        OperatorSlice& added = layer.slices.emplace_back();
        added.unit = unit_of(settings, slice);
        added.weight = has_pairs || layer.is_sliced ? std::ldexp(1.0, slice.shift) : 2.0;
        added.step = settings.weight_bits == 0 ? 0 : added.unit / slice.levels;
        if (!has_pairs) added.at_hrs = added.unit * settings.device.off / settings.device.span();
    }
    if (!has_pairs) layer.input_weight = common_term(layer);
    layer.tiles.resize(static_cast<std::size_t>(tiling.tiles()));
    return layer;
}

std::vector<TileTask> list_tiles(const Graph& graph, const ChipSettings& chip,
                                 std::vector<LayerOperators>& layers) {
    const TileSettings& settings = chip.tile;
    std::vector<TileTask> tasks;
    for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) {
        const LayerTiling tiling = tile_layer(graph, layer, settings);
        layers.push_back(describe_layer(settings, tiling));
        const double feedback =
            chip.readout ? detail::layer_feedback(graph, layer, settings, *chip.readout) : 0;
        if (chip.readout)
            for (OperatorSlice& slice : layers.back().slices)
                slice.noise = slice.unit * detail::sample_noise(settings, *chip.readout, feedback);
        std::size_t slot = 0;
        for (const TilePlace& place : tile_places(tiling))
            tasks.push_back({layer, slot++, place, feedback});
    }
    return tasks;
}

}  // namespace

TileOperator place_of(const LayerGeometry& geometry, const Tile& tile) {
    const WeightBlock& block = tile.block();
    TileOperator place;
    place.slice = static_cast<std::size_t>(block.slice);
    place.first_output = static_cast<std::size_t>(block.first_output_channel);
    place.group = place.first_output / geometry.outputs_per_group();
    place.first_row = static_cast<std::size_t>(block.tile_row * tile.settings().array.word_lines);
    place.rows = static_cast<std::size_t>(tile.rows());
    place.outputs = static_cast<std::size_t>(tile.outputs());
    place.groups = static_cast<std::size_t>(block.groups);
    place.tile_row = static_cast<std::int32_t>(block.tile_row);
    place.tile_column = static_cast<std::int32_t>(block.tile_column);
    return place;
}

double entry_unit(const Tile& tile) {
    return unit_of(tile.settings(), tile.slice());
}

std::vector<LayerOperators> extract_operators(const Graph& graph, const ChipSettings& chip,
                                              const SolverFactory& solver,
                                              const Progress& progress) {
    if (chip.readout) check(*chip.readout);
    std::vector<LayerOperators> layers;
    const std::vector<TileTask> tasks = list_tiles(graph, chip, layers);
    tbb::enumerable_thread_specific<std::unique_ptr<OperatingPointSolver>> solvers(solver);
    std::mutex mutex;
    std::size_t done = 0;
    tbb::parallel_for(std::size_t{0}, tasks.size(), [&](std::size_t i) {
        const TileTask& task = tasks[i];
        layers[task.layer].tiles[task.slot] = extract_tile(graph, chip, task, *solvers.local());
        const std::scoped_lock lock(mutex);
        ++done;
        if (progress) progress(done, tasks.size());
    });
    return layers;
}

std::vector<LayerOperators> extract_operators(const Graph& graph, const TileSettings& settings,
                                              const std::optional<FaultSource>& faults,
                                              const SolverFactory& solver,
                                              const Progress& progress) {
    return extract_operators(graph, ChipSettings{settings, faults}, solver, progress);
}

}  // namespace kirchnet
