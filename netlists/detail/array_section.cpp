#include "netlists/detail/array_section.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "circuit/names.hpp"
#include "netlists/detail/cell_line.hpp"
#include "netlists/detail/deck_text.hpp"

namespace kirchnet::detail {
namespace {

/// A resistance that all lines share is a parameter of this name; others stand in the element.
std::string value_text(const LineResistance& resistance, double value, std::string_view parameter) {
    return resistance.is_uniform() ? fmt::format("{{{}}}", parameter) : number(value);
}

bool is_all_zero(const LineResistance& resistance) {
    return resistance.is_uniform() && resistance(0) == 0;
}

struct NamedResistance {
    const LineResistance& values;
    std::string_view parameter;
    std::string_view meaning;
    std::string_view joined;  ///< what is one node where it is 0 ohm
};

std::array<NamedResistance, 4> named(const Wires& wires) {
    return {{{wires.word_line_segment, "rwl", "word-line segment", "the nodes along a word line"},
             {wires.bit_line_segment, "rbl", "bit-line segment", "the nodes along a bit line"},
             {wires.driver, "rdrv", "driver", "source and start of each word line"},
             {wires.sense, "rsense", "sense input", "end of each bit line and its read-out"}}};
}

std::string parameter_line(const NamedResistance& r) {
    if (!r.values.is_uniform())
        return comment(fmt::format("{} resistances differ and stand in the elements", r.meaning));
    const double value = r.values(0);
    if (value == 0)
        return comment(fmt::format("{} 0 ohm: {} are one node (SPICE has no 0 ohm resistor)",
                                   r.meaning, r.joined));
    if (std::isinf(value)) return comment(fmt::format("{} open", r.meaning));
    return fmt::format(".param {}={} ; {} resistance [ohm]\n", r.parameter, number(value),
                       r.meaning);
}

/// Writes one array; knows which nodes are merged or cut off.
class ArrayWriter {
  public:
    ArrayWriter(const Tile& tile, std::size_t array, const Expansion& circuit)
        : tile_(tile), crossbar_(tile.arrays()[array]), circuit_(circuit) {}

    [[nodiscard]] std::string sources(const Eigen::Ref<const Eigen::VectorXd>& inputs) const {
        std::string text;
        for (Index r = 0; r < circuit_.word_lines; ++r) {
            const bool in_use = r < tile_.rows();
            text +=
                fmt::format("{} {} 0 dc {} ; {}\n", source_name(circuit_.pattern, r),
                            circuit_.net_name(circuit_.source(r)), in_use ? number(inputs(r)) : "0",
                            in_use ? describe_input(r) : "pad");
        }
        return text;
    }

    [[nodiscard]] std::string word_lines() const {
        std::string text;
        for (Index r = 0; r < circuit_.word_lines; ++r) {
            text += word_line_start(r);
            for (Index c = 1; c < circuit_.bit_lines; ++c)
                text += resistor(wire_name("rwl", r, c), net(circuit_.word_net, r, c - 1),
                                 net(circuit_.word_net, r, c), wires().word_line_segment,
                                 wires().word_line_segment(r, c), "rwl");
        }
        return text;
    }

    [[nodiscard]] std::string bit_lines() const {
        std::string text;
        for (Index c = 0; c < circuit_.bit_lines; ++c) {
            for (Index r = 0; r + 1 < circuit_.word_lines; ++r)
                text += resistor(wire_name("rbl", r, c), net(circuit_.bit_net, r, c),
                                 net(circuit_.bit_net, r + 1, c), wires().bit_line_segment,
                                 wires().bit_line_segment(c, r), "rbl");
            text += bit_line_end(c);
        }
        return text;
    }

    [[nodiscard]] std::string cells() const {
        std::string text;
        for (Index r = 0; r < circuit_.word_lines; ++r)
            for (Index c = 0; c < circuit_.bit_lines; ++c) {
                const CellMeaning cell = tile_.meaning({polarity_of(circuit_.pattern, c), r, c});
                text += cell_line(cell, tile_.settings(), net(circuit_.word_net, r, c),
                                  net(circuit_.bit_net, r, c));
            }
        return text;
    }

  private:
    [[nodiscard]] const Wires& wires() const { return crossbar_.wires(); }

    /// Empty where the node is cut off.
    [[nodiscard]] std::string net(const std::vector<NetIndex>& nets, Index r, Index c) const {
        const NetIndex index = nets[static_cast<std::size_t>(r * circuit_.bit_lines + c)];
        return index == cut_off_net ? std::string() : circuit_.net_name(index);
    }

