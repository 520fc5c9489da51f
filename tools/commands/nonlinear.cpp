// A network whose cells do not obey Ohm's law, or whose amplifiers meet the end of their swing,
// against the linear operators that stand for it.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "circuit/error.hpp"
#include "circuit/read_point.hpp"
#include "data/atomic_file.hpp"
#include "solver/line_solver.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/cell_law_input.hpp"
#include "tools/input/engines.hpp"
#include "tools/input/network_input.hpp"
#include "tools/output/output.hpp"
#include "tools/output/progress.hpp"
#include "tools/reports/nonlinear_report.hpp"

namespace kirchnet {
namespace {

/// Told before work that takes longer than this.
constexpr double worth_saying = 10;  // [s]

/// What an operating point takes per cell of an array, measured at 64 x 64 to 128 x 128
/// (docs/performance.md): only for the first estimate.
constexpr double seconds_per_cell = 40e-9;

NonlinearCells read_cells(const Experiment& experiment) {
    NonlinearCells cells{named_cell_law(experiment.cell_law, "cells.law", experiment.read_voltage),
                         experiment.read_voltage};
    if (cells.law.is_linear() && experiment.readout_kind == Readout::opamp) return cells;
    if (cells.law.is_linear())
        throw InvalidInput("cells.law",
                           "is linear, and so is the ideal read-out: nothing to compare; give "
                           "--cell sinh:A, stanford, 1s1r, 1t1r, table:FILE.csv or byo:CELL.h5, or "
                           "amplifiers with a swing by --set readout.kind=opamp");
    if (experiment.access.is_there())
        throw InvalidInput("cells.access_resistance",
                           "stands in series with ohmic cells; a transistor in series with its own "
                           "curve is --cell 1t1r");
    (void)slope_for_target(cells.law, experiment.device.on, cells.read_voltage);
    return cells;
}

ChipSettings chip_of(const Experiment& experiment, Mapping mapping) {
    return {experiment.tile_settings(mapping), experiment.fault_source(), experiment.device_draw(),
            experiment.linear_readout(), experiment.given_arrays(mapping)};
}

std::vector<std::size_t> choose_layers(const Graph& graph, const Experiment& experiment) {
    std::vector<std::size_t> layers;
    for (const std::string& name : experiment.nonlinear_layers)
        layers.push_back(graph.find_layer(name));
    if (layers.empty())
        for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) layers.push_back(layer);
    std::sort(layers.begin(), layers.end());
    layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
    return layers;
}

LabelledImages choose_images(const ExperimentImages& images, const Experiment& experiment) {
    if (experiment.nonlinear_images > images.test.size())
        throw InvalidInput("nonlinear.images",
                           fmt::format("{} asked for, but there are {} to test on",
                                       experiment.nonlinear_images, images.test.size()));
    return subset(images.test, 0, experiment.nonlinear_images);
}

/// Without any wire an operating point is a sum of cell currents, and needs no iteration.
/// Amplifiers are solved on what an engine says of arrays at their ports.
std::string engine_for(const Experiment& e) {
    if (e.readout_kind == Readout::opamp) {
        if (e.engine != "transfer" && e.engine != "nodal")
            throw InvalidInput("run.engine",
                               fmt::format("{} knows no admittances of arrays, which amplifiers "
                                           "with their swing take; choose transfer or nodal",
                                           e.engine));
        return e.engine;
    }
    const bool has_wires =
        e.word_line_segment > 0 || e.bit_line_segment > 0 || e.driver > 0 || e.sense > 0;
    return has_wires ? "nonlinear" : "ideal";
}

/// Says so where arrays cannot be solved line by line, which is many times faster.
void say_obstacle(const Experiment& experiment) {
    const Crossbar array(CellMatrix::Constant(experiment.array.word_lines,
                                              experiment.array.bit_lines, experiment.device.on),
                         experiment.tile_settings(experiment.mappings.front()).wires);
    if (const auto reason = LineSolver().obstacle(array))
        print_note(
            fmt::format("every array {}: solved input by input by Newton + KLU; with a small "
                        "resistance instead, line solves are many times faster",
                        *reason));
}

std::string duration(double seconds) {
    return seconds < 90 ? fmt::format("{:.0f} s", seconds)
                        : fmt::format("{:.0f} min", seconds / 60);
}

/// All mappings of one study, from settings to files.
class StudyRun {
  public:
    StudyRun(const Experiment& experiment, const Graph& graph, NonlinearCells cells,
             const std::shared_ptr<OperatorCache>& cache)
        : experiment_(experiment),
          cells_(std::move(cells)),
          layers_(choose_layers(graph, experiment)),
          images_(load_images(experiment, graph.network().input)),
          chosen_(choose_images(images_, experiment)),
          circuit_(engine_factory(experiment.engine, cache)),
          nonlinear_(engine_factory(engine_for(experiment),
                                    experiment.readout_kind == Readout::opamp ? cache : nullptr)),
          report_{graph, experiment, chosen_.labels, {}, true} {
        if (!images_.note.empty()) print_note(images_.note);
        if (engine_for(experiment) == "nonlinear") say_obstacle(experiment);
    }

