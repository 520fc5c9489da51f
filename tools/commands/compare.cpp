#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "circuit/error.hpp"
#include "data/atomic_file.hpp"
#include "data/result_file.hpp"
#include "nn/comparison.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/engines.hpp"
#include "tools/input/network_input.hpp"
#include "tools/output/output.hpp"
#include "tools/output/progress.hpp"
#include "tools/reports/comparison_report.hpp"
#include "tools/reports/run_details.hpp"
#include "tools/reports/run_record.hpp"

namespace kirchnet {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

ComparisonArm make_record(const ComparisonReport& report, const ArmResult& arm) {
    ComparisonArm record;
    record.mapping = to_string(arm.mapping);
    record.operators = to_string(arm.operators);
    record.fault_rate = arm.faulty ? report.experiment.fault_law.rate : 0;
    record.faulty = arm.faulty;
    record.trial = report.experiment.trial;
    record.predicted = arm.inference.predicted;
    record.detections = table_of(arm.inference.detections);
    record.accuracy = report.accuracy(arm);
    record.agreement = report.agreement(arm);
    for (std::size_t layer = 0; layer < arm.inference.adc.size(); ++layer) {
        record.layers.push_back(report.graph.layer_name(layer));
        record.adc_samples.push_back(arm.inference.adc[layer].samples);
        record.clipped.push_back(arm.inference.adc[layer].clipped);
    }
    record.operator_seconds = arm.operator_seconds;
    record.inference_seconds = arm.inference.seconds;
    return record;
}

/// Per layer the DAC range in units of the layer's input, then the ADC range of each slice in units
/// of operator entries × inputs.
void store_calibration(ComparisonFile& file, Mapping mapping, Operators operators,
                       const Calibration& calibration) {
    std::vector<double> ranges;
    for (std::size_t layer = 0; layer < calibration.dac.size(); ++layer) {
        ranges.push_back(calibration.dac[layer].range);
        for (const Adc& adc : calibration.adc[layer]) ranges.push_back(adc.range);
    }
    file.add_matrix(fmt::format("converter_ranges_{}_{}", to_string(mapping), to_string(operators)),
                    ranges, calibration.dac.size(), ranges.size() / calibration.dac.size(), "1");
}

/// Per layer the rms error of its tiles' samples before and after correction, of the signal.
void store_correction(ComparisonFile& file, Mapping mapping, const Correction& correction) {
    std::vector<double> errors;
    for (const LayerCorrection& layer : correction) {
        errors.push_back(layer.error_before);
        errors.push_back(layer.error_after);
    }
    file.add_matrix(fmt::format("correction_error_{}", to_string(mapping)), errors,
                    correction.size(), 2, "1");
}

/// One comparison from settings to files.
class CompareRun {
  public:
    CompareRun(const Experiment& experiment, const Graph& graph,
               std::shared_ptr<OperatorCache> cache)
        : experiment_(experiment),
          cache_(std::move(cache)),
          images_(load_images(experiment, graph.network().input)),
          report_{graph,
                  experiment,
                  images_.test.size(),
                  images_.calibration.size(),
                  0,
                  0,
                  {},
                  images_.test,
                  {},
                  {},
                  true,
                  {}} {
        if (!images_.note.empty()) print_note(images_.note);
    }

    /// @return  whether every arm was finished
    bool run() {
        try {
            run_software();
            run_arms();
        } catch (const Interrupted&) {
            report_.complete = false;
        }
        finish_stage();
        if (cache_) report_.operator_cache = cache_->counts();
        if (file_) write_files();
        return report_.complete;
    }

    [[nodiscard]] const ComparisonReport& report() const { return report_; }

  private:
    void run_software() {
        report_.software = run_inference(report_.graph, software_drivers(report_.graph),
                                         images_.test, begin_stage("software"));
        report_.software_accuracy = score(report_.software, images_.test);
        report_.software_seconds = report_.software.seconds;
        finish_stage();
        if (!experiment_.out.empty())
            file_.emplace(experiment_.out,
                          make_header(experiment_, report_.graph, images_.test, report_.software));
    }

