#include <fmt/format.h>

#include <cmath>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "circuit/read_point.hpp"
#include "netlists/detail/deck_text.hpp"
#include "netlists/detail/law_text.hpp"
#include "netlists/detail/readout_section.hpp"
#include "netlists/netlist_writer.hpp"

namespace kirchnet {
namespace {

using detail::number;

std::string resistor_line(const Expansion& circuit, const Element& element) {
    const std::string name = circuit.element_name(element);
    const double resistance = 1 / element.conductance;
    if (std::isinf(resistance))  // also of conductances so small that a double holds no inverse
        return detail::comment(fmt::format("{} conducts nothing", name));
    // Only an r makes it a resistor to SPICE: cells are instances (xc_) in the readable form.
    return fmt::format("{}{} {} {} {}\n", element.kind == ElementKind::cell ? "r" : "", name,
                       circuit.net_name(element.from), circuit.net_name(element.to),
                       number(resistance));
}

std::string element_line(const Expansion& circuit, const CellLaw& law, const Element& element) {
    const bool is_ohmic = law.is_linear() || element.kind != ElementKind::cell;
    if (is_ohmic || element.conductance == 0) return resistor_line(circuit, element);
    return detail::flat_cell(law, circuit.element_name(element), circuit.net_name(element.from),
                             circuit.net_name(element.to), element.conductance);
}

std::string source_lines(const Expansion& circuit, const Eigen::Ref<const Eigen::VectorXd>& v) {
    std::string text;
    for (Index r = 0; r < circuit.word_lines; ++r)
        text += fmt::format("{} {} 0 dc {}\n", detail::source_name(circuit.pattern, r),
                            circuit.net_name(circuit.source(r)), number(v(r)));
    return text;
}

std::string ammeter_lines(const Expansion& circuit) {
    std::string text;
    for (Index c = 0; c < circuit.bit_lines; ++c)
        text += fmt::format("{} {} 0 dc 0\n", detail::ammeter_name(circuit.pattern, c),
                            circuit.net_name(circuit.ground(c)));
    return text;
}

/// Everything of one array but what measures its currents.
std::string array_lines(const Crossbar& crossbar, const Eigen::Ref<const Eigen::VectorXd>& v) {
    const Expansion circuit = expand(crossbar);
    std::string text =
        detail::comment(fmt::format("{} crossbar, pattern {}: one resistor per element",
                                    to_string(crossbar.shape()), to_string(crossbar.pattern())));
    if (!crossbar.law().is_linear())
        text += detail::comment(fmt::format("but cells of law {}", to_string(crossbar.law())));
    if (const std::string lost = describe_cut_off(circuit); !lost.empty())
        text += detail::comment("left out: " + lost);
    text += source_lines(circuit, v);
    for (const Element& element : circuit.elements)
        text += element_line(circuit, crossbar.law(), element);
    return text;
}

void check_inputs_of(const Eigen::Ref<const Eigen::VectorXd>& inputs, Index wanted,
                     std::string_view circuit) {
    if (inputs.size() != wanted || !inputs.allFinite())
        throw InvalidInput("read voltages", fmt::format("{} values, but {} takes {}, all finite",
                                                        inputs.size(), circuit, wanted));
}

}  // namespace

std::string write_flat_deck(const Crossbar& crossbar,
                            const Eigen::Ref<const Eigen::VectorXd>& inputs,
                            const std::string& title) {
    check_inputs_of(inputs, crossbar.shape().word_lines,
                    fmt::format("a {} array", to_string(crossbar.shape())));
    return detail::comment(title) + std::string(detail::options_line()) +
           detail::flat_definitions(crossbar.law()) + array_lines(crossbar, inputs) +
           ammeter_lines(expand(crossbar)) + ".end\n";
}

std::string write_flat_deck(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                            const TileDeckSettings& settings) {
    check_inputs_of(inputs, tile.rows(), "the tile");
    const WeightBlock& block = tile.block();
    std::string deck = detail::comment(
        fmt::format("tile {}.t{}.{} flat, map={}{}", block.layer, block.tile_row, block.tile_column,
                    to_string(tile.settings().mapping),
                    tile.settings().bits_per_cell == 0 ? std::string()
                                                       : fmt::format(", slice {}", block.slice)));
    deck += detail::comment("inputs: " + settings.input_comment);
    deck += detail::comment("faults: " + settings.fault_comment);
    deck += detail::options_line();
    deck += detail::flat_definitions(settings.law);
    for (const Crossbar& target : tile.arrays()) {
        const Crossbar array = exact_at(target, settings.law, settings.read_voltage);
        Eigen::VectorXd voltages = Eigen::VectorXd::Zero(array.shape().word_lines);
        voltages.head(inputs.size()) = inputs;
        deck += array_lines(array, voltages);
    }
    return deck + detail::readout_section(tile, nullptr, settings.reference_shares) +
           detail::control_section(tile, nullptr, settings.reference_shares) + ".end\n";
}

}  // namespace kirchnet
