#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <utility>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "circuit/read_point.hpp"
#include "netlists/detail/deck_text.hpp"
#include "netlists/detail/law_text.hpp"
#include "netlists/detail/layer_sections.hpp"
#include "netlists/detail/readout_section.hpp"
#include "netlists/netlist_writer.hpp"

namespace kirchnet {
namespace {

using detail::number;

/// A flat line's words: what stands behind each name, and which bit lines are there.
struct FlatNames {
    std::string suffix = {};                ///< `_t0_1` where several tiles share a deck
    std::function<bool(Index)> keeps = {};  ///< empty: every bit line

    [[nodiscard]] bool has(Index bit_line) const { return !keeps || keeps(bit_line); }
};

class ArrayLines {
  public:
    ArrayLines(const Crossbar& crossbar, FlatNames names)
        : crossbar_(crossbar), circuit_(expand(crossbar)), names_(std::move(names)) {}

    /// Everything of the array but what measures its currents.
    [[nodiscard]] std::string write(const Eigen::Ref<const Eigen::VectorXd>& v) const {
        std::string text = detail::comment(
            fmt::format("{} crossbar, pattern {}: one resistor per element",
                        to_string(crossbar_.shape()), to_string(crossbar_.pattern())));
        if (!crossbar_.law().is_linear())
            text += detail::comment(fmt::format("but cells of law {}", to_string(crossbar_.law())));
        if (const std::string lost = describe_cut_off(circuit_); !lost.empty())
            text += detail::comment("left out: " + lost);
        for (Index r = 0; r < circuit_.word_lines; ++r)
            text += fmt::format("{}{} {} 0 dc {}\n", detail::source_name(circuit_.pattern, r),
                                names_.suffix, net(circuit_.source(r)), number(v(r)));
        for (const Element& element : circuit_.elements)
            if (is_there(element)) text += element_line(element);
        return text;
    }

    [[nodiscard]] std::string ammeters() const {
        std::string text;
        for (Index c = 0; c < circuit_.bit_lines; ++c)
            if (names_.has(c))
                text += fmt::format("{}{} {} 0 dc 0\n", detail::ammeter_name(circuit_.pattern, c),
                                    names_.suffix, net(circuit_.ground(c)));
        return text;
    }

  private:
    static bool is_of_word_line(ElementKind kind) {
        return kind == ElementKind::word_line_segment || kind == ElementKind::right_end ||
               kind == ElementKind::word_line_bridge;
    }

    /// Whether an element touches anything that is kept.
    [[nodiscard]] bool is_there(const Element& element) const {
        return element.kind == ElementKind::cell || is_of_word_line(element.kind) ||
               names_.has(element.bit_line) ||
               (element.kind == ElementKind::bit_line_bridge && names_.has(element.bit_line + 1));
    }

    [[nodiscard]] std::string net(NetIndex index) const {
        return circuit_.net_name(index) + names_.suffix;
    }
    [[nodiscard]] std::string name(const Element& element) const {
        return circuit_.element_name(element) + names_.suffix;
    }
    /// The ends of cells and bridges on a bit line that is left out are ground.
    [[nodiscard]] std::string from(const Element& element) const {
        const bool is_left_out =
            element.kind == ElementKind::bit_line_bridge && !names_.has(element.bit_line);
        return is_left_out ? "0" : net(element.from);
    }
    [[nodiscard]] std::string to(const Element& element) const {
        const bool is_left_out =
            (element.kind == ElementKind::cell && !names_.has(element.bit_line)) ||
            (element.kind == ElementKind::bit_line_bridge && !names_.has(element.bit_line + 1));
        return is_left_out ? "0" : net(element.to);
    }

    [[nodiscard]] std::string element_line(const Element& element) const {
        const CellLaw& law = crossbar_.law();
        const bool is_ohmic = law.is_linear() || element.kind != ElementKind::cell;
        if (is_ohmic || element.conductance == 0) return resistor_line(element);
        return detail::flat_cell(law, name(element), from(element), to(element),
                                 element.conductance);
    }

    [[nodiscard]] std::string resistor_line(const Element& element) const {
        const double resistance = 1 / element.conductance;
        if (std::isinf(resistance))  // also of conductances so small that a double holds no inverse
            return detail::comment(fmt::format("{} conducts nothing", name(element)));
        // Only an r makes it a resistor to SPICE: cells are instances (xc_) in the readable form.
        return fmt::format("{}{} {} {} {}\n", element.kind == ElementKind::cell ? "r" : "",
                           name(element), from(element), to(element), number(resistance));
    }

