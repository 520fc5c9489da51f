#include "nn/nonlinear_study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "circuit/error.hpp"
#include "circuit/random.hpp"

namespace kirchnet {
namespace {

/// Adds up operating points for a progress bar that knows their total.
PointsDone counted(const Progress& progress, std::uint64_t total) {
    if (!progress) return {};
    return [progress, total, done = std::uint64_t{0}](std::uint64_t points) mutable {
        done += points;
        progress(done, total);
    };
}

/// One side of a tile's operator.
struct OperatorSide {
    const std::vector<float>& entries;
    const std::vector<float>& offset;
};

/// What a linear operator gives for these inputs of its rows, in double.
Eigen::MatrixXd linear_samples(const TileOperator& tile, const OperatorSide& side,
                               const ReadInputs& inputs, std::size_t rows_per_group) {
    const Eigen::Map<const PositionMatrix> weights(
        side.entries.data(), static_cast<Index>(tile.outputs), static_cast<Index>(tile.rows));
    const auto first = static_cast<Index>(tile.group * rows_per_group + tile.first_row);
    Eigen::MatrixXd samples =
        weights.cast<double>() *
        inputs.values.middleRows(first, static_cast<Index>(tile.rows)).cast<double>();
    if (side.offset.empty()) return samples;
    const Eigen::Map<const Eigen::VectorXf> offset(side.offset.data(), samples.rows());
    return samples.colwise() + inputs.full_scale * offset.cast<double>();
}

/// What the samples of one layer add up to.
class Sums {
  public:
    /// @param adc  of these samples
    void add(const Eigen::MatrixXd& linear, const Eigen::MatrixXd& exact, const Adc& adc) {
        const Eigen::ArrayXXd difference = (linear - exact).array().abs();
        linear_ += linear.squaredNorm();
        exact_ += exact.squaredNorm();
        product_ += linear.cwiseProduct(exact).sum();
        squares_ += difference.square().sum();
        worst_ = std::max(worst_, difference.maxCoeff());
        samples_ += difference.size();
        if (adc.bits == 0) return;
        const Eigen::ArrayXXd in_lsb = difference / adc.lsb();
        squares_lsb_ += in_lsb.square().sum();
        worst_lsb_ = std::max(worst_lsb_, in_lsb.maxCoeff());
        off_ += (in_lsb > 0.5).count();
    }

    void give(LayerError& error) const {
        const auto samples = static_cast<double>(samples_);
        error.samples = static_cast<std::size_t>(samples_);
        error.signal = std::sqrt(exact_ / samples);
        error.rms = std::sqrt(squares_ / samples);
        error.worst = worst_;
        error.gain = linear_ > 0 ? product_ / linear_ : 1;
        // Least squares leave what is at right angles to the linear outputs.
        error.rms_left = std::sqrt(std::max(0.0, exact_ - error.gain * product_) / samples);
        error.rms_lsb = std::sqrt(squares_lsb_ / samples);
        error.worst_lsb = worst_lsb_;
        error.off_share = static_cast<double>(off_) / samples;
    }

