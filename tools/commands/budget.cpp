#include "nn/budget.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "circuit/error.hpp"
#include "data/atomic_file.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/engines.hpp"
#include "tools/input/network_input.hpp"
#include "tools/output/output.hpp"
#include "tools/output/progress.hpp"
#include "tools/reports/budget_report.hpp"
#include "tools/reports/run_record.hpp"

namespace kirchnet {
namespace {

constexpr std::uint32_t usual_trials = 5;

BudgetSettings settings_of(const Experiment& experiment, Mapping mapping) {
    BudgetSettings settings;
    settings.full = {{experiment.tile_settings(mapping), experiment.fault_source(),
                      experiment.device_draw(), experiment.linear_readout()},
                     Operators::circuit,
                     experiment.converter_settings(),
                     experiment.correction};
    settings.first_trial = experiment.trial;
    settings.trials = experiment.trials;
    if (settings.trials == 0) settings.trials = is_random(settings.full) ? usual_trials : 1;
    return settings;
}

/// Record, report and figures, as far as mappings are finished.
void write_files(const BudgetReport& report) {
    const std::filesystem::path out = report.experiment.out;
    std::vector<std::string> figures;
    for (const Budget& budget : report.budgets) {
        const auto figure = beside(out, fmt::format("-budget-{}.svg", to_string(budget.mapping)));
        write_text_atomically(figure, budget_figure(report, budget));
        figures.push_back(figure.filename().string());
    }
    write_text_atomically(beside(out, ".md"), budget_markdown(report, figures));
    write_budget(out, budget_record(report));
}

/// Runs every mapping; finished ones are on the disk before the next begins.
void run_mappings(BudgetReport& report, const Graph& graph, const ExperimentImages& images,
                  const SolverFactory& engine) {
    const Experiment& experiment = report.experiment;
    const std::size_t mappings = experiment.mappings.size();
    for (const Mapping mapping : experiment.mappings) {
        const BudgetSettings settings = settings_of(experiment, mapping);
        report.trials = settings.trials;
        report.budgets.push_back(run_budget(
            graph, images.test, images.calibration, settings, engine,
            show_progress(fmt::format("budget of {}", to_string(mapping)), "steps/1000")));
        report.complete = report.budgets.size() == mappings;
        if (!experiment.out.empty()) write_files(report);
    }
}

}  // namespace

int run_compare_budget(const CompareArguments& arguments, const Experiment& experiment) {
    refuse_given_arrays(experiment, "a budget");
    const auto cache = open_operator_cache(experiment.operator_cache);
    const ThreadLimit threads(experiment.threads);
    const Graph graph = load_graph(experiment);
    const ExperimentImages images = load_images(experiment, graph.network().input);
    if (!images.note.empty()) print_note(images.note);
    const InferenceResult software = run_inference(graph, software_drivers(graph), images.test,
                                                   show_progress("software", "images"));
    BudgetReport report{experiment,
                        make_header(experiment, graph, images.test, software),
                        graph.network().name,
                        images.calibration.size(),
                        1,
                        {},
                        false};
    try {
        run_mappings(report, graph, images, engine_factory(experiment.engine, cache));
    } catch (const Interrupted&) {
        print_note("interrupted; finished mappings are kept");
    }
    print_warnings(cache.get());
    if (arguments.json)
        print_json(budget_json(report));
    else
        print_text(budget_tables(report));
    if (report.complete && !experiment.out.empty())
        print_note(fmt::format("wrote {}, {} and figures beside it", experiment.out,
                               beside(experiment.out, ".md").filename().string()));
    return report.complete ? 0 : 1;
}

}  // namespace kirchnet
