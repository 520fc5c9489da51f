#include "tools/input/deck_converters.hpp"

#include "circuit/error.hpp"
#include "nn/arm.hpp"
#include "tools/input/engines.hpp"
#include "tools/output/progress.hpp"

namespace kirchnet {
namespace {

/// As inference converts: what circuit arms' ranges are fitted on.
ArmSettings designed_arm(const Experiment& experiment, const TileSettings& settings) {
    ArmSettings arm{
        {settings}, experiment.converters.calibrate_on, experiment.converter_settings()};
    if (arm.operators == Operators::circuit) {
        arm.chip.readout = experiment.linear_readout();
        arm.correction = experiment.correction;
    }
    return arm;
}

/// Layers in front of converters, and their ranges.
Drivers fitted_drivers(const Graph& graph, const Experiment& experiment, const ArmSettings& arm,
                       const ExperimentImages& images) {
    const SolverFactory engine = engine_factory(experiment.engine);
    const BeginStep steps = [](const std::string& step) { return show_progress(step, ""); };
    ArmRunner runner(graph, images.test, images.calibration, engine, steps);
    ExtractedOperators operators = runner.extract(arm, "operators");
    const DesignCorrection correction = runner.fit_correction(arm, operators.layers, "correction");
    correct(correction, operators.layers);
    const Calibration ranges = runner.fit(arm, operators.layers, "ranges");
    return make_drivers(graph, std::move(operators.layers), ranges, arm.converters);
}

/// The same where ranges are known without any image: inputs are taken to be of one sign.
Drivers drivers_without_images(const Graph& graph, const ArmSettings& arm) {
    if (arm.converters.adc_range == AdcRange::calibrated)
        throw InvalidInput("readout.converters",
                           "ranges are calibrated on images: give --data, or "
                           "converters.adc_range = full or manual");
    std::vector<LayerOperators> layers =
        extract_operators(graph, ChipSettings{arm.chip.tile}, engine_factory("ideal"));
    Drivers drivers;
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        drivers.push_back(crossbar_driver(graph, layer, std::move(layers[layer])));
        set_dac(drivers.back(), arm.converters.dac(1, false));
    }
    const auto adcs = calibrate_adcs(graph, drivers, {}, arm.converters, arm.chip.tile);
    for (std::size_t layer = 0; layer < drivers.size(); ++layer) drivers[layer].adc = adcs[layer];
    return drivers;
}

}  // namespace

std::vector<OutputAdc> network_converters(const Graph& graph, const Experiment& experiment,
                                          const TileSettings& settings,
                                          const ExperimentImages* images) {
    const ArmSettings arm = designed_arm(experiment, settings);
    const Drivers drivers = images == nullptr ? drivers_without_images(graph, arm)
                                              : fitted_drivers(graph, experiment, arm, *images);
    std::vector<OutputAdc> converters;
    for (const LayerDriver& driver : drivers) {
        OutputAdc& of = converters.emplace_back();
        of.errors = arm.converters.adc_errors;
        of.columns_per_adc = arm.converters.timing.columns_per_adc;
        for (std::size_t k = 0; k < driver.adc.size(); ++k) {
            Adc& adc = of.adc.emplace_back(driver.adc[k]);
            // Entries times inputs, as a current of cells driven at the full read voltage.
            adc.range *= settings.device.span() * experiment.read_voltage /
                         (driver.operators.slices[k].unit * driver.full_scale());
        }
    }
    return converters;
}

}  // namespace kirchnet