    const Crossbar& crossbar_;
    Expansion circuit_;
    FlatNames names_;
};

Eigen::VectorXd all_voltages(const Crossbar& array, const Eigen::Ref<const Eigen::VectorXd>& used) {
    Eigen::VectorXd voltages = Eigen::VectorXd::Zero(array.shape().word_lines);
    voltages.head(used.size()) = used;
    return voltages;
}

/// Cells of a law take sources that SPICE3's plain elements cannot be.
void check_dialect(const TileDeckSettings& settings) {
    if (settings.dialect == Dialect::spice3 && !settings.law.is_linear())
        throw InvalidInput("--dialect spice3", fmt::format("has linear cells alone, not of law {}",
                                                           to_string(settings.law)));
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
           detail::flat_definitions(crossbar.law()) + ArrayLines(crossbar, {}).write(inputs) +
           ArrayLines(crossbar, {}).ammeters() + ".end\n";
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
    if (settings.output)
        deck += detail::comment(fmt::format("scope     output {} alone", *settings.output));
    if (settings.output && !settings.output_comment.empty())
        deck += detail::comment(settings.output_comment);
    check_dialect(settings);
    deck += detail::flat_definitions(settings.law);
    for (const Crossbar& target : tile.arrays()) {
        const Crossbar array = exact_at(target, settings.law, settings.read_voltage);
        deck += ArrayLines(array,
                           {{}, [&](Index c) { return is_kept(tile, array, c, settings.output); }})
                    .write(all_voltages(array, inputs));
    }
    if (settings.dialect == Dialect::ngspice)
        return deck +
               detail::readout_section(tile, nullptr, settings.reference_shares, settings.output) +
               detail::control_section(tile, nullptr, settings.reference_shares, settings.output) +
               ".end\n";
    std::optional<detail::DeckAmplifiers> drawn;
    if (settings.readout == Readout::opamp)
        drawn = detail::deck_amplifiers(tile, inputs, settings.amplifiers);
    const detail::DeckAmplifiers* amplifiers = drawn ? &*drawn : nullptr;
    return deck + detail::plain_readout_section(tile, amplifiers, settings.output) +
           detail::plain_analysis(detail::source_name(tile.arrays().front().pattern(), 0),
                                  inputs(0),
                                  detail::plain_outputs(tile, amplifiers, settings.output)) +
           ".end\n";
}

std::string write_flat_layer_deck(const std::vector<LayerTile>& tiles,
                                  const TileDeckSettings& settings) {
    check_layer(tiles);
    const bool is_plain = settings.dialect == Dialect::spice3;
    std::string deck = detail::comment(
        fmt::format("layer {} flat, {} tiles; names end in _t and the tile's row and column",
                    tiles.front().tile.block().layer, tiles.size()));
    deck += detail::comment("inputs: " + settings.input_comment);
    deck += detail::comment("faults: " + settings.fault_comment);
    deck += detail::options_line();
    check_dialect(settings);
    deck += detail::flat_definitions(settings.law);
    std::vector<std::string> currents;
    for (const LayerTile& part : tiles) {
        const std::string suffix = fmt::format("_{}", tile_label(part.tile));
        for (const Crossbar& target : part.tile.arrays()) {
            const Crossbar array = exact_at(target, settings.law, settings.read_voltage);
            const ArrayLines lines(array, {suffix});
            deck += lines.write(all_voltages(array, part.inputs)) + lines.ammeters();
            for (Index c = 0; c < part.tile.read_bit_lines(); ++c)
                currents.push_back(
                    fmt::format("i({}{})", detail::ammeter_name(array.pattern(), c), suffix));
        }
    }
    const Tile& first = tiles.front().tile;
    const auto pattern = first.arrays().front().pattern();
    const std::string suffix = fmt::format("_{}", tile_label(first));
    if (is_plain)
        return deck +
               detail::plain_analysis(detail::source_name(pattern, 0) + suffix,
                                      tiles.front().inputs(0), currents) +
               ".end\n";
    return deck + detail::flat_layer_sums(tiles) +
           detail::layer_control(tiles, input_node(pattern, 0) + suffix) + ".end\n";
}

}  // namespace kirchnet
