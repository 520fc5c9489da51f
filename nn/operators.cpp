#include "nn/operators.hpp"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <cmath>
#include <mutex>

#include "nn/tiling.hpp"

namespace kirchnet {
namespace {

struct TileTask {
    std::size_t layer;
    std::size_t slot;
    TilePlace place;
};

/// [outputs × rows]: one side's transfer matrix over the used rows [S].
Eigen::MatrixXd read_side(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers,
                          Polarity side) {
    Eigen::MatrixXd result(tile.outputs(), tile.rows());
    for (Index j = 0; j < tile.outputs(); ++j) {
        const TileColumn column = tile.column(j, side);
        result.row(j) = transfers[column.array].row(column.bit_line).head(tile.rows());
    }
    return result;
}

/// [outputs × rows]: difference of the pair's transfer matrices over the used rows [S], in double.
Eigen::MatrixXd read_columns(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers) {
    Eigen::MatrixXd result = read_side(tile, transfers, Polarity::a);
    if (tile.has_pairs()) result -= read_side(tile, transfers, Polarity::b);
    return result;
}

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

TileOperator extract_tile(const Graph& graph, const ChipSettings& chip, const TileTask& task,
                          OperatingPointSolver& solver) {
    const TileSettings& settings = chip.tile;
    const TilePlace& place = task.place;
    const Tile tile(weight_block(graph, task.layer, settings, place.row, place.column, place.slice),
                    settings, chip.faults, chip.devices);
    std::vector<Eigen::MatrixXd> actual;
    std::vector<Eigen::MatrixXd> wireless;
    for (const Crossbar& array : tile.arrays()) {
        actual.push_back(solver.transfer_rows(array, tile.read_bit_lines()));
        wireless.emplace_back(array.conductance().transpose());
    }
    const Eigen::MatrixXd T = read_columns(tile, actual);
    const Eigen::MatrixXd G = read_columns(tile, wireless);

    TileOperator result = place_of(graph.geometry(task.layer), tile);
    const double span = settings.device.span();
    const double unit = entry_unit(tile);
    const bool reads_sides = tile.has_pairs() && !tile.has_subtractors();
    result.weights = entries_of(reads_sides ? read_side(tile, actual, Polarity::a) : T, span, unit);
    if (reads_sides)
        result.weights_b = entries_of(read_side(tile, actual, Polarity::b), span, unit);
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

std::vector<TileTask> list_tiles(const Graph& graph, const TileSettings& settings,
                                 std::vector<LayerOperators>& layers) {
    std::vector<TileTask> tasks;
    for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) {
        const LayerTiling tiling = tile_layer(graph, layer, settings);
        layers.push_back(describe_layer(settings, tiling));
        std::size_t slot = 0;
        for (const TilePlace& place : tile_places(tiling)) tasks.push_back({layer, slot++, place});
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
    return place;
}

double entry_unit(const Tile& tile) {
    return unit_of(tile.settings(), tile.slice());
}

std::vector<LayerOperators> extract_operators(const Graph& graph, const ChipSettings& chip,
                                              const SolverFactory& solver,
                                              const Progress& progress) {
    std::vector<LayerOperators> layers;
    const std::vector<TileTask> tasks = list_tiles(graph, chip.tile, layers);
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
