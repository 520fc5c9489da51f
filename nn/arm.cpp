#include "nn/arm.hpp"

#include <fmt/format.h>

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

std::vector<Dac> with_bits(std::vector<Dac> dacs, int bits) {
    for (Dac& dac : dacs) {
        dac.bits = bits;
        check(dac);
    }
    return dacs;
}

Adc adc_of(const LayerRange& range, int bits, bool is_signed) {
    Adc adc;
    adc.bits = bits;
    // A layer whose outputs are all zero still needs a range to divide by.
    adc.range = range.product > 0 ? static_cast<double>(range.product) : 1;
    adc.is_signed = is_signed;
    check(adc);
    return adc;
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

std::string_view to_string(Operators operators) {
    return operators == Operators::ideal ? "ideal" : "circuit";
}

Operators parse_operators(std::string_view text) {
    if (text == "ideal") return Operators::ideal;
    if (text == "circuit") return Operators::circuit;
    throw InvalidInput(fmt::format("'{}' is neither ideal nor circuit", text));
}

ArmSettings as_designed(ArmSettings arm) {
    arm.chip.faults.reset();
    arm.chip.devices.reset();
    return arm;
}

std::vector<Dac> calibrate_dacs(const Graph& graph, const LabelledImages& images, int bits,
                                const Progress& progress) {
    std::vector<Dac> dacs;
    for (const LayerRange& range :
         observe_ranges(graph, software_drivers(graph), images, progress)) {
        Dac dac;
        dac.range = range.input > 0 ? static_cast<double>(range.input) : 1;
        dac.is_signed = range.signed_input;
        dacs.push_back(dac);
    }
    return with_bits(std::move(dacs), bits);
}

ArmRunner::ArmRunner(const Graph& graph, const LabelledImages& test,
                     const LabelledImages& calibration, const SolverFactory& circuit,
                     const BeginStep& begin_step)
    : graph_(graph),
      test_(test),
      calibration_(calibration),
      circuit_(circuit),
      begin_step_(begin_step) {}

const std::vector<Dac>& ArmRunner::input_ranges() {
    if (input_ranges_.empty())
        input_ranges_ = calibrate_dacs(graph_, calibration_, 0, begin("input ranges"));
    return input_ranges_;
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

Calibration ArmRunner::fit(const ArmSettings& designed, const std::vector<LayerOperators>& layers,
                           const std::string& step) {
    Calibration calibration{with_bits(input_ranges(), designed.converters.dac_bits), {}};
    const auto ranges = observe_ranges(graph_, drivers_of(graph_, layers, calibration.dac),
                                       calibration_, begin(step));
    for (std::size_t layer = 0; layer < ranges.size(); ++layer)
        calibration.adc.push_back(adc_of(
            ranges[layer], designed.converters.adc_bits,
            has_column_pair(designed.chip.tile.mapping) || calibration.dac[layer].is_signed));
    return calibration;
}

Calibration ArmRunner::without_adc(const ArmSettings& arm) {
    Adc continuous;
    continuous.bits = 0;
    return {with_bits(input_ranges(), arm.converters.dac_bits),
            std::vector<Adc>(graph_.layers().size(), continuous)};
}

ArmResult ArmRunner::run(const ArmSettings& arm, ExtractedOperators operators,
                         const Calibration& ranges, const std::string& step) const {
    ArmResult result;
    result.mapping = arm.chip.tile.mapping;
    result.operators = arm.operators;
    result.faulty = arm.chip.faults.has_value() || arm.chip.devices.has_value();
    result.operator_seconds = operators.seconds;
    find_worst_tile(operators.layers, result);
    Drivers drivers = drivers_of(graph_, std::move(operators.layers), ranges.dac);
    for (std::size_t layer = 0; layer < drivers.size(); ++layer)
        drivers[layer].adc = ranges.adc[layer];
    result.inference = run_inference(graph_, drivers, test_, begin(step));
    return result;
}

}  // namespace kirchnet
