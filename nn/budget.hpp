#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "nn/arm.hpp"
#include "nn/statistics.hpp"

namespace kirchnet {

/// What costs accuracy, in the order in which the budget adds it.
enum class Source : std::uint8_t {
    quantisation,  ///< levels of the weights and codes of the DAC
    faults,
    ir_drop,     ///< wires, drivers and sense resistance
    subtractor,  ///< amplifiers of the read-out
    adc,
    device_laws
};

inline constexpr std::array all_sources{Source::quantisation, Source::faults, Source::ir_drop,
                                        Source::subtractor,   Source::adc,    Source::device_laws};

/// `weights and DAC`, `faults`, `IR drop`, `subtractor`, `ADC`, `device laws`.
std::string_view to_string(Source source);

/// A set of sources, as a value.
class SourceSet {
  public:
    [[nodiscard]] bool contains(Source source) const { return (bits_ & bit(source)) != 0; }
    [[nodiscard]] SourceSet with(Source source) const { return SourceSet(bits_ | bit(source)); }
    [[nodiscard]] SourceSet without(Source source) const { return SourceSet(bits_ & ~bit(source)); }
    friend auto operator<=>(const SourceSet&, const SourceSet&) = default;
    SourceSet() = default;

  private:
    explicit SourceSet(unsigned bits) : bits_(bits) {}
    static unsigned bit(Source source) { return 1U << static_cast<unsigned>(source); }
    unsigned bits_ = 0;
};

/// The sources an arm has at all.
SourceSet sources_of(const ArmSettings& arm);
/// The arm with no other sources than these: weights and inputs continuous, wires of 0 ohm, ideal
/// read-out, no ADC, cells as intended. With none at all it computes what the software does.
ArmSettings with_sources(const ArmSettings& full, SourceSet sources);
/// Whether trials of an arm differ: it draws faults, device laws, amplifiers or errors of ADCs.
bool is_random(const ArmSettings& arm);
/// The same arm on another chip of its seed.
ArmSettings at_trial(ArmSettings arm, std::uint32_t trial);

struct BudgetSettings {
    ArmSettings full;  ///< with every source there is; operators as for the circuit
    std::uint32_t first_trial = 0;
    std::uint32_t trials = 5;  ///< of runs that are random; the others have one
};

/// A run of the network with some sources on.
struct BudgetRun {
    SourceSet sources;
    TrialPredictions predicted;      ///< [trials or 1][images]
    std::vector<AdcCount> adc = {};  ///< per mapped layer, of all trials
    double operator_seconds = 0;     ///< of all trials
    double inference_seconds = 0;    ///< of all trials
};

/// One line of the budget.
struct BudgetRow {
    Source source = Source::quantisation;
    bool is_on = false;   ///< false: the experiment has no such source, nothing changes
    std::size_t run = 0;  ///< the run that this line is about
    Estimate accuracy;    ///< of that run, 0 to 1
    Estimate change;      ///< steps: from the step before; left out: from everything on
};

/// Where accuracy goes, one mapping.
struct Budget {
    Mapping mapping = Mapping::two_column;
    std::vector<BudgetRun> runs;            ///< the first has no source
    Estimate ideal;                         ///< accuracy of the first run
    std::vector<BudgetRow> steps;           ///< every source, added one after the other
    std::vector<BudgetRow> left_out;        ///< every source, everything else on
    std::vector<Calibration> calibrations;  ///< per run
};

/// Runs every step and every leave-one-out of a budget, on the same images and the same trials, so
/// that differences are paired. Ranges are fitted per run on its chip as designed
/// (docs/decisions/0005). Equal for any number of threads.
/// @param progress  told of the whole budget's work
/// @throws InvalidInput  when there is no trial, or fewer than two images
Budget run_budget(const Graph& graph, const LabelledImages& test, const LabelledImages& calibration,
                  const BudgetSettings& settings, const SolverFactory& circuit,
                  const Progress& progress = {});

}  // namespace kirchnet
