#include "tools/input/crossbar_input.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "circuit/access.hpp"
#include "circuit/error.hpp"
#include "circuit/random.hpp"
#include "circuit/units.hpp"
#include "data/crossbar_file.hpp"
#include "data/matrix_file.hpp"
#include "tools/input/cell_law_input.hpp"

namespace kirchnet {
namespace {

/// A number with SI suffix, `inf`, or a file with one value per line.
LineResistance read_resistance(const std::string& text, const std::string& option) {
    if (!std::filesystem::exists(text)) {
        try {
            return {parse_quantity(text, option)};
        } catch (const InvalidInput&) {
            throw InvalidInput(option, fmt::format("'{}' is neither a resistance in ohm (such as "
                                                   "2.5, 1k, inf) nor a file",
                                                   text));
        }
    }
    const Eigen::MatrixXd values = read_matrix(text);
    if (values.cols() != 1 && values.rows() != 1)
        throw InvalidInput(text, "a resistance file has one value per line");
    const Eigen::VectorXd column = values.reshaped();
    return LineResistance(column);
}

bool is_given(const SolveArguments& a) {
    return a.word_line_segment != "0" || a.bit_line_segment != "0" || a.driver != "0" ||
           a.sense != "0" || a.no_end_segments || !a.drive.empty() || !a.sense_at.empty();
}

/// What the option says, or `otherwise` where it was not given.
template <typename Side>
Side read_side(const std::string& text, const std::string& option, Side (*parse)(std::string_view),
               Side otherwise) {
    if (text.empty()) return otherwise;
    try {
        return parse(text);
    } catch (const InvalidInput& error) {
        throw InvalidInput(option, error.what());
    }
}

Wires read_wires(const SolveArguments& arguments) {
    Wires wires;
    wires.word_line_segment = read_resistance(arguments.word_line_segment, "--wl-segment");
    wires.bit_line_segment = read_resistance(arguments.bit_line_segment, "--bl-segment");
    wires.driver = read_resistance(arguments.driver, "--driver");
    wires.sense = read_resistance(arguments.sense, "--sense");
    wires.end_segments = !arguments.no_end_segments;
    wires.drive = read_side(arguments.drive, "--drive", parse_drive_side, wires.drive);
    wires.sense_at = read_side(arguments.sense_at, "--sense-at", parse_sense_side, wires.sense_at);
    return wires;
}

using Settings = std::vector<std::pair<std::string, std::string>>;

/// Takes a key out of the settings: its last value, or `otherwise`.
std::string take_setting(Settings& settings, const std::string& key, std::string otherwise) {
    for (auto setting = settings.begin(); setting != settings.end();) {
        if (setting->first != key) {
            ++setting;
            continue;
        }
        otherwise = setting->second;
        setting = settings.erase(setting);
    }
    return otherwise;
}

}  // namespace

void take_array_settings(Settings& settings, SolveArguments& array) {
    array.driver = take_setting(settings, "array.driver", array.driver);
    array.sense = take_setting(settings, "array.sense", array.sense);
    array.drive = take_setting(settings, "array.drive", array.drive);
    array.sense_at = take_setting(settings, "array.sense_at", array.sense_at);
    array.access_resistance = parse_quantity(take_setting(settings, "cells.access_resistance", "0"),
                                             "--access-resistance");
    for (const auto& [key, value] : settings)
        if (key != "faults.seed" && key != "run.threads")
            throw InvalidInput(key,
                               "does not go with --conductance; a given array takes "
                               "--wl-segment, --bl-segment, --driver, --sense, --drive, "
                               "--sense-at and --access-resistance");
}

CellLaw read_cell_law(const SolveArguments& arguments) {
    return named_cell_law(arguments.cell, "--cell");
}

Crossbar load_crossbar(const SolveArguments& arguments) {
    const CellLaw law = read_cell_law(arguments);
    const double access = arguments.access_resistance;
    if (access > 0 && !law.is_linear())
        throw InvalidInput("--access-resistance",
                           "stands in series with ohmic cells; for a transistor in series with "
                           "its own curve take --cell 1t1r");
    if (arguments.conductance.ends_with(".h5") && is_crossbar_file(arguments.conductance)) {
        if (is_given(arguments))
            throw InvalidInput(arguments.conductance,
                               "is a crossbar file and holds its own wires; give the wires there, "
                               "or a matrix of conductances");
        if (access > 0)
            throw InvalidInput(arguments.conductance,
                               "is a crossbar file and holds its cells with their access devices; "
                               "--access-resistance goes with a matrix of conductances");
        return read_crossbar(arguments.conductance).with_law(law);
    }
    const Wires wires = read_wires(arguments);
    try {
        const CellMatrix given = read_matrix(arguments.conductance);
        const AccessResistance behind{access, false};
        check(behind, 0);
        const Crossbar elements(given, wires);  // names a cell that is none
        const CellMatrix cells = given.unaryExpr([&](double g) { return behind.cell_for(g); });
        return Crossbar(given, cells, elements.faults(), wires, elements.pattern()).with_law(law);
    } catch (const InvalidInput& error) {
        if (std::string(error.what()).starts_with(arguments.conductance)) throw;
        throw InvalidInput(arguments.conductance, error.what());
    }
}

Eigen::MatrixXd load_inputs(const std::string& path, const Crossbar& crossbar) {
    Eigen::MatrixXd lines = read_matrix(path);
    const Index word_lines = crossbar.shape().word_lines;
    if (lines.cols() != word_lines)
        throw InvalidInput(path, fmt::format("{} values per line, but the array has {} word lines",
                                             lines.cols(), word_lines));
    const double reach = crossbar.law().reach();
    if (lines.size() > 0 && lines.cwiseAbs().maxCoeff() > reach)
        throw InvalidInput(path, fmt::format("reads cells beyond {} V, where {} ends", reach,
                                             to_string(crossbar.law())));
    return lines.transpose();
}

Eigen::VectorXd random_voltages(Index word_lines, double limit, std::uint64_t seed) {
    Eigen::VectorXd voltages(word_lines);
    for (Index r = 0; r < word_lines; ++r)
        voltages(r) = limit * keyed_uniform(seed, stream_of("read voltages"),
                                            {static_cast<std::uint64_t>(r), 0, 0, 0});
    return voltages;
}

}  // namespace kirchnet
