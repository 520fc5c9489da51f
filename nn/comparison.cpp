#include "nn/comparison.hpp"

#include <fmt/format.h>

#include <chrono>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"

namespace kirchnet {
namespace {

struct ExtractedOperators {
    std::vector<LayerOperators> layers;
    double seconds = 0;
};

/// One comparison on its way: what all its steps share.
class Run {
  public:
    Run(const Graph& graph, const LabelledImages& test, const LabelledImages& calibration,
        const ComparisonSettings& settings, const SolverFactory& circuit,
        const ComparisonObserver& observer)
        : graph_(graph),
          test_(test),
          calibration_images_(calibration),
          settings_(settings),
          circuit_(circuit),
          observer_(observer) {}

    void run() {
        dacs_ = calibrate_dacs(graph_, calibration_images_, settings_.converters.dac_bits,
                               step("input ranges"));
        for (const Mapping mapping : settings_.mappings) run_mapping(mapping);
    }

  private:
    void run_mapping(Mapping mapping) {
        ExtractedOperators ideal = extract(mapping, Operators::ideal, false);
        ExtractedOperators circuit = extract(mapping, Operators::circuit, false);
        ideal_ranges_ = calibrate(mapping, Operators::ideal, ideal.layers);
        circuit_ranges_ = settings_.converters.calibrate_on == Operators::ideal
                              ? ideal_ranges_
                              : calibrate(mapping, Operators::circuit, circuit.layers);
        if (observer_.calibrated) {
            observer_.calibrated(mapping, Operators::ideal, ideal_ranges_);
            observer_.calibrated(mapping, Operators::circuit, circuit_ranges_);
        }
        run_arm(mapping, Operators::ideal, false, std::move(ideal));
        run_arm(mapping, Operators::circuit, false, std::move(circuit));
        if (!settings_.faults) return;
        for (const Operators operators : {Operators::ideal, Operators::circuit})
            run_arm(mapping, operators, true, extract(mapping, operators, true));
    }

    ExtractedOperators extract(Mapping mapping, Operators operators, bool faulty) {
        TileSettings tile = settings_.tile;
        tile.mapping = mapping;
        const SolverFactory ideal = [] { return std::make_unique<IdealSolver>(); };
        const auto start = std::chrono::steady_clock::now();
        ExtractedOperators result;
        result.layers = extract_operators(
            graph_, tile, faulty ? settings_.faults : std::nullopt,
            operators == Operators::ideal ? ideal : circuit_,
            step(fmt::format("{} {} operators{}", to_string(mapping), to_string(operators),
                             faulty ? " with faults" : "")));
        result.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        return result;
    }

    Drivers drivers_of(std::vector<LayerOperators> layers) {
        Drivers drivers;
        for (std::size_t layer = 0; layer < layers.size(); ++layer) {
            drivers.push_back(crossbar_driver(graph_, layer, std::move(layers[layer])));
            set_dac(drivers.back(), dacs_[layer]);
        }
        return drivers;
    }

    Calibration calibrate(Mapping mapping, Operators operators,
                          const std::vector<LayerOperators>& layers) {
        const auto ranges = observe_ranges(
            graph_, drivers_of(layers), calibration_images_,
            step(fmt::format("{} {} output ranges", to_string(mapping), to_string(operators))));
        Calibration calibration{dacs_, {}};
        for (std::size_t layer = 0; layer < ranges.size(); ++layer)
            calibration.adc.push_back(
                fit_adc(ranges[layer], settings_.converters.adc_bits, mapping, dacs_[layer]));
        return calibration;
    }

    void run_arm(Mapping mapping, Operators operators, bool faulty, ExtractedOperators extracted) {
        ArmResult arm;
        arm.mapping = mapping;
        arm.operators = operators;
        arm.faulty = faulty;
        arm.operator_seconds = extracted.seconds;
        find_worst_tile(extracted.layers, arm);
        Drivers drivers = drivers_of(std::move(extracted.layers));
        const Calibration& ranges = operators == Operators::ideal ? ideal_ranges_ : circuit_ranges_;
        for (std::size_t layer = 0; layer < drivers.size(); ++layer)
            drivers[layer].adc = ranges.adc[layer];
        arm.inference =
            run_inference(graph_, drivers, test_,
                          step(fmt::format("{} {}{}", to_string(mapping), to_string(operators),
                                           faulty ? " with faults" : "")));
        if (observer_.finished) observer_.finished(arm);
    }

    static void find_worst_tile(const std::vector<LayerOperators>& layers, ArmResult& arm) {
        for (std::size_t layer = 0; layer < layers.size(); ++layer)
            for (std::size_t tile = 0; tile < layers[layer].tiles.size(); ++tile)
                if (const double deviation = layers[layer].tiles[tile].wire_deviation;
                    deviation > arm.worst_deviation) {
                    arm.worst_deviation = deviation;
                    arm.worst_layer = layer;
                    arm.worst_tile = tile;
                }
    }

    Progress step(const std::string& name) {
        return observer_.begin_step ? observer_.begin_step(name) : Progress{};
    }

    const Graph& graph_;
    const LabelledImages& test_;
    const LabelledImages& calibration_images_;
    const ComparisonSettings& settings_;
    const SolverFactory& circuit_;
    const ComparisonObserver& observer_;
    std::vector<Dac> dacs_;
    Calibration ideal_ranges_;
    Calibration circuit_ranges_;
};

}  // namespace

std::string_view to_string(Operators operators) {
    return operators == Operators::ideal ? "ideal" : "circuit";
}

Operators parse_operators(std::string_view text) {
    if (text == "ideal") return Operators::ideal;
    if (text == "circuit") return Operators::circuit;
    throw InvalidInput(fmt::format("'{}' is neither ideal nor circuit", text));
}

std::vector<Dac> calibrate_dacs(const Graph& graph, const LabelledImages& images, int bits,
                                const Progress& progress) {
    std::vector<Dac> dacs;
    for (const LayerRange& range :
         observe_ranges(graph, software_drivers(graph), images, progress)) {
        Dac dac;
        dac.bits = bits;
        dac.range = range.input > 0 ? static_cast<double>(range.input) : 1;
        dac.is_signed = range.signed_input;
        check(dac);
        dacs.push_back(dac);
    }
    return dacs;
}

Adc fit_adc(const LayerRange& range, int bits, Mapping mapping, const Dac& dac) {
    Adc adc;
    adc.bits = bits;
    // A layer whose outputs are all zero still needs a range to divide by.
    adc.range = range.product > 0 ? static_cast<double>(range.product) : 1;
    adc.is_signed = has_column_pair(mapping) || dac.is_signed;
    check(adc);
    return adc;
}

void run_comparison(const Graph& graph, const LabelledImages& test,
                    const LabelledImages& calibration, const ComparisonSettings& settings,
                    const SolverFactory& circuit, const ComparisonObserver& observer) {
    Run(graph, test, calibration, settings, circuit, observer).run();
}

}  // namespace kirchnet
