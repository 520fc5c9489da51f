// Where the power of reading goes, and which wire carries most.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "circuit/error.hpp"
#include "nn/calibration.hpp"
#include "tools/commands/commands.hpp"
#include "tools/input/crossbar_input.hpp"
#include "tools/input/engines.hpp"
#include "tools/input/network_input.hpp"
#include "tools/output/output.hpp"
#include "tools/output/progress.hpp"
#include "tools/reports/power_report.hpp"

namespace kirchnet {
namespace {

constexpr double default_read_time = 100e-9;  // [s], a cycle of ISAAC
constexpr std::size_t default_images = 10;

double positive(double value, const char* option) {
    if (!std::isfinite(value) || value <= 0)
        throw InvalidInput(option, fmt::format("{:g} is not a finite number above 0", value));
    return value;
}

PowerTerms terms_of(const PowerArguments& arguments, double cycle_time) {
    PowerTerms terms;
    terms.read_time = cycle_time > 0 ? cycle_time : default_read_time;
    if (arguments.read_time) terms.read_time = positive(*arguments.read_time, "--read-time");
    terms.supply = {arguments.amplifier_current, arguments.amplifier_supply};
    check(terms.supply);
    if (arguments.wire_area != 0) terms.wire_area = positive(arguments.wire_area, "--wire-area");
    return terms;
}

std::vector<std::size_t> choose_layers(const Graph& graph, const std::string& names) {
    std::vector<std::size_t> layers;
    std::istringstream list(names);
    for (std::string name; std::getline(list, name, ',');) layers.push_back(graph.find_layer(name));
    if (layers.empty())
        for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) layers.push_back(layer);
    std::sort(layers.begin(), layers.end());
    layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
    return layers;
}

void check_network(const Experiment& experiment) {
    check_experiment(experiment);
    if (experiment.cell_law != "linear")
        throw InvalidInput("cells.law",
                           "power of a network is that of linear cells; for others give an array: "
                           "--conductance G.csv --input V.csv --cell " +
                               experiment.cell_law);
    if (experiment.engine == "ideal")
        throw InvalidInput("run.engine", "ideal knows no wires; take transfer, nodal or ngspice");
}

ChipSettings chip_of(const Experiment& experiment, Mapping mapping) {
    if (!experiment.array_files.empty() && experiment.readout_kind != Readout::ideal)
        throw InvalidInput("array.files", "power of given arrays takes the ideal read-out");
    ChipSettings chip{experiment.tile_settings(mapping), experiment.fault_source(),
                      experiment.device_draw(), experiment.linear_readout(),
                      experiment.given_arrays(mapping)};
    return chip;
}

void print_or_write(const PowerArguments& arguments, const std::string& text,
                    const nlohmann::json& object, const PowerRecord& record) {
    if (!arguments.out.empty()) write_power(arguments.out, record);
    if (arguments.json)
        print_json(object);
    else
        print_text(text);
}

int run_network(const PowerArguments& arguments) {
    Experiment experiment = make_experiment(arguments.experiment, arguments.settings);
    if (experiment.images == 0) experiment.images = default_images;
    check_network(experiment);
    const PowerTerms terms = terms_of(arguments, experiment.converters.timing.cycle_time);
    if (arguments.strongest == 0)
        throw InvalidInput("--strongest", "needs at least one input to look at");
    stop_at_safe_places();
    const ThreadLimit threads(experiment.threads);
    const Graph graph = load_graph(experiment);
    const auto layers = choose_layers(graph, arguments.layers);
    const ExperimentImages images = load_images(experiment, graph.network().input);
    if (!images.note.empty()) print_note(images.note);
    const auto dacs = calibrate_dacs(graph, images.calibration, experiment.converters,
                                     show_progress("input ranges", "images"));
    NetworkPowerReport report{graph, experiment, terms, images.test.size(), arguments.strongest,
                              {}};
    for (const Mapping mapping : experiment.mappings) {
        const std::string name(to_string(mapping));
        const ChipSettings chip = chip_of(experiment, mapping);
        const auto drive =
            observe_drive(graph, dacs, images.test,
                          {chip.tile, experiment.read_voltage, arguments.strongest, layers},
                          show_progress(name + " inputs", "images"));
        report.mappings.push_back(
            {mapping,
             network_power(graph, chip, drive, terms.supply, engine_factory(experiment.engine),
                           show_progress(name + " power", "tiles"))});
    }
    print_or_write(arguments, power_text(report), power_json(report), power_record(report));
    return 0;
}

int run_array(PowerArguments arguments) {
    take_array_settings(arguments.settings, arguments.crossbar);
    if (!arguments.layers.empty())
        throw InvalidInput("--layer", "does not go with --conductance: a given array has no layer");
    if (arguments.crossbar.input.empty())
        throw InvalidInput("--input", "power needs read voltages");
    const PowerTerms terms = terms_of(arguments, 0);
    const Crossbar crossbar = load_crossbar(arguments.crossbar);
    const Eigen::MatrixXd inputs = load_inputs(arguments.crossbar.input, crossbar);
    const std::string engine = crossbar.law().is_linear() ? "transfer" : "nonlinear";
    const OperatingPoint point = make_engine(engine)->solve(crossbar, inputs, Voltages::keep);
    for (const auto& warning : point.warnings) print_note(warning);
    ArrayPowerReport report{arguments.crossbar.conductance, arguments.crossbar.input, terms, {}};
    for (Index k = 0; k < inputs.cols(); ++k) {
        if (!point.current.col(k).allFinite())
            throw Error(fmt::format("input {} has no solution: its cells did not converge", k));
        const auto& word = point.word_line_voltage[static_cast<std::size_t>(k)];
        const auto& bit = point.bit_line_voltage[static_cast<std::size_t>(k)];
        const LineCurrents currents = line_currents(crossbar, word, bit, inputs.col(k));
        report.of_inputs.push_back({crossbar.pattern(),
                                    array_power(crossbar, word, bit, inputs.col(k), currents),
                                    worst_word_line_segment(crossbar, currents),
                                    worst_bit_line_segment(crossbar, currents)});
    }
    print_or_write(arguments, power_text(report), power_json(report), power_record(report));
    return 0;
}

}  // namespace

int run_power(const PowerArguments& arguments) {
    return arguments.crossbar.conductance.empty() ? run_network(arguments) : run_array(arguments);
}

}  // namespace kirchnet