    [[nodiscard]] std::string wire_name(std::string_view prefix, Index r, Index c) const {
        return fmt::format("{}_{}_{}_{}", prefix, to_char(polarity_of(circuit_.pattern, c)), r, c);
    }

    [[nodiscard]] std::string describe_input(Index r) const {
        const KernelPosition& input = tile_.block().inputs[static_cast<std::size_t>(r)];
        return fmt::format("r={} ic={} ky={} kx={}", r, input.input_channel, input.kernel_y,
                           input.kernel_x);
    }

    /// Driver and first segment: two resistors in series from the source to the first node.
    [[nodiscard]] std::string word_line_start(Index r) const {
        const double driver = wires().driver(r);
        const double segment = wires().end_segments ? wires().word_line_segment(r, 0) : 0.0;
        const std::string letters(array_letters(circuit_.pattern));
        const std::string name = fmt::format("rdrv_{}_{}", letters, r);
        if (std::isinf(driver + segment))
            return comment(fmt::format("{} left out: open, word line {} is not driven", name, r));
        const std::string source = circuit_.net_name(circuit_.source(r));
        const std::string first = net(circuit_.word_net, r, 0);
        const std::string middle = driver == 0    ? source
                                   : segment == 0 ? first
                                                  : fmt::format("drv_{}_{}", letters, r);
        std::string text = resistor(name, source, middle, wires().driver, driver, "rdrv");
        if (wires().end_segments)
            text += resistor(wire_name("rwl", r, 0), middle, first, wires().word_line_segment,
                             segment, "rwl");
        return text;
    }

    /// Last segment and sense resistance, in series down to the read-out's net.
    [[nodiscard]] std::string bit_line_end(Index c) const {
        const Index last = circuit_.word_lines - 1;
        const double sense = wires().sense(c);
        const double segment = wires().end_segments ? wires().bit_line_segment(c, last) : 0.0;
        const char letter = to_char(polarity_of(circuit_.pattern, c));
        const std::string name = fmt::format("rsense_{}_{}", letter, c);
        if (std::isinf(sense + segment))
            return comment(fmt::format("{} left out: open, bit line {} is not read", name, c));
        const std::string ground = circuit_.net_name(circuit_.ground(c));
        const std::string bottom = net(circuit_.bit_net, last, c);
        const std::string middle = sense == 0     ? ground
                                   : segment == 0 ? bottom
                                                  : fmt::format("sns_{}_{}", letter, c);
        std::string text;
        if (wires().end_segments)
            text += resistor(wire_name("rbl", last, c), bottom, middle, wires().bit_line_segment,
                             segment, "rbl");
        return text + resistor(name, middle, ground, wires().sense, sense, "rsense");
    }

    /// One wire; a comment instead where it is open, cut off, or joins its nodes.
    [[nodiscard]] static std::string resistor(const std::string& name, const std::string& from,
                                              const std::string& to, const LineResistance& which,
                                              double value, std::string_view parameter) {
        if (is_all_zero(which)) return {};  // said once, beside the parameters
        if (value == 0) return comment(fmt::format("{} is 0 ohm: one node, {}", name, to));
        if (std::isinf(value)) return comment(fmt::format("{} left out: open", name));
        if (from.empty() || to.empty())
            return comment(fmt::format("{} left out: cut off from every source and ground", name));
        return fmt::format("{} {} {} {}\n", name, from, to, value_text(which, value, parameter));
    }

    const Tile& tile_;
    const Crossbar& crossbar_;
    const Expansion& circuit_;
};

}  // namespace

std::string wire_parameters(const Wires& wires) {
    std::string text;
    for (const NamedResistance& resistance : named(wires)) text += parameter_line(resistance);
    if (!wires.end_segments && !is_all_zero(wires.word_line_segment))
        text += comment("no segment before the first cell, nor after the last");
    return text;
}

std::string array_section(const Tile& tile, std::size_t array, const Expansion& circuit,
                          const Eigen::Ref<const Eigen::VectorXd>& inputs) {
    const ArrayWriter writer(tile, array, circuit);
    const std::string letters(array_letters(circuit.pattern));
    std::string text;
    if (const std::string lost = describe_cut_off(circuit); !lost.empty())
        text += comment("left out: " + lost);
    text += fmt::format("* ---- array {}: sources ----\n", letters) + writer.sources(inputs);
    text += fmt::format("* ---- array {}: word lines ----\n", letters) + writer.word_lines();
    text += fmt::format("* ---- array {}: cells ----\n", letters) + writer.cells();
    text += fmt::format("* ---- array {}: bit lines ----\n", letters) + writer.bit_lines();
    return text;
}

}  // namespace kirchnet::detail
