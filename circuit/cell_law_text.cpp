#include <fmt/format.h>

#include <array>
#include <map>
#include <memory>

#include "circuit/device.hpp"
#include "circuit/error.hpp"
#include "circuit/series_laws.hpp"
#include "circuit/stanford_law.hpp"
#include "circuit/units.hpp"

namespace kirchnet {
namespace {

/// One parameter a law takes: its name, and where its value goes.
struct Parameter {
    std::string_view name;
    double* value;
};

std::string names_of(std::span<const Parameter> parameters) {
    std::string text;
    for (const Parameter& parameter : parameters)
        text += fmt::format("{}{}", text.empty() ? "" : ", ", parameter.name);
    return text;
}

/// `is=1e-6,vs=20m`
void read_parameters(std::string_view law, std::string_view text,
                     std::span<const Parameter> parameters) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(','), text.size());
        const std::string_view item = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::size_t equals = std::min(item.find('='), item.size());
        const std::string_view name = item.substr(0, equals);
        const Parameter* found = nullptr;
        for (const Parameter& parameter : parameters)
            if (parameter.name == name) found = &parameter;
        if (found == nullptr || equals == item.size())
            throw InvalidInput(fmt::format("cell law {}", law),
                               fmt::format("'{}' is no PARAMETER=VALUE with one of {}", item,
                                           names_of(parameters)));
        *found->value =
            parse_quantity(item.substr(equals + 1), fmt::format("cell law {}, {}", law, name));
    }
}

CellLaw stanford(std::string_view text, double read_voltage) {
    StanfordCell cell;
    cell.read_voltage = read_voltage;
    read_parameters("stanford", text,
                    std::array{Parameter{"i0", &cell.i0}, Parameter{"g0", &cell.g0},
                               Parameter{"v0", &cell.v0}, Parameter{"vr", &cell.read_voltage}});
    return CellLaw::custom(std::make_shared<StanfordLaw>(cell));
}

CellLaw selector(std::string_view text, double read_voltage) {
    Selector cell;
    cell.read_voltage = read_voltage;
    read_parameters("1s1r", text,
                    std::array{Parameter{"is", &cell.saturation}, Parameter{"vs", &cell.slope},
                               Parameter{"vr", &cell.read_voltage}});
    return CellLaw::custom(std::make_shared<SelectorLaw>(cell));
}

CellLaw transistor(std::string_view text, double read_voltage) {
    AccessTransistor cell;
    cell.read_voltage = read_voltage;
    read_parameters("1t1r", text,
                    std::array{Parameter{"vg", &cell.gate}, Parameter{"vth", &cell.threshold},
                               Parameter{"beta", &cell.beta}, Parameter{"vr", &cell.read_voltage}});
    return CellLaw::custom(std::make_shared<TransistorLaw>(cell));
}

}  // namespace

CellLaw parse_cell_law(std::string_view text, double read_voltage) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view law = text.substr(0, colon);
    const std::string_view rest = text.substr(std::min(colon + 1, text.size()));
    const bool has_rest = colon < text.size();
    if ((law == "linear" || law == "1r") && !has_rest) return {};
    if (law == "sinh" && has_rest)
        return CellLaw::sinh(parse_quantity(rest, "factor of the sinh law"));
    if (law == "stanford") return stanford(rest, read_voltage);
    if (law == "1s1r") return selector(rest, read_voltage);
    if (law == "1t1r") return transistor(rest, read_voltage);
    throw InvalidInput(
        fmt::format("cell law '{}' is none of linear, sinh:A with a factor A in 1/V, such as "
                    "sinh:2, stanford, 1s1r, 1t1r, table:FILE.csv, and byo:CELL.h5",
                    text));
}

}  // namespace kirchnet
