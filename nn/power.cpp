// docs/methods/power.md. An array's power is vᵀ Y v, and each block's is vᵀ Q v. With
// E[v vᵀ] = Σ m mᵀ, E[vᵀ Q v] = tr(Q E[v vᵀ]) = Σ mᵀ Q m: the modes m are solved in the place of
// all inputs.
#include "nn/power.hpp"

#include <fmt/format.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "circuit/error.hpp"
#include "nn/detail/readout_fold.hpp"

namespace kirchnet {
namespace {

struct TileTask {
    const LayerDrive* drive;
    TilePower* result;
    double feedback;  ///< R_f of the layer's amplifiers [ohm]; 0 for an ideal read-out
};

/// Read voltages of all word lines of an array: modes first, then the strongest inputs.
Eigen::MatrixXd inputs_of(const RowDrive& drive, Index word_lines) {
    const Index modes = drive.modes.cols();
    Eigen::MatrixXd inputs = Eigen::MatrixXd::Zero(word_lines, modes + drive.strongest.cols());
    inputs.topLeftCorner(drive.modes.rows(), modes) = drive.modes;
    inputs.topRightCorner(drive.strongest.rows(), drive.strongest.cols()) = drive.strongest;
    return inputs;
}

void keep_larger(SegmentCurrent& worst, SegmentCurrent found) {
    if (found.current > worst.current) worst = std::move(found);
}

/// @return  bit-line currents of the modes [A], [bit_lines × modes]
Eigen::MatrixXd find_array(const Crossbar& array, const Eigen::MatrixXd& inputs, Index modes,
                           OperatingPointSolver& solver, ArrayStress& result) {
    const OperatingPoint point = solver.solve(array, inputs, Voltages::keep);
    result.pattern = array.pattern();
    for (Index k = 0; k < inputs.cols(); ++k) {
        const auto& word = point.word_line_voltage[static_cast<std::size_t>(k)];
        const auto& bit = point.bit_line_voltage[static_cast<std::size_t>(k)];
        const LineCurrents currents = line_currents(array, word, bit, inputs.col(k));
        if (k < modes) {
            result.mean += array_power(array, word, bit, inputs.col(k), currents);
        } else {
            keep_larger(result.word_line, worst_word_line_segment(array, currents));
            keep_larger(result.bit_line, worst_bit_line_segment(array, currents));
        }
    }
    return point.current.leftCols(modes);
}

ReadoutPower find_readout(const Tile& tile, const std::vector<Eigen::MatrixXd>& currents,
                          const LinearReadout& readout, double feedback,
                          const AmplifierSupply& supply) {
    SubtractorCircuit circuit = readout.circuit;
    circuit.feedback_resistance = feedback;
    ReadoutPower power;
    for (Index k = 0; k < currents.front().cols(); ++k) {
        std::vector<Eigen::VectorXd> of_mode;
        for (const Eigen::MatrixXd& current : currents) of_mode.emplace_back(current.col(k));
        power += resistor_power(tile, of_mode, circuit);
    }
    power.amplifiers =
        static_cast<double>(amplifier_count(tile, circuit.kind)) * supply.current * supply.voltage;
    return power;
}

/// How a tile's arrays are built: amplifiers show themselves to an array as a sense resistance.
TileSettings settings_of(const ChipSettings& chip, double feedback) {
    TileSettings settings = chip.tile;
    if (chip.readout)
        settings.wires = with_input_resistance(
            settings.wires, amplifier_input(chip.readout->circuit.amplifier, feedback).resistance);
    return settings;
}

void find_tile(const Graph& graph, const ChipSettings& chip, const TileTask& task,
               const AmplifierSupply& supply, OperatingPointSolver& solver) {
    const TileSettings settings = settings_of(chip, task.feedback);
    const TilePlace& place = task.result->place;
    const std::size_t layer = task.drive->layer;
    const Tile tile(weight_block(graph, layer, settings, place.row, place.column, place.slice),
                    settings, chip.faults, chip.devices, chip.given.get());
    const RowDrive& drive = drive_of_tile(graph, *task.drive, tile);
    std::vector<Eigen::MatrixXd> currents;
    for (const Crossbar& array : tile.arrays()) {
        require_linear_cells(array, "the mean power of a network");
        currents.push_back(find_array(array, inputs_of(drive, array.shape().word_lines),
                                      drive.modes.cols(), solver,
                                      task.result->arrays.emplace_back()));
    }
    if (chip.readout)
        task.result->readout = find_readout(tile, currents, *chip.readout, task.feedback, supply);
}

std::vector<LayerPower> list_tiles(const Graph& graph, const ChipSettings& chip,
                                   const std::vector<LayerDrive>& drive) {
    std::vector<LayerPower> layers;
    for (const LayerDrive& of : drive) {
        LayerPower& added = layers.emplace_back();
        added.layer = of.layer;
        added.reads = of.reads;
        for (const TilePlace& place : tile_places(tile_layer(graph, of.layer, chip.tile)))
            added.tiles.push_back({place, {}, {}});
    }
    return layers;
}

}  // namespace

std::size_t LayerPower::arrays() const {
    std::size_t count = 0;
    for (const TilePower& tile : tiles) count += tile.arrays.size();
    return count;
}

ArrayPower LayerPower::array_power() const {
    ArrayPower sum;
    for (const TilePower& tile : tiles)
        for (const ArrayStress& array : tile.arrays) sum += array.mean;
    return sum;
}

ReadoutPower LayerPower::readout_power() const {
    ReadoutPower sum;
    for (const TilePower& tile : tiles) sum += tile.readout;
    return sum;
}

double LayerPower::energy_per_image(double read_time) const {
    return (array_power().delivered + readout_power().total()) * static_cast<double>(reads) *
           read_time;
}

std::vector<LayerPower> network_power(const Graph& graph, const ChipSettings& chip,
                                      const std::vector<LayerDrive>& drive,
                                      const AmplifierSupply& supply, const SolverFactory& solver,
                                      const Progress& progress) {
    check(supply);
    if (chip.readout) check(*chip.readout);
    std::vector<LayerPower> layers = list_tiles(graph, chip, drive);
    std::vector<TileTask> tasks;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const double feedback =
            chip.readout ? detail::layer_feedback(graph, drive[i].layer, chip.tile, *chip.readout)
                         : 0;
        for (TilePower& tile : layers[i].tiles) tasks.push_back({&drive[i], &tile, feedback});
    }
    tbb::enumerable_thread_specific<std::unique_ptr<OperatingPointSolver>> solvers(solver);
    std::mutex mutex;
    std::size_t done = 0;
    tbb::parallel_for(std::size_t{0}, tasks.size(), [&](std::size_t i) {
        find_tile(graph, chip, tasks[i], supply, *solvers.local());
        const std::scoped_lock lock(mutex);
        ++done;
        if (progress) progress(done, tasks.size());
    });
    return layers;
}

}  // namespace kirchnet
