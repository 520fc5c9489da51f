#include "nn/budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

/// The set that every earlier source and this one make.
SourceSet up_to(Source last) {
    SourceSet set;
    for (const Source source : all_sources)
        if (source <= last) set = set.with(source);
    return set;
}

SourceSet common(SourceSet x, SourceSet y) {
    for (const Source source : all_sources)
        if (!y.contains(source)) x = x.without(source);
    return x;
}

/// What the ADC ranges of an arm are fitted on (docs/decisions/0005).
ArmSettings fitted_on(const ArmSettings& arm) {
    ArmSettings designed = as_designed(arm);
    if (arm.converters.calibrate_on == Operators::circuit) return designed;
    const SourceSet sources = sources_of(designed);
    return with_sources(designed, sources.without(Source::ir_drop).without(Source::subtractor));
}

/// Steps of equal weight, told as one work.
class WholeWork {
  public:
    WholeWork(const Progress& progress, std::size_t steps) : progress_(progress), steps_(steps) {}

    Progress begin() {
        const std::size_t before = begun_++;
        if (!progress_) return {};
        return [this, before](std::size_t done, std::size_t total) {
            const std::size_t part = total == 0 ? resolution : resolution * done / total;
            progress_(std::min(before * resolution + part, steps_ * resolution),
                      steps_ * resolution);
        };
    }

    /// What was foreseen but not needed counts as done.
    void finish() const {
        if (progress_) progress_(steps_ * resolution, steps_ * resolution);
    }

  private:
    static constexpr std::size_t resolution = 1000;
    const Progress& progress_;
    std::size_t steps_;
    std::size_t begun_ = 0;
};

/// One budget on its way. Sets that differ in sources the experiment lacks are one run.
class BudgetWork {
  public:
    BudgetWork(const Graph& graph, const LabelledImages& test, const LabelledImages& calibration,
               const BudgetSettings& settings, const SolverFactory& circuit,
               const Progress& progress)
        : settings_(settings),
          labels_(test.labels),
          active_(sources_of(settings.full)),
          work_(progress, count_steps()),
          begin_([this](const std::string&) { return work_.begin(); }),
          runner_(graph, test, calibration, circuit, begin_) {
        budget_.mapping = settings.full.chip.tile.mapping;
    }

    Budget run() {
        for (const SourceSet set : wanted_sets()) run_set(set);
        work_.finish();
        budget_.ideal = accuracy(0);
        std::size_t before = 0;
        for (const Source source : all_sources) {
            const std::size_t run = run_of(up_to(source));
            budget_.steps.push_back(row(source, run, before));
            before = run;
        }
        for (const Source source : all_sources)
            budget_.left_out.push_back(row(source, run_of(active_.without(source)), before));
        return std::move(budget_);
    }

  private:
    /// In order of the budget, without those that are the same run.
    [[nodiscard]] std::vector<SourceSet> wanted_sets() const {
        std::vector<SourceSet> sets{SourceSet()};
        const auto want = [&](SourceSet set) {
            if (std::find(sets.begin(), sets.end(), set) == sets.end()) sets.push_back(set);
        };
        for (const Source source : all_sources) want(common(up_to(source), active_));
        for (const Source source : all_sources) want(active_.without(source));
        return sets;
    }

    /// Extraction and inference of every trial, and as much again for what ranges are fitted on.
    [[nodiscard]] std::size_t count_steps() const {
        std::size_t steps = 1;
        for (const SourceSet set : wanted_sets())
            steps += 2 * trials_of(set) + (set.contains(Source::adc) ? 2 : 0);
        return steps;
    }

    [[nodiscard]] std::uint32_t trials_of(SourceSet set) const {
        return is_random(with_sources(settings_.full, set)) ? settings_.trials : 1;
    }

    void run_set(SourceSet set) {
        const ArmSettings arm = with_sources(settings_.full, set);
        const Calibration ranges = ranges_of(arm);
        const DesignCorrection& correction = correction_of(as_designed(arm));
        BudgetRun run{set, {}, {}, 0, 0};
        for (std::uint32_t i = 0; i < trials_of(set); ++i) {
            const ArmSettings chip = at_trial(arm, settings_.first_trial + i);
            ExtractedOperators operators = runner_.extract(chip, "");
            correct(correction, operators.layers);
            add(run, runner_.run(chip, std::move(operators), ranges, ""));
        }
        run_of_[set] = budget_.runs.size();
        budget_.runs.push_back(std::move(run));
        budget_.calibrations.push_back(ranges);
    }

    static void add(BudgetRun& run, ArmResult arm) {
        run.predicted.push_back(std::move(arm.inference.predicted));
        run.adc.resize(arm.inference.adc.size());
        for (std::size_t layer = 0; layer < run.adc.size(); ++layer)
            run.adc[layer] += arm.inference.adc[layer];
        run.operator_seconds += arm.operator_seconds;
        run.inference_seconds += arm.inference.seconds;
    }

    Calibration ranges_of(const ArmSettings& arm) {
        if (arm.converters.adc_bits == 0) return runner_.without_adc(arm);
        const ArmSettings designed = fitted_on(arm);
        Calibration& known = ranges_[sources_of(designed)];
        if (known.adc.empty()) {
            ExtractedOperators operators = runner_.extract(designed, "");
            correct(correction_of(designed), operators.layers);
            known = runner_.fit(designed, operators.layers, "");
        }
        return known;
    }