    void run_arms() {
        ComparisonSettings settings;
        settings.tile = experiment_.tile_settings(Mapping::two_column);
        settings.mappings = experiment_.mappings;
        settings.converters = experiment_.converter_settings();
        settings.faults = experiment_.fault_source();
        settings.devices = experiment_.device_draw();
        settings.given =
            load_given_arrays(report_.graph, experiment_, experiment_.mappings.front());
        settings.readout = experiment_.linear_readout();
        settings.correction = experiment_.correction;
        ComparisonObserver observer;
        observer.begin_step = [this](const std::string& step) { return begin_stage(step); };
        observer.calibrated = [this](Mapping mapping, Operators operators,
                                     const Calibration& calibration) {
            if (file_) store_calibration(*file_, mapping, operators, calibration);
        };
        observer.corrected = [this](Mapping mapping, const Correction& correction) {
            report_.corrections.emplace_back(mapping, correction);
            if (file_) store_correction(*file_, mapping, correction);
        };
        observer.finished = [this](const ArmResult& arm) {
            report_.arms.push_back(arm);
            if (file_) file_->add(make_record(report_, arm));
        };
        run_comparison(report_.graph, images_.test, images_.calibration, settings,
                       engine_factory(experiment_.engine, cache_), observer);
    }

    Progress begin_stage(const std::string& name) {
        finish_stage();
        check_interrupted();
        report_.stage_seconds.emplace_back(name, 0);
        stage_start_ = Clock::now();
        return show_progress(name,
                             name.find("operators") == std::string::npos ? "images" : "tiles");
    }

    void finish_stage() {
        if (!report_.stage_seconds.empty() && report_.stage_seconds.back().second == 0)
            report_.stage_seconds.back().second = seconds_since(stage_start_);
    }

    void write_files() {
        const std::filesystem::path out = experiment_.out;
        const auto accuracy = beside(out, "-accuracy.svg");
        const auto tile = beside(out, "-worst-tile.svg");
        std::string tile_name;
        if (const ArmResult* arm = worst_arm(report_)) {
            const CellMatrix drop = worst_tile_drop(report_, *arm);
            file_->add_matrix("worst_tile_ir_drop", {drop.data(), drop.data() + drop.size()},
                              static_cast<std::size_t>(drop.rows()),
                              static_cast<std::size_t>(drop.cols()), "V");
            write_text_atomically(tile, drop_figure(report_, *arm, drop));
            tile_name = tile.filename().string();
        }
        if (!report_.arms.empty()) write_text_atomically(accuracy, accuracy_figure(report_));
        write_text_atomically(beside(out, ".md"),
                              report_markdown(report_, accuracy.filename().string(), tile_name));
        store_run_details(report_, *file_);
        file_->finish(report_.complete);
        print_note(fmt::format("wrote {}, {} and figures beside it", out.string(),
                               beside(out, ".md").filename().string()));
    }

    const Experiment& experiment_;
    std::shared_ptr<OperatorCache> cache_;
    ExperimentImages images_;
    ComparisonReport report_;
    std::optional<ComparisonFile> file_;
    Clock::time_point stage_start_;
};

}  // namespace

int run_compare(const CompareArguments& arguments) {
    const Experiment experiment = make_experiment(arguments.experiment, arguments.settings);
    check_experiment(experiment);
    if (arguments.dry_run) {
        print_text(to_toml(experiment));
        return 0;
    }
    if (experiment.cell_law != "linear")
        print_note("cells.law " + experiment.cell_law +
                   ": compare takes cells as linear; 'kirchnet nonlinear' says what that costs");
    stop_at_safe_places();
    if (arguments.budget) return run_compare_budget(arguments, experiment);
    const auto cache = open_operator_cache(experiment.operator_cache);
    const ThreadLimit threads(experiment.threads);
    const Graph graph = load_graph(experiment);
    CompareRun run(experiment, graph, cache);
    const bool complete = run.run();
    print_warnings(cache.get());
    if (arguments.json)
        print_json(report_json(run.report()));
    else
        print_text(report_table(run.report()) + report_notes(run.report()));
    if (complete) return 0;
    print_note("interrupted; finished arms are kept");
    return 1;
}

}  // namespace kirchnet
