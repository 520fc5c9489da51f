#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nn/calibration.hpp"
#include "nn/correction.hpp"
#include "nn/inference.hpp"
#include "nn/read_timing.hpp"

namespace kirchnet {

/// Everything that decides what one run of a network computes, but for the ranges fitted before.
struct ArmSettings {
    ChipSettings chip;
    Operators operators = Operators::ideal;
    ConverterSettings converters;
    CorrectionSettings correction = {};  ///< of circuit operators; ideal ones need none
};

/// The arm whose chip has neither faults nor device laws: what ADC ranges are fitted on.
ArmSettings as_designed(ArmSettings arm);

/// A chip's operators, and how long they took.
struct ExtractedOperators {
    std::vector<LayerOperators> layers;
    double seconds = 0;
};

/// Drivers of a chip's operators with converters of these ranges.
/// @param converters  whose errors the ADCs have
Drivers make_drivers(const Graph& graph, std::vector<LayerOperators> layers,
                     const Calibration& ranges, const ConverterSettings& converters);

/// One mapping on one chip (as designed, or as it is) with ideal or circuit operators.
struct ArmResult {
    Mapping mapping = Mapping::two_column;
    Operators operators = Operators::ideal;
    bool faulty = false;  ///< the chip has faults or device laws
    InferenceResult inference;
    double operator_seconds = 0;
    double worst_deviation = 0;  ///< of a tile: see `TileOperator::wire_deviation`
    std::size_t worst_layer = 0;
    std::size_t worst_tile = 0;  ///< within the layer's operators
    ReadTiming timing;
};

/// Told the name of a step that begins; gives back what is told of its progress. May be empty.
using BeginStep = std::function<Progress(const std::string& step)>;

/// Runs arms of one network on one set of images. Borrows all it is given.
class ArmRunner {
  public:
    /// @param circuit  engine for circuit operators; ideal ones need none
    ArmRunner(const Graph& graph, const LabelledImages& test, const LabelledImages& calibration,
              const SolverFactory& circuit, const BeginStep& begin_step);

    /// @param step  name of this step
    [[nodiscard]] ExtractedOperators extract(const ArmSettings& arm, const std::string& step) const;
    /// What corrects the chips of a design; nothing for arms that have no correction. The inputs
    /// are observed anew only where tiles have other rows, or DACs other bits, than before.
    /// @param designed  an arm `as_designed`
    /// @param layers    its operators
    [[nodiscard]] DesignCorrection fit_correction(const ArmSettings& designed,
                                                  const std::vector<LayerOperators>& layers,
                                                  const std::string& step);
    /// Converter ranges of a chip, its ADCs bypassed meanwhile. Input ranges are observed once.
    /// @param designed  an arm `as_designed`
    /// @param layers    its operators, corrected
    [[nodiscard]] Calibration fit(const ArmSettings& designed,
                                  const std::vector<LayerOperators>& layers,
                                  const std::string& step);
    /// Converters of an arm without ADCs: nothing but input ranges is observed.
    [[nodiscard]] Calibration without_adc(const ArmSettings& arm);
    /// Runs all test images.
    [[nodiscard]] ArmResult run(const ArmSettings& arm, ExtractedOperators operators,
                                const Calibration& ranges, const std::string& step) const;

  private:
    [[nodiscard]] Progress begin(const std::string& step) const {
        return begin_step_ ? begin_step_(step) : Progress{};
    }
    std::vector<Dac> fit_dacs(const ConverterSettings& converters);
    std::vector<LayerMoments> moments_of(const ConverterSettings& converters,
                                         const std::vector<LayerOperators>& layers,
                                         const std::string& step);

    const Graph& graph_;
    const LabelledImages& test_;
    const LabelledImages& calibration_;
    const SolverFactory& circuit_;
    const BeginStep& begin_step_;
    std::vector<Dac> input_ranges_;      ///< of 8-bit DACs, empty until observed
    std::vector<LayerMoments> moments_;  ///< those observed last
    int moment_bits_ = 0;                ///< of the DACs they were observed through
};

}  // namespace kirchnet
