// docs/methods/power.md. With E[v vᵀ] = Σ m mᵀ over all inputs, the modes m are solved in the place
// of all inputs.
#include "nn/drive.hpp"

#include <fmt/format.h>
#include <tbb/enumerable_thread_specific.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "circuit/error.hpp"

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
const RowDrive& drive_of(const LayerDrive& layer, const RowDrive& rows) {
    const auto found = std::find_if(layer.rows.begin(), layer.rows.end(),
                                    [&](const RowDrive& of) { return is_same_rows(of, rows); });
    if (found == layer.rows.end())
        throw InvalidInput("word-line inputs", "were observed with other tiles");
    return *found;
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

}  // namespace kirchnet
