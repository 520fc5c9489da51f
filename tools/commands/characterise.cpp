// A user's subcircuit, run in ngspice, as a table that our solvers use for a cell's law.
#include "netlists/characterise.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "data/cell_file.hpp"
#include "tools/commands/commands.hpp"
#include "tools/output/output.hpp"

namespace kirchnet {
namespace {

/// From here on a cell is told to be asymmetric, or to know where ground is.
constexpr double worth_saying = 1e-6;

std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file && text.empty()) throw InvalidInput(path, "cannot be opened");
    return text;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const auto end = std::min(text.find(separator, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

std::pair<double, double> parse_range(const std::string& text, const std::string& option) {
    const auto ends = split(text, ':');
    if (ends.size() != 2) throw InvalidInput(option, fmt::format("'{}' is no range LO:HI", text));
    return {parse_quantity(ends[0], option), parse_quantity(ends[1], option)};
}

CharacteriseSettings settings_of(const CharacteriseArguments& arguments) {
    CharacteriseSettings settings;
    std::tie(settings.first_state, settings.last_state) = parse_range(arguments.range, "--range");
    std::tie(settings.lowest_voltage, settings.highest_voltage) =
        parse_range(arguments.voltage, "--voltage");
    settings.read_voltage = arguments.read_voltage;
    if (arguments.states) settings.states = settings.most_states = *arguments.states;
    if (!(arguments.time_limit_s > 0)) throw InvalidInput("--time-limit", "is not above 0 seconds");
    settings.ngspice.time_limit_s = arguments.time_limit_s;
    return settings;
}

std::string report_text(const CellRecord& cell, const Characterisation& found,
                        const std::string& out) {
    const CellSurface& surface = cell.surface;
    const Eigen::VectorXd g = surface.conductance();
    std::string text = fmt::format(
        "subcircuit {}: {} states, {} voltages from {:g} to {:g} V\n"
        "conductance at {:g} V: {} ({}={:.6g}) to {} ({}={:.6g})\n",
        surface.cell.name, surface.state.size(), surface.voltage.size(), surface.voltage(0),
        surface.voltage(surface.voltage.size() - 1), surface.read_voltage,
        format_quantity(g(0), "S"), surface.cell.state_parameter, surface.state(0),
        format_quantity(g(g.size() - 1), "S"), surface.cell.state_parameter,
        surface.state(surface.state.size() - 1));
    text += fmt::format(
        "table against ngspice at {} held-out places: largest {:.2e} of the current there "
        "({}={:.6g}, {:.6g} V), rms {:.2e}; largest {:.2e} of the current at the read voltage\n",
        cell.held_out, cell.largest_error, surface.cell.state_parameter, found.error.worst_state,
        found.error.worst_voltage, cell.rms_error, cell.largest_error_of_read);
    const auto asymmetry = surface.asymmetry();
    if (asymmetry.share > worth_saying)
        text += fmt::format(
            "not odd: {:.4g} A at {:g} V, {:.4g} A at {:g} V; both signs are in the table\n",
            asymmetry.forward, asymmetry.voltage, asymmetry.backward, -asymmetry.voltage);
    if (cell.ground_dependence > worth_saying)
        text += fmt::format(
            "the current moves by {:.2e} when the cell is lifted 10 mV above "
            "ground; the table takes bit lines to be at ground\n",
            cell.ground_dependence);
    return text + fmt::format("wrote {}; use it as --cell byo:{}\n", out, out);
}

nlohmann::json report_json(const CellRecord& cell, const Characterisation& found,
                           const std::string& out) {
    const CellSurface& surface = cell.surface;
    const Eigen::VectorXd g = surface.conductance();
    return {{"subcircuit", surface.cell.name},
            {"states", surface.state.size()},
            {"voltages", surface.voltage.size()},
            {"read_voltage", surface.read_voltage},
            {"least_conductance", g(0)},
            {"most_conductance", g(g.size() - 1)},
            {"table_error",
             {{"held_out", cell.held_out},
              {"largest", cell.largest_error},
              {"rms", cell.rms_error},
              {"largest_of_read", cell.largest_error_of_read},
              {"worst_state", found.error.worst_state},
              {"worst_voltage", found.error.worst_voltage}}},
            {"asymmetry", surface.asymmetry().share},
            {"ground_dependence", cell.ground_dependence},
            {"out", out}};
}

}  // namespace

int run_characterise(const CharacteriseArguments& arguments) {
    UserCellChoice choice;
    choice.subcircuit = arguments.subcircuit;
    choice.pins = split(arguments.pins, ',');
    choice.state_parameter = arguments.state;
    choice.gate_voltage = arguments.gate_voltage;
    const CharacteriseSettings settings = settings_of(arguments);
    const UserCellSource source = read_user_cell(read_text(arguments.cell), arguments.cell, choice);
    if (source.ignored > 0)
        print_note(
            fmt::format("{}: {} lines outside of subcircuits are left out (elements, "
                        "analyses, controls)",
                        arguments.cell, source.ignored));
    const Characterisation found = characterise(source, settings);
    CellRecord cell;
    cell.surface = found.surface;
    cell.source = arguments.cell;
    cell.largest_error = found.error.largest;
    cell.rms_error = found.error.rms;
    cell.largest_error_of_read = found.error.largest_of_read;
    cell.held_out = static_cast<std::size_t>(found.error.points);
    cell.ground_dependence = found.ground_dependence;
    write_cell(arguments.out, cell);
    if (arguments.json)
        print_json(report_json(cell, found, arguments.out));
    else
        print_text(report_text(cell, found, arguments.out));
    return 0;
}

}  // namespace kirchnet
