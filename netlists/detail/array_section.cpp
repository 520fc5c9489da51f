#include "netlists/detail/array_section.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "circuit/names.hpp"
#include "netlists/detail/cell_line.hpp"
#include "netlists/detail/deck_text.hpp"
#include "netlists/netlist_writer.hpp"

namespace kirchnet::detail {
namespace {

/// A resistance as the settings have it for all lines is a parameter of this name; others stand in
/// the element.
std::string value_text(const LineResistance& usual, double value, std::string_view parameter) {
    const bool is_usual = usual.is_uniform() && usual(0) == value;
    return is_usual ? fmt::format("{{{}}}", parameter) : number(value);
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

std::string_view driven_nodes(DriveSide side) {
    switch (side) {
        case DriveSide::left:
            return "source and start of each word line";
        case DriveSide::right:
            return "source and end of each word line";
        case DriveSide::both:
            break;
    }
    return "source and both ends of each word line";
}

std::string_view sensed_nodes(SenseSide side) {
    switch (side) {
        case SenseSide::bottom:
            return "end of each bit line and its read-out";
        case SenseSide::top:
            return "start of each bit line and its read-out";
        case SenseSide::both:
            break;
    }
    return "both ends of each bit line and its read-out";
}

std::array<NamedResistance, 4> named(const Wires& wires) {
    return {{{wires.word_line_segment, "rwl", "word-line segment", "the nodes along a word line"},
             {wires.bit_line_segment, "rbl", "bit-line segment", "the nodes along a bit line"},
             {wires.driver, "rdrv", "driver", driven_nodes(wires.drive)},
             {wires.sense, "rsense", "sense input", sensed_nodes(wires.sense_at)}}};
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
    ArrayWriter(const Tile& tile, std::size_t array, const Expansion& circuit,
                std::optional<Index> output, const CellText& cell)
        : tile_(tile),
          crossbar_(tile.arrays()[array]),
          circuit_(circuit),
          output_(output),
          cell_(cell) {}

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
            if (wires().drives_left()) text += word_line_end(r, left_end(r));
            for (Index c = 1; c < circuit_.bit_lines; ++c)
                text += resistor(wire_name("rwl", r, c), net(circuit_.word_net, r, c - 1),
                                 net(circuit_.word_net, r, c), usual().word_line_segment,
                                 wires().word_line_segment(r, c), "rwl");
            if (wires().drives_right()) text += word_line_end(r, right_end(r));
        }
        return text;
    }

    [[nodiscard]] std::string bit_lines() const {
        std::string text;
        for (Index c = 0; c < circuit_.bit_lines; ++c) {
            if (!is_kept(c)) continue;
            if (wires().senses_top()) text += bit_line_end(c, top_end(c));
            for (Index r = 0; r + 1 < circuit_.word_lines; ++r)
                text += resistor(wire_name("rbl", r, c), net(circuit_.bit_net, r, c),
                                 net(circuit_.bit_net, r + 1, c), usual().bit_line_segment,
                                 wires().bit_line_segment(c, r), "rbl");
            if (wires().senses_bottom()) text += bit_line_end(c, bottom_end(c));
        }
        return text;
    }

    /// Where neighbouring lines touch; what lies on a bit line that is left out is ground.
    [[nodiscard]] std::string bridges() const {
        std::string text;
        for (const Bridge& bridge : wires().bridges) {
            const Index r = bridge.word_line;
            const Index c = bridge.bit_line;
            const bool is_word = bridge.lines == Bridge::Lines::word;
            const auto& nets = is_word ? circuit_.word_net : circuit_.bit_net;
            const auto end = [&](Index row, Index column) {
                return is_word || is_kept(column) ? net(nets, row, column) : std::string("0");
            };
            if (!is_word && !is_kept(c) && !is_kept(c + 1)) continue;
            const ElementKind kind =
                is_word ? ElementKind::word_line_bridge : ElementKind::bit_line_bridge;
            const std::string name = element_name(circuit_.pattern, kind, r, c);
            text += resistor(name, end(r, c), is_word ? end(r + 1, c) : end(r, c + 1),
                             LineResistance(), bridge.resistance, "");
        }
        return text;
    }