  private:
    double linear_ = 0;
    double exact_ = 0;
    double product_ = 0;
    double squares_ = 0;
    double worst_ = 0;
    double squares_lsb_ = 0;
    double worst_lsb_ = 0;
    Index off_ = 0;
    Index samples_ = 0;
};

/// `count` of `total` places, rising, the same for the same seed and layer.
std::vector<std::size_t> sample_places(std::size_t total, std::size_t count, std::uint64_t seed,
                                       std::size_t layer) {
    std::vector<std::size_t> places(total);
    std::iota(places.begin(), places.end(), std::size_t{0});
    for (std::size_t i = 0; i < count; ++i) {
        const double u = keyed_uniform(seed, stream_of("nonlinear positions"), {layer, i, 0, 0});
        std::swap(places[i],
                  places[i + static_cast<std::size_t>(u * static_cast<double>(total - i))]);
    }
    places.resize(count);
    std::sort(places.begin(), places.end());
    return places;
}

}  // namespace

Drivers circuit_drivers(const Graph& graph, const ChipSettings& chip,
                        const ConverterSettings& converters, const LabelledImages& calibration,
                        const SolverFactory& circuit, const BeginStep& begin_step) {
    ArmRunner runner(graph, calibration, calibration, circuit, begin_step);  // tests no image
    const ArmSettings arm{chip, Operators::circuit, converters};
    ArmSettings designed = as_designed(arm);
    designed.operators = converters.calibrate_on;
    if (designed.operators == Operators::ideal) designed.chip.readout.reset();
    ExtractedOperators operators = runner.extract(designed, "operators");
    const Calibration ranges = runner.fit(designed, operators.layers, "output ranges");
    if (designed.operators == Operators::ideal || chip.has_deviations())
        operators = runner.extract(arm, "operators");
    return make_drivers(graph, std::move(operators.layers), ranges, converters);
}

void check_study(const Graph& graph, const ChipSettings& chip, const NonlinearCells& cells) {
    if (graph.is_detector())
        throw InvalidInput(fmt::format("network {}", graph.network().name),
                           "finds objects; nonlinear cells are studied in networks that give an "
                           "image its class");
    require_one_nonlinearity(chip, cells);
}

bool is_good_enough(const LayerError& error) {
    return error.has_adc ? error.rms_lsb <= accepted_lsb
                         : error.relative_rms() <= accepted_relative;
}

NonlinearStudy::NonlinearStudy(const Graph& graph, const Drivers& drivers,
                               NonlinearSettings settings, const SolverFactory& engine)
    : graph_(graph), drivers_(drivers), settings_(std::move(settings)), engine_(engine) {
    check_study(graph, settings_.chip, settings_.cells);
}

bool NonlinearStudy::is_chosen(std::size_t layer) const {
    return std::binary_search(settings_.layers.begin(), settings_.layers.end(), layer);
}

NonlinearLayer NonlinearStudy::arrays_of(std::size_t layer) const {
    return {graph_, layer, settings_.chip, settings_.cells};
}

std::size_t NonlinearStudy::sampled(std::size_t layer, std::size_t images) const {
    const std::size_t all = images * graph_.geometry(layer).positions();
    return settings_.positions == 0 ? all : std::min(all, settings_.positions);
}

std::uint64_t NonlinearStudy::points_per_position(std::size_t layer) const {
    const TileSettings& tile = settings_.chip.tile;
    const bool has_two = has_column_pair(tile.mapping) && tile.layout == Layout::split;
    return drivers_[layer].operators.tiles.size() * drivers_[layer].reads.size() *
           (has_two ? 2 : 1);
}

std::uint64_t NonlinearStudy::points_of_layers(std::size_t images) const {
    std::uint64_t points = 0;
    for (const std::size_t layer : settings_.layers)
        points += sampled(layer, images) * points_per_position(layer);
    return points;
}

std::uint64_t NonlinearStudy::points_of_network(std::size_t images) const {
    std::uint64_t points = 0;
    for (const std::size_t layer : settings_.layers)
        points += images * graph_.geometry(layer).positions() * points_per_position(layer);
    return points;
}

std::vector<ReadInputs> NonlinearStudy::sample(std::vector<ReadInputs> inputs, std::size_t layer,
                                               std::size_t images) const {
    const std::size_t count = sampled(layer, images);
    const auto all = static_cast<std::size_t>(inputs.front().values.cols());
    const auto places = sample_places(all, count, settings_.seed, layer);
    for (ReadInputs& read : inputs) {
        PositionMatrix chosen(read.values.rows(), static_cast<Index>(count));
        for (std::size_t i = 0; i < count; ++i)
            chosen.col(static_cast<Index>(i)) = read.values.col(static_cast<Index>(places[i]));
        read.values = std::move(chosen);
    }
    return inputs;
}

LayerError NonlinearStudy::error_of(std::size_t layer, const FeatureMaps& in,
                                    DriverWorkspace& workspace, const PointsDone& done) const {
    const LayerDriver& driver = drivers_[layer];
    const NonlinearLayer arrays = arrays_of(layer);
    const auto inputs = sample(read_inputs(driver, in, workspace), layer, in.images);
    LayerError error;
    error.layer = layer;
    error.arrays = arrays.arrays();
    error.positions = sampled(layer, in.images);
    error.has_adc = driver.adc.front().bits > 0;
    const LayerSamples samples = arrays.read(inputs, engine_, error.effort, done);
    Sums sums;
    const auto add = [&](const TileOperator& tile, const OperatorSide& side, const ReadInputs& read,
                         const PositionMatrix& exact) {
        sums.add(linear_samples(tile, side, read, driver.geometry.rows_per_group()),
                 exact.cast<double>(), driver.adc[tile.slice]);
    };
    for (std::size_t read = 0; read < samples.size(); ++read)
        for (std::size_t i = 0; i < samples[read].size(); ++i) {
            const TileOperator& tile = driver.operators.tiles[i];
            add(tile, {tile.weights, tile.offset}, inputs[read], samples[read][i].a);
            if (driver.operators.reads_sides)
                add(tile, {tile.weights_b, tile.offset_b}, inputs[read], samples[read][i].b);
        }
    sums.give(error);
    return error;
}

LinearPass NonlinearStudy::compare_layers(
    const LabelledImages& images, const Progress& progress,
    const std::function<void(const LayerError&)>& finished) const {
    LinearPass pass;
    DriverWorkspace workspace;
    AdcCount unused;
    const PointsDone done = counted(progress, points_of_layers(images.size()));
    pass.outputs = network_outputs(
        graph_, images,
        [&](std::size_t layer, const FeatureMaps& in, FeatureMaps& out, const DigitalTail& tail) {
            if (is_chosen(layer)) {
                pass.layers.push_back(error_of(layer, in, workspace, done));
                if (finished) finished(pass.layers.back());
            }
            run_layer(drivers_[layer], in, out, workspace, unused, nullptr, tail);
        });
    return pass;
}

NonlinearPass NonlinearStudy::run_network(const LabelledImages& images,
                                          const Progress& progress) const {
    NonlinearPass pass;
    DriverWorkspace workspace;
    AdcCount unused;
    const PointsDone done = counted(progress, points_of_network(images.size()));
    pass.outputs = network_outputs(
        graph_, images,
        [&](std::size_t layer, const FeatureMaps& in, FeatureMaps& out, const DigitalTail& tail) {
            const LayerDriver& driver = drivers_[layer];
            if (!is_chosen(layer)) {
                run_layer(driver, in, out, workspace, unused, nullptr, tail);
                return;
            }
            const LayerSamples samples = arrays_of(layer).read(read_inputs(driver, in, workspace),
                                                               engine_, pass.effort, done);
            finish_layer(driver, in, samples, out, workspace, unused, tail);
        });
    return pass;
}

}  // namespace kirchnet