    const DesignCorrection& correction_of(const ArmSettings& designed) {
        const auto [known, is_new] = corrections_.try_emplace(sources_of(designed));
        if (is_new && designed.correction.kind != CorrectionKind::none)
            known->second =
                runner_.fit_correction(designed, runner_.extract(designed, "").layers, "");
        return known->second;
    }

    [[nodiscard]] std::size_t run_of(SourceSet set) const {
        return run_of_.at(common(set, active_));
    }

    [[nodiscard]] Estimate accuracy(std::size_t run) const {
        return estimate_accuracy(budget_.runs[run].predicted, labels_);
    }

    [[nodiscard]] BudgetRow row(Source source, std::size_t run, std::size_t before) const {
        return {
            source, active_.contains(source), run, accuracy(run),
            estimate_change(budget_.runs[before].predicted, budget_.runs[run].predicted, labels_)};
    }

    const BudgetSettings& settings_;
    const std::vector<std::int32_t>& labels_;
    SourceSet active_;
    WholeWork work_;
    BeginStep begin_;
    ArmRunner runner_;
    Budget budget_;
    std::map<SourceSet, std::size_t> run_of_;
    std::map<SourceSet, Calibration> ranges_;            ///< by what they are fitted on
    std::map<SourceSet, DesignCorrection> corrections_;  ///< likewise
};

bool has_wires(const Wires& wires) {
    Wires ideal;
    ideal.drive = wires.drive;
    ideal.sense_at = wires.sense_at;
    ideal.end_segments = wires.end_segments;
    return wires != ideal;
}

bool are_drawn(const LinearReadout& readout) {
    return readout.mismatch > 0 || readout.feedback_mismatch > 0 || readout.offset_deviation > 0;
}

}  // namespace

std::string_view to_string(Source source) {
    switch (source) {
        case Source::quantisation:
            return "weights and DAC";
        case Source::faults:
            return "faults";
        case Source::ir_drop:
            return "IR drop";
        case Source::subtractor:
            return "subtractor";
        case Source::adc:
            return "ADC";
        case Source::device_laws:
            break;
    }
    return "device laws";
}

SourceSet sources_of(const ArmSettings& arm) {
    SourceSet set;
    const auto add = [&](Source source, bool is_there) {
        if (is_there) set = set.with(source);
    };
    add(Source::quantisation, arm.chip.tile.weight_bits != 0 || arm.converters.dac_bits != 0);
    add(Source::faults, arm.chip.faults.has_value());
    add(Source::ir_drop, arm.operators == Operators::circuit && has_wires(arm.chip.tile.wires));
    add(Source::subtractor, arm.chip.readout.has_value());
    add(Source::adc, arm.converters.adc_bits != 0);
    add(Source::device_laws, arm.chip.devices.has_value());
    return set;
}

ArmSettings with_sources(const ArmSettings& full, SourceSet sources) {
    ArmSettings arm = full;
    if (!sources.contains(Source::quantisation)) {
        arm.chip.tile.weight_bits = arm.chip.tile.bits_per_cell = 0;
        arm.converters.dac_bits = arm.converters.input_bits = 0;
    }
    if (!sources.contains(Source::faults)) arm.chip.faults.reset();
    if (!sources.contains(Source::ir_drop)) {
        Wires& wires = arm.chip.tile.wires;
        wires.word_line_segment = wires.bit_line_segment = wires.driver = wires.sense = 0.0;
    }
    if (!sources.contains(Source::subtractor)) arm.chip.readout.reset();
    // Amplifiers have an input resistance, which takes an engine that knows it.
    if (!sources.contains(Source::ir_drop) && !sources.contains(Source::subtractor))
        arm.operators = Operators::ideal;
    if (!sources.contains(Source::adc)) {
        arm.converters.adc_bits = 0;
        arm.converters.adc_errors = {};
    }
    if (!sources.contains(Source::device_laws)) arm.chip.devices.reset();
    return arm;
}

bool is_random(const ArmSettings& arm) {
    const auto* draw = arm.chip.faults ? std::get_if<FaultDraw>(&*arm.chip.faults) : nullptr;
    return (draw != nullptr && draw->law.is_on()) ||
           (arm.chip.devices && arm.chip.devices->laws.is_random()) ||
           (arm.chip.readout && are_drawn(*arm.chip.readout)) ||
           (arm.converters.adc_bits > 0 &&
            (arm.converters.adc_errors.are_random() ||
             (arm.chip.readout && arm.chip.readout->circuit.hold.is_noisy())));
}

ArmSettings at_trial(ArmSettings arm, std::uint32_t trial) {
    if (auto* draw = arm.chip.faults ? std::get_if<FaultDraw>(&*arm.chip.faults) : nullptr)
        draw->trial = trial;
    if (arm.chip.devices) arm.chip.devices->trial = trial;
    if (arm.chip.readout) arm.chip.readout->trial = trial;
    arm.converters.adc_errors.trial = trial;
    return arm;
}

Budget run_budget(const Graph& graph, const LabelledImages& test, const LabelledImages& calibration,
                  const BudgetSettings& settings, const SolverFactory& circuit,
                  const Progress& progress) {
    if (settings.trials == 0) throw InvalidInput("trials", "a budget needs at least one trial");
    if (graph.is_detector())
        throw InvalidInput(fmt::format("network {}", graph.network().name),
                           "a budget counts images classified rightly, this network finds objects");
    if (test.size() < 2)
        throw InvalidInput("images", "a budget's confidence intervals need at least two images");
    return BudgetWork(graph, test, calibration, settings, circuit, progress).run();
}

}  // namespace kirchnet
