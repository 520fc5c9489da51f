// With E[v vᵀ] = Σ m mᵀ the mean square of a column's current t·v is Σ (t·m)².
#include "nn/common_mode.hpp"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "circuit/tile_amplifiers.hpp"
#include "nn/detail/readout_fold.hpp"

namespace kirchnet {
namespace {

/// One tile's part of a layer's sums.
struct TileSums {
    double side_squares = 0;
    double difference_squares = 0;
    std::size_t outputs = 0;
    LayerCommonMode part;
};

struct TileTask {
    const LayerDrive* drive;
    TilePlace place;
    std::size_t slot;  ///< among the layers of the drive
};

/// Rows of T that outputs of one side read, [outputs × rows].
Eigen::MatrixXd side_rows(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers,
                          Polarity side) {
    return detail::read_side_ideally(tile, transfers, side).transfer;
}

void add_side(const Eigen::MatrixXd& rows, const RowDrive& drive, double limit, TileSums& sums) {
    sums.side_squares += (rows * drive.modes).squaredNorm();
    const Eigen::MatrixXd strong = (rows * drive.strongest).cwiseAbs();
    if (strong.size() == 0) return;
    sums.part.columns += static_cast<std::size_t>(rows.rows());
    sums.part.largest_side = std::max(sums.part.largest_side, strong.maxCoeff());
    for (Index j = 0; j < strong.rows(); ++j)
        if (strong.row(j).maxCoeff() > limit) ++sums.part.saturated;
}

TileSums sums_of(const Tile& tile, const RowDrive& drive, double limit,
                 OperatingPointSolver& solver) {
    std::vector<Eigen::MatrixXd> transfers;
    for (const Crossbar& array : tile.arrays())
        transfers.push_back(solver.transfer_rows(array, tile.read_bit_lines()));
    TileSums sums;
    Eigen::MatrixXd difference = side_rows(tile, transfers, Polarity::a);
    add_side(difference, drive, limit, sums);
    if (tile.has_pairs()) {
        const Eigen::MatrixXd b = side_rows(tile, transfers, Polarity::b);
        add_side(b, drive, limit, sums);
        difference -= b;
    }
    sums.difference_squares = (difference * drive.modes).squaredNorm();
    sums.outputs = static_cast<std::size_t>(difference.rows());
    if (drive.strongest.size() > 0)
        sums.part.largest_difference = (difference * drive.strongest).cwiseAbs().maxCoeff();
    return sums;
}

void add(TileSums& sum, const TileSums& of) {
    sum.side_squares += of.side_squares;
    sum.difference_squares += of.difference_squares;
    sum.outputs += of.outputs;
    sum.part.columns += of.part.columns;
    sum.part.saturated += of.part.saturated;
    sum.part.largest_side = std::max(sum.part.largest_side, of.part.largest_side);
    sum.part.largest_difference = std::max(sum.part.largest_difference, of.part.largest_difference);
}

LayerCommonMode finished(TileSums sums) {
    const auto rms = [](double squares, std::size_t count) {
        return count == 0 ? 0.0 : std::sqrt(squares / static_cast<double>(count));
    };
    sums.part.side_rms = rms(sums.side_squares, sums.part.columns);
    sums.part.difference_rms = rms(sums.difference_squares, sums.outputs);
    return sums.part;
}

}  // namespace

std::vector<LayerCommonMode> common_mode(const Graph& graph, const ChipSettings& chip,
                                         const LinearReadout& readout,
                                         const std::vector<LayerDrive>& drive,
                                         const SolverFactory& solver, const Progress& progress) {
    check(readout);
    std::vector<TileSums> layers(drive.size());
    std::vector<TileTask> tasks;
    for (std::size_t i = 0; i < drive.size(); ++i) {
        layers[i].part.layer = drive[i].layer;
        layers[i].part.feedback = detail::layer_feedback(graph, drive[i].layer, chip.tile, readout);
        for (const TilePlace& place : tile_places(tile_layer(graph, drive[i].layer, chip.tile)))
            tasks.push_back({&drive[i], place, i});
    }
    std::vector<TileSums> found(tasks.size());
    tbb::enumerable_thread_specific<std::unique_ptr<OperatingPointSolver>> solvers(solver);
    std::mutex mutex;
    std::size_t done = 0;
    tbb::parallel_for(std::size_t{0}, tasks.size(), [&](std::size_t i) {
        const TileTask& task = tasks[i];
        const Tile tile(weight_block(graph, task.drive->layer, chip.tile, task.place.row,
                                     task.place.column, task.place.slice),
                        chip.tile, chip.faults, chip.devices, chip.given.get());
        const double limit =
            readout.circuit.amplifier.swing / layers[task.slot].part.feedback;  // [A]
        found[i] = sums_of(tile, drive_of_tile(graph, *task.drive, tile), limit, *solvers.local());
        const std::scoped_lock lock(mutex);
        if (progress) progress(++done, tasks.size());
    });
    for (std::size_t i = 0; i < tasks.size(); ++i) add(layers[tasks[i].slot], found[i]);
    std::vector<LayerCommonMode> result;
    for (TileSums& sums : layers) result.push_back(finished(std::move(sums)));
    return result;
}

}  // namespace kirchnet
