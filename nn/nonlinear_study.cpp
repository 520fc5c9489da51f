#include "nn/nonlinear_study.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "circuit/ideal_solver.hpp"
#include "circuit/random.hpp"
#include "nn/tiling.hpp"

namespace kirchnet {
namespace {

Drivers drivers_of(const Graph& graph, std::vector<LayerOperators> operators,
                   const std::vector<Dac>& dacs) {
    Drivers drivers;
    for (std::size_t layer = 0; layer < operators.size(); ++layer) {
        drivers.push_back(crossbar_driver(graph, layer, std::move(operators[layer])));
        set_dac(drivers.back(), dacs[layer]);
    }
    return drivers;
}

/// Adds up operating points for a progress bar that knows their total.
PointsDone counted(const Progress& progress, std::uint64_t total) {
    if (!progress) return {};
    return [progress, total, done = std::uint64_t{0}](std::uint64_t points) mutable {
        done += points;
        progress(done, total);
    };
}

/// The linear operator's tile outputs, in double.
Eigen::MatrixXd linear_outputs(const TileOperator& tile,
                               const std::vector<PositionMatrix>& fractions) {
    const Eigen::Map<const PositionMatrix> weights(
        tile.weights.data(), static_cast<Index>(tile.outputs), static_cast<Index>(tile.rows));
    return weights.cast<double>() *
           fractions[tile.group]
               .middleRows(static_cast<Index>(tile.first_row), static_cast<Index>(tile.rows))
               .cast<double>();
}

/// What the samples of one layer add up to.
class Sums {
  public:
    explicit Sums(double half_lsb) : half_lsb_(half_lsb) {}

    void add(const Eigen::MatrixXd& linear, const Eigen::MatrixXd& exact) {
        const Eigen::ArrayXXd difference = (linear - exact).array().abs();
        linear_ += linear.squaredNorm();
        exact_ += exact.squaredNorm();
        product_ += linear.cwiseProduct(exact).sum();
        squares_ += difference.square().sum();
        worst_ = std::max(worst_, difference.maxCoeff());
        off_ += (difference > half_lsb_).count();
        samples_ += difference.size();
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
        error.off_share = half_lsb_ > 0 ? static_cast<double>(off_) / samples : 0;
    }

  private:
    double half_lsb_;
    double linear_ = 0;
    double exact_ = 0;
    double product_ = 0;
    double squares_ = 0;
    double worst_ = 0;
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

Drivers circuit_drivers(const Graph& graph, const TileSettings& tile,
                        const std::optional<FaultSource>& faults,
                        const ConverterSettings& converters, const LabelledImages& calibration,
                        const SolverFactory& circuit,
                        const std::function<Progress(const std::string& step)>& begin_step) {
    const auto step = [&](const std::string& name) {
        return begin_step ? begin_step(name) : Progress{};
    };
    const SolverFactory ideal = [] { return std::make_unique<IdealSolver>(); };
    const bool fits_ideal = converters.calibrate_on == Operators::ideal;
    const auto dacs = calibrate_dacs(graph, calibration, converters.dac_bits, step("input ranges"));
    Drivers drivers = drivers_of(graph,
                                 extract_operators(graph, tile, std::nullopt,
                                                   fits_ideal ? ideal : circuit, step("operators")),
                                 dacs);
    const auto ranges = observe_ranges(graph, drivers, calibration, step("output ranges"));
    if (fits_ideal || faults)
        drivers = drivers_of(
            graph, extract_operators(graph, tile, faults, circuit, step("operators")), dacs);
    for (std::size_t layer = 0; layer < drivers.size(); ++layer)
        drivers[layer].adc = fit_adc(ranges[layer], converters.adc_bits, tile.mapping, dacs[layer]);
    return drivers;
}

bool is_good_enough(const LayerError& error) {
    return error.lsb > 0 ? error.rms_lsb() <= accepted_lsb
                         : error.relative_rms() <= accepted_relative;
}

NonlinearStudy::NonlinearStudy(const Graph& graph, const Drivers& drivers,
                               NonlinearSettings settings, const SolverFactory& engine)
    : graph_(graph), drivers_(drivers), settings_(std::move(settings)), engine_(engine) {}

bool NonlinearStudy::is_chosen(std::size_t layer) const {
    return std::binary_search(settings_.layers.begin(), settings_.layers.end(), layer);
}

NonlinearLayer NonlinearStudy::arrays_of(std::size_t layer) const {
    return {graph_, layer, settings_.tile, settings_.faults, settings_.cells};
}

std::size_t NonlinearStudy::sampled(std::size_t layer, std::size_t images) const {
    const std::size_t all = images * graph_.geometry(layer).positions();
    return settings_.positions == 0 ? all : std::min(all, settings_.positions);
}

std::uint64_t NonlinearStudy::arrays_in(std::size_t layer) const {
    const bool has_two =
        has_column_pair(settings_.tile.mapping) && settings_.tile.layout == Layout::split;
    return static_cast<std::uint64_t>(tile_layer(graph_, layer, settings_.tile).tiles()) *
           (has_two ? 2 : 1);
}

std::uint64_t NonlinearStudy::points_of_layers(std::size_t images) const {
    std::uint64_t points = 0;
    for (const std::size_t layer : settings_.layers)
        points += sampled(layer, images) * arrays_in(layer);
    return points;
}

std::uint64_t NonlinearStudy::points_of_network(std::size_t images) const {
    std::uint64_t points = 0;
    for (const std::size_t layer : settings_.layers)
        points += images * graph_.geometry(layer).positions() * arrays_in(layer);
    return points;
}

std::vector<PositionMatrix> NonlinearStudy::sample(std::vector<PositionMatrix> fractions,
                                                   std::size_t layer, std::size_t images) const {
    const std::size_t count = sampled(layer, images);
    const auto all = static_cast<std::size_t>(fractions.front().cols());
    const auto places = sample_places(all, count, settings_.seed, layer);
    for (PositionMatrix& group : fractions) {
        PositionMatrix chosen(group.rows(), static_cast<Index>(count));
        for (std::size_t i = 0; i < count; ++i)
            chosen.col(static_cast<Index>(i)) = group.col(static_cast<Index>(places[i]));
        group = std::move(chosen);
    }
    return fractions;
}

LayerError NonlinearStudy::error_of(std::size_t layer, const FeatureMaps& in,
                                    const PointsDone& done) const {
    const LayerDriver& driver = drivers_[layer];
    const NonlinearLayer arrays = arrays_of(layer);
    const auto fractions = sample(input_fractions(driver, in), layer, in.images);
    LayerError error;
    error.layer = layer;
    error.arrays = arrays.arrays();
    error.lsb = driver.adc.bits > 0 ? driver.adc.lsb() : 0;
    const auto products = arrays.read(fractions, engine_, error.effort, done);
    Sums sums(error.lsb / 2);
    for (std::size_t i = 0; i < products.size(); ++i)
        sums.add(linear_outputs(driver.operators.tiles[i], fractions), products[i].cast<double>());
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
                pass.layers.push_back(error_of(layer, in, done));
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
            const auto fractions = input_fractions(driver, in);
            const auto products = arrays_of(layer).read(fractions, engine_, pass.effort, done);
            finish_layer(driver, fractions, products, tail, out, unused);
        });
    return pass;
}

}  // namespace kirchnet