    /// @return  whether all was finished
    bool run() {
        try {
            for (const Mapping mapping : experiment_.mappings) run_mapping(mapping);
        } catch (const Interrupted&) {
            report_.complete = false;
        }
        if (!experiment_.out.empty() && !report_.mappings.front().layers.empty()) write_files();
        return report_.complete;
    }

    [[nodiscard]] const NonlinearReport& report() const { return report_; }

  private:
    void run_mapping(Mapping mapping) {
        MappingStudy& study = report_.mappings.emplace_back();
        study.mapping = mapping;
        const std::string name(to_string(mapping));
        const NonlinearSettings settings{chip_of(experiment_, mapping), cells_, layers_,
                                         experiment_.nonlinear_positions, experiment_.seed};
        const Drivers drivers = circuit_drivers(
            report_.graph, settings.chip, experiment_.converter_settings(), images_.calibration,
            circuit_, [&](const std::string& step) {
                return show_progress(name + " " + step, step == "operators" ? "tiles" : "images");
            });
        const NonlinearStudy work(report_.graph, drivers, settings, nonlinear_);
        say_first_estimate(work.points_of_layers(chosen_.size()));
        study.linear =
            work.compare_layers(chosen_, show_progress(name + " layers", "points"),
                                [&](const LayerError& error) { study.layers.push_back(error); })
                .outputs;
        say_measured_estimate(study, work.points_of_network(chosen_.size()));
        NonlinearPass pass = work.run_network(chosen_, show_progress(name + " network", "points"));
        study.nonlinear = std::move(pass.outputs);
        study.network_seconds = pass.effort.seconds;
        study.saturation = pass.effort.saturation;
    }

    void say_first_estimate(std::uint64_t points) const {
        const unsigned threads = experiment_.threads > 0
                                     ? static_cast<unsigned>(experiment_.threads)
                                     : std::max(1U, std::thread::hardware_concurrency());
        const double seconds = static_cast<double>(points) * seconds_per_cell *
                               static_cast<double>(experiment_.array.cells()) / threads;
        if (seconds > worth_saying)
            print_note(
                fmt::format("{} operating points to sample, about {}", points, duration(seconds)));
    }

    /// From what a point of each layer took when it was sampled.
    void say_measured_estimate(const MappingStudy& study, std::uint64_t points) const {
        double seconds = 0;
        for (const LayerError& e : study.layers)
            seconds += e.effort.seconds_once +
                       (e.effort.seconds - e.effort.seconds_once) /
                           static_cast<double>(e.positions) *
                           static_cast<double>(chosen_.size() *
                                               report_.graph.geometry(e.layer).positions());
        if (seconds > worth_saying)
            print_note(fmt::format("{}: {} operating points for {} images, about {}",
                                   to_string(study.mapping), points, chosen_.size(),
                                   duration(seconds)));
    }

    void write_files() const {
        const std::filesystem::path out = experiment_.out;
        auto figure = out;
        figure.replace_filename(out.stem().string() + "-layers.svg");
        write_nonlinear_study(out, nonlinear_record(report_));
        write_text_atomically(figure, nonlinear_figure(report_));
        print_note(fmt::format("wrote {} and {}", out.string(), figure.filename().string()));
    }

    const Experiment& experiment_;
    NonlinearCells cells_;
    std::vector<std::size_t> layers_;
    ExperimentImages images_;
    LabelledImages chosen_;
    SolverFactory circuit_;
    SolverFactory nonlinear_;
    NonlinearReport report_;
};

}  // namespace

int run_nonlinear(const NonlinearArguments& arguments) {
    const Experiment experiment = make_experiment(arguments.experiment, arguments.settings);
    check_experiment(experiment);
    if (experiment.correction.kind != CorrectionKind::none)
        throw InvalidInput("correction.kind",
                           "corrections are fitted by compare alone; set correction.kind = none");
    if (arguments.dry_run) {
        print_text(to_toml(experiment));
        return 0;
    }
    NonlinearCells cells = read_cells(experiment);
    require_one_nonlinearity(chip_of(experiment, experiment.mappings.front()), cells);
    (void)engine_for(experiment);
    stop_at_safe_places();
    const auto cache = open_operator_cache(experiment.operator_cache);
    const ThreadLimit threads(experiment.threads);
    const Graph graph = load_graph(experiment);
    check_study(graph, chip_of(experiment, experiment.mappings.front()), cells);
    StudyRun run(experiment, graph, std::move(cells), cache);
    const bool complete = run.run();
    print_warnings(cache.get());
    if (arguments.json)
        print_json(nonlinear_json(run.report()));
    else
        print_text(nonlinear_text(run.report()));
    if (complete) return 0;
    print_note("interrupted; finished layers are kept");
    return 1;
}

}  // namespace kirchnet
