#include "nn/arm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"

namespace kirchnet {
namespace {

Drivers drivers_of(const Graph& graph, std::vector<LayerOperators> layers,
                   const std::vector<Dac>& dacs) {
    Drivers drivers;
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        drivers.push_back(crossbar_driver(graph, layer, std::move(layers[layer])));
        set_dac(drivers.back(), dacs[layer]);
    }
    return drivers;
}

bool has_noisy_samples(const LayerOperators& operators) {
    return std::any_of(operators.slices.begin(), operators.slices.end(),
                       [](const OperatorSlice& slice) { return slice.noise > 0; });
}

void find_worst_tile(const std::vector<LayerOperators>& layers, ArmResult& arm) {
    for (std::size_t layer = 0; layer < layers.size(); ++layer)
        for (std::size_t tile = 0; tile < layers[layer].tiles.size(); ++tile)
            if (const double deviation = layers[layer].tiles[tile].wire_deviation;
                deviation > arm.worst_deviation) {
                arm.worst_deviation = deviation;
                arm.worst_layer = layer;
                arm.worst_tile = tile;
            }
}

}  // namespace

ArmSettings as_designed(ArmSettings arm) {
    arm.chip.faults.reset();
    arm.chip.devices.reset();
    arm.chip.given.reset();
    return arm;
}

Drivers make_drivers(const Graph& graph, std::vector<LayerOperators> layers,
                     const Calibration& ranges, const ConverterSettings& converters) {
    Drivers drivers = drivers_of(graph, std::move(layers), ranges.dac);
    for (std::size_t layer = 0; layer < drivers.size(); ++layer) {
        LayerDriver& driver = drivers[layer];
        driver.adc = ranges.adc[layer];
        if (driver.adc.front().bits > 0 &&
            (converters.adc_errors.are_there() || has_noisy_samples(driver.operators)))
            driver.adcs.emplace(converters.adc_errors, graph.layer_name(layer), driver.operators,
                                LayerConverters{driver.adc, driver.full_scale(),
                                                converters.timing.columns_per_adc});
    }
    return drivers;
}

ArmRunner::ArmRunner(const Graph& graph, const LabelledImages& test,
                     const LabelledImages& calibration, const SolverFactory& circuit,
                     const BeginStep& begin_step)
    : graph_(graph),
      test_(test),
      calibration_(calibration),
      circuit_(circuit),
      begin_step_(begin_step) {}

/// Input ranges are observed once; what converters make of them may differ from arm to arm.
std::vector<Dac> ArmRunner::fit_dacs(const ConverterSettings& converters) {
    if (input_ranges_.empty())
        input_ranges_ = calibrate_dacs(graph_, calibration_, {}, begin("input ranges"));
    std::vector<Dac> dacs;
    for (const Dac& observed : input_ranges_)
        dacs.push_back(converters.dac(observed.range, observed.is_signed));
    return dacs;
}

ExtractedOperators ArmRunner::extract(const ArmSettings& arm, const std::string& step) const {
    const SolverFactory ideal = [] { return std::make_unique<IdealSolver>(); };
    const auto start = std::chrono::steady_clock::now();
    ExtractedOperators result;
    result.layers = extract_operators(
        graph_, arm.chip, arm.operators == Operators::ideal ? ideal : circuit_, begin(step));
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return result;
}

std::vector<LayerMoments> ArmRunner::moments_of(const ConverterSettings& converters,
                                                const std::vector<LayerOperators>& layers,
                                                const std::string& step) {
    const bool is_known = !moments_.empty() && moment_bits_ == converters.dac_bits &&
                          std::equal(layers.begin(), layers.end(), moments_.begin(), has_moments);
    if (!is_known) {
        const std::vector<Dac> dacs = fit_dacs(converters);
        moments_ = observe_moments(graph_, layers, dacs, calibration_, begin(step));
        moment_bits_ = converters.dac_bits;
    }
    return moments_;
}

DesignCorrection ArmRunner::fit_correction(const ArmSettings& designed,
                                           const std::vector<LayerOperators>& layers,
                                           const std::string& step) {
    const CorrectionSettings& settings = designed.correction;
    if (settings.kind == CorrectionKind::none || designed.operators == Operators::ideal) return {};
    check(settings, designed.chip.tile, designed.converters);
    ArmSettings ideal = designed;
    ideal.operators = Operators::ideal;
    ideal.chip.readout.reset();
    DesignCorrection result{settings, {}, {}};
    result.goal.ideal = extract(ideal, step + ": ideal operators").layers;
    result.goal.moments = moments_of(designed.converters, layers, step + ": inputs");
    result.designed = kirchnet::fit_correction(settings.kind, result.goal, layers);
    if (settings.fit_on == CorrectionFit::designed) result.goal = {};
    return result;
}

Calibration ArmRunner::fit(const ArmSettings& designed, const std::vector<LayerOperators>& layers,
                           const std::string& step) {
    Calibration calibration{fit_dacs(designed.converters), {}};
    calibration.adc =
        calibrate_adcs(graph_, drivers_of(graph_, layers, calibration.dac), calibration_,
                       designed.converters, designed.chip.tile, begin(step));
    return calibration;
}

Calibration ArmRunner::without_adc(const ArmSettings& arm) {
    Adc continuous;
    continuous.bits = 0;
    const auto slices = static_cast<std::size_t>(slice_count(arm.chip.tile));
    return {fit_dacs(arm.converters),
            {graph_.layers().size(), std::vector<Adc>(slices, continuous)}};
}

ArmResult ArmRunner::run(const ArmSettings& arm, ExtractedOperators operators,
                         const Calibration& ranges, const std::string& step) const {
    ArmResult result;
    result.mapping = arm.chip.tile.mapping;
    result.operators = arm.operators;
    result.faulty = arm.chip.has_deviations();
    result.operator_seconds = operators.seconds;
    find_worst_tile(operators.layers, result);
    const Drivers drivers =
        make_drivers(graph_, std::move(operators.layers), ranges, arm.converters);
    result.timing = read_timing(drivers, arm.converters.timing);
    result.inference = run_inference(graph_, drivers, test_, begin(step));
    return result;
}

}  // namespace kirchnet
