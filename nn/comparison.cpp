#include "nn/comparison.hpp"

#include <fmt/format.h>

namespace kirchnet {
namespace {

/// One comparison on its way: what all its steps share.
class Run {
  public:
    Run(const ComparisonSettings& settings, const ComparisonObserver& observer, ArmRunner runner)
        : settings_(settings), observer_(observer), runner_(std::move(runner)) {}

    void run_mapping(Mapping mapping) {
        const ArmSettings ideal = arm_of(mapping, Operators::ideal);
        const ArmSettings circuit = arm_of(mapping, Operators::circuit);
        ExtractedOperators ideal_chip = extract(as_designed(ideal));
        ExtractedOperators circuit_chip = extract(as_designed(circuit));
        const DesignCorrection correction =
            runner_.fit_correction(as_designed(circuit), circuit_chip.layers,
                                   name_of(as_designed(circuit), " correction"));
        if (const Correction applied = correct(correction, circuit_chip.layers);
            observer_.corrected && !applied.empty())
            observer_.corrected(mapping, applied);
        const Calibration ideal_ranges = fit(as_designed(ideal), ideal_chip.layers);
        const Calibration circuit_ranges = settings_.converters.calibrate_on == Operators::ideal
                                               ? ideal_ranges
                                               : fit(as_designed(circuit), circuit_chip.layers);
        if (observer_.calibrated) {
            observer_.calibrated(mapping, Operators::ideal, ideal_ranges);
            observer_.calibrated(mapping, Operators::circuit, circuit_ranges);
        }
        run(as_designed(ideal), std::move(ideal_chip), ideal_ranges);
        run(as_designed(circuit), std::move(circuit_chip), circuit_ranges);
        if (!ideal.chip.has_deviations()) return;
        run(ideal, extract(ideal), ideal_ranges);
        ExtractedOperators chip = extract(circuit);
        correct(correction, chip.layers);
        run(circuit, std::move(chip), circuit_ranges);
    }

  private:
    [[nodiscard]] ArmSettings arm_of(Mapping mapping, Operators operators) const {
        ArmSettings arm{{settings_.tile, settings_.faults, settings_.devices},
                        operators,
                        settings_.converters,
                        settings_.correction};
        arm.chip.tile.mapping = mapping;
        arm.chip.given = settings_.given;
        if (operators == Operators::circuit) arm.chip.readout = settings_.readout;
        return arm;
    }

    static std::string name_of(const ArmSettings& arm, std::string_view what) {
        std::string name = fmt::format("{} {}{}", to_string(arm.chip.tile.mapping),
                                       to_string(arm.operators), what);
        if (arm.chip.faults) name += " with faults";
        if (arm.chip.devices) name += " with device laws";
        if (arm.chip.given) name += " with given arrays";
        return name;
    }

    ExtractedOperators extract(const ArmSettings& arm) {
        return runner_.extract(arm, name_of(arm, " operators"));
    }

    Calibration fit(const ArmSettings& arm, const std::vector<LayerOperators>& layers) {
        return runner_.fit(arm, layers, name_of(arm, " output ranges"));
    }

    void run(const ArmSettings& arm, ExtractedOperators operators, const Calibration& ranges) {
        const ArmResult result = runner_.run(arm, std::move(operators), ranges, name_of(arm, ""));
        if (observer_.finished) observer_.finished(result);
    }

    const ComparisonSettings& settings_;
    const ComparisonObserver& observer_;
    ArmRunner runner_;
};

}  // namespace

void run_comparison(const Graph& graph, const LabelledImages& test,
                    const LabelledImages& calibration, const ComparisonSettings& settings,
                    const SolverFactory& circuit, const ComparisonObserver& observer) {
    Run run(settings, observer, ArmRunner(graph, test, calibration, circuit, observer.begin_step));
    for (const Mapping mapping : settings.mappings) run.run_mapping(mapping);
}

}  // namespace kirchnet
