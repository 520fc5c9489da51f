// docs/methods/power.md. An array's power is vᵀ Y v, and each block's is vᵀ Q v. With
// E[v vᵀ] = Σ m mᵀ, E[vᵀ Q v] = tr(Q E[v vᵀ]) = Σ mᵀ Q m: the modes m are solved in the place of
// all inputs.
#include "nn/power.hpp"

#include <fmt/format.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <mutex>

#include "circuit/error.hpp"
#include "nn/detail/readout_fold.hpp"

namespace kirchnet {
namespace {

/// Whole numbers that stand for inputs while sums are formed: exact in double, whichever thread
/// comes first.
double codes_of(const LayerDriver& driver) {
    constexpr double of_continuous = 4096;
    if (!driver.samples_once()) return driver.reads.front().full_levels;
    return driver.dac.bits == 0 ? of_continuous : driver.dac.levels();
}

/// The inputs of largest Σ|v| so far, no two alike.
class StrongestInputs {
  public:
    explicit StrongestInputs(std::size_t most) : most_(most) {}

    /// @param inputs  [rows × inputs]
    void add(const Eigen::MatrixXd& inputs) {
        if (most_ == 0) return;
        const Eigen::RowVectorXd sums = inputs.cwiseAbs().colwise().sum();
        for (Index k = 0; k < inputs.cols(); ++k)
            if (kept_.size() < most_ || sums(k) >= kept_.back().sum)
                insert({sums(k), inputs.col(k)});
    }
    void merge(const StrongestInputs& other) {
        for (const Input& input : other.kept_) insert(input);
    }
    /// [rows × kept]
    [[nodiscard]] Eigen::MatrixXd inputs(std::size_t rows) const {
        Eigen::MatrixXd result(static_cast<Index>(rows), static_cast<Index>(kept_.size()));
        for (std::size_t k = 0; k < kept_.size(); ++k)
            result.col(static_cast<Index>(k)) = kept_[k].values;
        return result;
    }

  private:
    struct Input {
        double sum;
        Eigen::VectorXd values;
    };

    /// By what they hold where sums are equal, so that no order of threads matters.
    static bool is_before(const Input& x, const Input& y) {
        if (x.sum != y.sum) return x.sum > y.sum;
        return std::lexicographical_compare(x.values.begin(), x.values.end(), y.values.begin(),
                                            y.values.end());
    }

    void insert(const Input& input) {
        const auto place = std::lower_bound(kept_.begin(), kept_.end(), input, is_before);
        if (place != kept_.end() && !is_before(input, *place)) return;
        kept_.insert(place, input);
        if (kept_.size() > most_) kept_.pop_back();
    }

    std::size_t most_;
    std::vector<Input> kept_;  ///< in order
};

/// Sums over the inputs of one range of rows.
struct RowSums {
    Eigen::MatrixXd second;  ///< lower half of Σ v vᵀ
    StrongestInputs strongest;

    void add(const Eigen::MatrixXd& inputs) {
        second.selfadjointView<Eigen::Lower>().rankUpdate(inputs);
        strongest.add(inputs);
    }
    void merge(const RowSums& other) {
        second += other.second;
        strongest.merge(other.strongest);
    }
};

RowDrive rows_of(const LayerGeometry& geometry, const WeightBlock& block,
                 const TileSettings& settings) {
    RowDrive rows;
    rows.group =
        static_cast<std::size_t>(block.first_output_channel) / geometry.outputs_per_group();
    rows.first_row = static_cast<std::size_t>(block.tile_row * settings.array.word_lines);
    rows.rows = static_cast<std::size_t>(block.weights.rows());
    return rows;
}

bool is_same_rows(const RowDrive& x, const RowDrive& y) {
    return x.group == y.group && x.first_row == y.first_row && x.rows == y.rows;
}

/// The ranges of rows that a layer's tiles have.
std::vector<RowDrive> list_rows(const Graph& graph, std::size_t layer,
                                const TileSettings& settings) {
    std::vector<RowDrive> list;
    for (const TilePlace& place : tile_places(tile_layer(graph, layer, settings))) {
        if (place.slice > 0) continue;
        const RowDrive rows =
            rows_of(graph.geometry(layer),
                    weight_block(graph, layer, settings, place.row, place.column), settings);
        if (std::none_of(list.begin(), list.end(),
                         [&](const RowDrive& known) { return is_same_rows(known, rows); }))
            list.push_back(rows);
    }
    return list;
}

/// One thread's sums over everything that is looked at.
class DriveSums {
  public:
    DriveSums(const Drivers& drivers, const std::vector<LayerDrive>& drive, std::size_t strongest)
        : drivers_(drivers), drive_(drive) {
        for (const LayerDrive& layer : drive)
            for (const RowDrive& rows : layer.rows) {
                const auto size = static_cast<Index>(rows.rows);
                sums_.push_back({Eigen::MatrixXd::Zero(size, size), StrongestInputs(strongest)});
            }
    }