    /// A select line per word line, where cells have an access device.
    [[nodiscard]] std::string select_lines() const {
        std::string text;
        for (Index r = 0; cell_.has_select() && r < circuit_.word_lines; ++r)
            text += fmt::format("v{0} {0} 0 dc {{v_select}}\n", select_net(r));
        return text;
    }

    [[nodiscard]] std::string cells() const {
        std::string text;
        for (Index r = 0; r < circuit_.word_lines; ++r)
            for (Index c = 0; c < circuit_.bit_lines; ++c) {
                const CellMeaning cell = tile_.meaning({polarity_of(circuit_.pattern, c), r, c});
                const std::string bit_net = net(circuit_.bit_net, r, c);
                text += cell_line(cell, tile_.settings(), cell_, net(circuit_.word_net, r, c),
                                  is_kept(c) || bit_net.empty() ? bit_net : "0", select_net(r));
            }
        return text;
    }

  private:
    [[nodiscard]] std::string select_net(Index r) const {
        return fmt::format("sel_{}_{}", array_letters(circuit_.pattern), r);
    }

    [[nodiscard]] const Wires& wires() const { return crossbar_.wires(); }
    /// What the parameters stand for; a given array's wires may be others.
    [[nodiscard]] const Wires& usual() const { return tile_.settings().wires; }
    [[nodiscard]] bool is_kept(Index c) const {
        return kirchnet::is_kept(tile_, crossbar_, c, output_);
    }

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

    /// One end of a line: termination and end segment are two resistors in series.
    struct LineEnd {
        std::string termination;  ///< `rdrv_a_3`
        std::string middle;       ///< net between the two, where neither is 0 ohm
        std::string segment;      ///< `rwl_a_3_0`
        std::string node;         ///< net of the line's end node
        double segment_resistance;
    };

    [[nodiscard]] LineEnd left_end(Index r) const {
        const std::string line = fmt::format("{}_{}", array_letters(circuit_.pattern), r);
        return {"rdrv_" + line, "drv_" + line, wire_name("rwl", r, 0), net(circuit_.word_net, r, 0),
                end_segment(wires().word_line_segment, r, 0)};
    }
    [[nodiscard]] LineEnd right_end(Index r) const {
        const std::string line = fmt::format("{}_{}_r", array_letters(circuit_.pattern), r);
        const Index last = circuit_.bit_lines - 1;
        const char letter = to_char(polarity_of(circuit_.pattern, last));
        return {"rdrv_" + line, "drv_" + line, fmt::format("rwl_{}_{}_r", letter, r),
                net(circuit_.word_net, r, last),
                end_segment(wires().word_line_segment, r, circuit_.bit_lines)};
    }
    [[nodiscard]] LineEnd bottom_end(Index c) const {
        const std::string line = fmt::format("{}_{}", to_char(polarity_of(circuit_.pattern, c)), c);
        const Index last = circuit_.word_lines - 1;
        return {"rsense_" + line, "sns_" + line, wire_name("rbl", last, c),
                net(circuit_.bit_net, last, c), end_segment(wires().bit_line_segment, c, last)};
    }
    [[nodiscard]] LineEnd top_end(Index c) const {
        const char letter = to_char(polarity_of(circuit_.pattern, c));
        const std::string line = fmt::format("{}_t_{}", letter, c);
        return {"rsense_" + line, "sns_" + line, "rbl_" + line, net(circuit_.bit_net, 0, c),
                end_segment(wires().bit_line_segment, c, circuit_.word_lines)};
    }

    [[nodiscard]] double end_segment(const LineResistance& resistance, Index line,
                                     Index segment) const {
        return wires().end_segments ? resistance(line, segment) : 0.0;
    }

    /// From the source to an end node of the line: driver, then segment.
    [[nodiscard]] std::string word_line_end(Index r, const LineEnd& end) const {
        const double driver = wires().driver(r);
        if (std::isinf(driver + end.segment_resistance))
            return comment(fmt::format("{} left out: open, word line {} is not driven{}",
                                       std::isinf(driver) ? end.termination : end.segment, r,
                                       wires().drive == DriveSide::both ? " at this end" : ""));
        const std::string source = circuit_.net_name(circuit_.source(r));
        const std::string& middle = driver == 0                   ? source
                                    : end.segment_resistance == 0 ? end.node
                                                                  : end.middle;
        std::string text =
            resistor(end.termination, source, middle, usual().driver, driver, "rdrv");
        if (wires().end_segments)
            text += resistor(end.segment, middle, end.node, usual().word_line_segment,
                             end.segment_resistance, "rwl");
        return text;
    }

