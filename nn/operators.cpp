#include "nn/operators.hpp"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <mutex>

#include "nn/detail/readout_fold.hpp"
#include "nn/tiling.hpp"

namespace kirchnet {
namespace {

struct TileTask {
    std::size_t layer;
    std::size_t slot;
    Index tile_row;
    Index tile_column;
    double feedback;  ///< R_f of the layer's amplifiers [ohm]; 0 for an ideal read-out
};

/// How a tile's arrays are built: amplifiers show themselves to an array as a sense resistance.
TileSettings settings_of(const ChipSettings& chip, double feedback) {
    TileSettings settings = chip.tile;
    if (chip.readout)
        settings.wires = with_input_resistance(
            settings.wires, amplifier_input(chip.readout->circuit.amplifier, feedback).resistance);
    return settings;
}

TileOperator extract_tile(const Graph& graph, const ChipSettings& chip, const TileTask& task,
                          OperatingPointSolver& solver) {
    const TileSettings settings = settings_of(chip, task.feedback);
    const Tile tile(weight_block(graph, task.layer, settings, task.tile_row, task.tile_column),
                    settings, chip.faults, chip.devices);
    std::vector<Eigen::MatrixXd> actual;
    std::vector<Eigen::MatrixXd> wireless;
    for (const Crossbar& array : tile.arrays()) {
        actual.push_back(solver.transfer_rows(array, tile.read_bit_lines()));
        wireless.emplace_back(array.conductance().transpose());
    }
    const detail::TileReadout read =
        chip.readout ? detail::read_by_amplifiers(tile, actual, *chip.readout, task.feedback)
                     : detail::read_ideally(tile, actual);
    const Eigen::MatrixXd& T = read.transfer;
    const Eigen::MatrixXd G = detail::read_ideally(tile, wireless).transfer;

    TileOperator result;
    const LayerGeometry geometry = graph.geometry(task.layer);
    result.first_output = static_cast<std::size_t>(tile.block().first_output_channel);
    result.group = result.first_output / geometry.outputs_per_group();
    result.first_row = static_cast<std::size_t>(task.tile_row * settings.array.word_lines);
    result.rows = static_cast<std::size_t>(tile.rows());
    result.outputs = static_cast<std::size_t>(tile.outputs());
    result.weights.resize(result.rows * result.outputs);
    using Weights = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Eigen::Map<Weights>(result.weights.data(), T.rows(), T.cols()) =
        (T / settings.device.span()).cast<float>();
    for (const double offset : read.offset) result.offset.push_back(static_cast<float>(offset));
    const double signal = G.norm();
    result.wire_deviation = signal > 0 ? (T - G).norm() / signal : 0;
    return result;
}

std::vector<TileTask> list_tiles(const Graph& graph, const ChipSettings& chip,
                                 std::vector<LayerOperators>& layers) {
    const TileSettings& settings = chip.tile;
    std::vector<TileTask> tasks;
    for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) {
        const LayerTiling tiling = tile_layer(graph, layer, settings);
        LayerOperators& operators = layers.emplace_back();
        operators.scale = tiling.scale;
        if (!has_column_pair(settings.mapping)) {
            operators.gain = 2;
            operators.input_sum =
                static_cast<float>(-(1 + 2 * settings.device.off / settings.device.span()));
        }
        const double feedback =
            chip.readout ? detail::layer_feedback(graph, layer, settings, *chip.readout) : 0;
        operators.tiles.resize(static_cast<std::size_t>(tiling.tiles()));
        std::size_t slot = 0;
        for (Index column = 0; column < tiling.column_tiles; ++column)
            for (Index row = 0; row < tiling.row_tiles; ++row)
                tasks.push_back({layer, slot++, row, column, feedback});
    }
    return tasks;
}

}  // namespace

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