    void add(std::size_t layer, const FeatureMaps& in) {
        std::size_t slot = 0;
        for (const LayerDrive& of : drive_) {
            if (of.layer == layer) return add_layer(of, slot, in);
            slot += of.rows.size();
        }
    }

    void merge(const DriveSums& other) {
        for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i].merge(other.sums_[i]);
    }

    [[nodiscard]] const std::vector<RowSums>& sums() const { return sums_; }

  private:
    void add_layer(const LayerDrive& of, std::size_t slot, const FeatureMaps& in) {
        const LayerDriver& driver = drivers_[of.layer];
        const double codes = codes_of(driver);
        for (const ReadInputs& read : read_inputs(driver, in, workspace_)) {
            const double factor = codes / read.full_scale;
            for (std::size_t i = 0; i < of.rows.size(); ++i) {
                const RowDrive& rows = of.rows[i];
                const std::size_t first =
                    rows.group * driver.geometry.rows_per_group() + rows.first_row;
                const Eigen::MatrixXd inputs =
                    (read.values
                         .middleRows(static_cast<Index>(first), static_cast<Index>(rows.rows))
                         .cast<double>() *
                     factor)
                        .array()
                        .round();
                sums_[slot + i].add(inputs);
            }
        }
    }

    const Drivers& drivers_;
    const std::vector<LayerDrive>& drive_;
    std::vector<RowSums> sums_;
    DriverWorkspace workspace_;
};

/// Columns m with Σ m mᵀ = `second`, those that rounding alone makes left out.
Eigen::MatrixXd modes_of(const Eigen::MatrixXd& second) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(second);
    const Eigen::VectorXd& values = solver.eigenvalues();  // ascending
    const double least = values(values.size() - 1) * 1e-14;
    const Index kept = (values.array() > std::max(least, 0.0)).count();
    return solver.eigenvectors().rightCols(kept) * values.tail(kept).cwiseSqrt().asDiagonal();
}

struct TileTask {
    const LayerDrive* drive;
    TilePower* result;
    double feedback;  ///< R_f of the layer's amplifiers [ohm]; 0 for an ideal read-out
};

const RowDrive& drive_of(const LayerDrive& layer, const RowDrive& rows) {
    const auto found = std::find_if(layer.rows.begin(), layer.rows.end(),
                                    [&](const RowDrive& of) { return is_same_rows(of, rows); });
    if (found == layer.rows.end())
        throw InvalidInput("word-line inputs", "were observed with other tiles");
    return *found;
}

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

std::vector<LayerDrive> observe_drive(const Graph& graph, const std::vector<Dac>& dacs,
                                      const LabelledImages& images, const DriveSettings& settings,
                                      const Progress& progress) {
    if (!std::isfinite(settings.read_voltage) || settings.read_voltage <= 0)
        throw InvalidInput("read voltage", fmt::format("{} V is not a finite number above 0",
                                                       settings.read_voltage));
    const Drivers software = software_drivers(graph);
    Drivers converting = software;
    std::vector<LayerDrive> drive;
    for (const std::size_t layer : settings.layers) {
        set_dac(converting[layer], dacs[layer]);
        drive.push_back({layer,
                         converting[layer].geometry.positions() * converting[layer].reads.size(),
                         list_rows(graph, layer, settings.tile)});
    }
    tbb::enumerable_thread_specific<DriveSums> sums(
        [&] { return DriveSums(converting, drive, settings.strongest); });
    visit_layers(
        graph, software, images,
        [&](std::size_t layer, const FeatureMaps& in) { sums.local().add(layer, in); }, progress);
    DriveSums total(converting, drive, settings.strongest);
    for (const DriveSums& of_thread : sums) total.merge(of_thread);
    std::size_t slot = 0;
    for (LayerDrive& layer : drive) {
        const double volt = settings.read_voltage / codes_of(converting[layer.layer]);
        const double inputs = static_cast<double>(layer.reads * images.size());
        for (RowDrive& rows : layer.rows) {
            const RowSums& of = total.sums()[slot++];
            rows.modes = modes_of(Eigen::MatrixXd(of.second.selfadjointView<Eigen::Lower>()) *
                                  (volt * volt / inputs));
            rows.strongest = of.strongest.inputs(rows.rows) * volt;
        }
    }
    return drive;
}

const RowDrive& drive_of_tile(const Graph& graph, const LayerDrive& drive, const Tile& tile) {
    return drive_of(drive, rows_of(graph.geometry(drive.layer), tile.block(), tile.settings()));
}

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