    /// From an end node of the line to the read-out's net: segment, then sense resistance.
    [[nodiscard]] std::string bit_line_end(Index c, const LineEnd& end) const {
        const double sense = wires().sense(c);
        if (std::isinf(sense + end.segment_resistance))
            return comment(fmt::format("{} left out: open, bit line {} is not read{}",
                                       std::isinf(sense) ? end.termination : end.segment, c,
                                       wires().sense_at == SenseSide::both ? " at this end" : ""));
        const std::string ground = circuit_.net_name(circuit_.ground(c));
        const std::string& middle = sense == 0                    ? ground
                                    : end.segment_resistance == 0 ? end.node
                                                                  : end.middle;
        std::string text;
        if (wires().end_segments)
            text += resistor(end.segment, end.node, middle, usual().bit_line_segment,
                             end.segment_resistance, "rbl");
        return text + resistor(end.termination, middle, ground, usual().sense, sense, "rsense");
    }

    /// One wire; a comment instead where it is open, cut off, or joins its nodes.
    [[nodiscard]] static std::string resistor(const std::string& name, const std::string& from,
                                              const std::string& to, const LineResistance& usual,
                                              double value, std::string_view parameter) {
        if (value == 0 && is_all_zero(usual)) return {};  // said once, beside the parameters
        if (value == 0) return comment(fmt::format("{} is 0 ohm: one node, {}", name, to));
        if (std::isinf(value)) return comment(fmt::format("{} left out: open", name));
        if (from.empty() || to.empty())
            return comment(fmt::format("{} left out: cut off from every source and ground", name));
        if (from == to) return comment(fmt::format("{} left out: both its ends are {}", name, to));
        return fmt::format("{} {} {} {}\n", name, from, to, value_text(usual, value, parameter));
    }

    const Tile& tile_;
    const Crossbar& crossbar_;
    const Expansion& circuit_;
    std::optional<Index> output_;
    const CellText& cell_;
};

}  // namespace

std::string wire_parameters(const Wires& wires) {
    std::string text;
    if (wires.drive == DriveSide::right)
        text += comment("word lines are driven at their right end");
    if (wires.drive == DriveSide::both)
        text += comment("word lines are driven at both ends, by a driver each");
    if (wires.sense_at == SenseSide::top) text += comment("bit lines are read at their top end");
    if (wires.sense_at == SenseSide::both)
        text += comment("bit lines are read at both ends, by an input each; the currents add");
    for (const NamedResistance& resistance : named(wires)) text += parameter_line(resistance);
    if (!wires.end_segments && !is_all_zero(wires.word_line_segment))
        text += comment("no segment before the first cell, nor after the last");
    return text;
}

std::string array_section(const Tile& tile, std::size_t array, const Expansion& circuit,
                          const Eigen::Ref<const Eigen::VectorXd>& inputs, const CellText& cell,
                          const ArrayScope& scope) {
    const ArrayWriter writer(tile, array, circuit, scope.output, cell);
    const std::string letters(array_letters(circuit.pattern));
    std::string text;
    if (const std::string lost = describe_cut_off(circuit); !lost.empty())
        text += comment("left out: " + lost);
    if (scope.has_sources)
        text += fmt::format("* ---- array {}: sources ----\n", letters) + writer.sources(inputs);
    text += fmt::format("* ---- array {}: word lines ----\n", letters) + writer.word_lines();
    if (cell.has_select())
        text +=
            fmt::format("* ---- array {}: select lines ----\n", letters) + writer.select_lines();
    text += fmt::format("* ---- array {}: cells ----\n", letters) + writer.cells();
    text += fmt::format("* ---- array {}: bit lines ----\n", letters) + writer.bit_lines();
    if (const std::string bridges = writer.bridges(); !bridges.empty())
        text +=
            fmt::format("* ---- array {}: neighbouring lines that touch ----\n", letters) + bridges;
    return text;
}

}  // namespace kirchnet::detail
