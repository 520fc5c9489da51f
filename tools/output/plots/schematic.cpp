// Arrays lie side by side, what reads them below, subtractors and legend at the bottom. What
// belongs together across the picture goes by the name of its net.
#include "tools/output/plots/schematic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "tools/output/plots/schematic_array.hpp"
#include "tools/output/plots/svg.hpp"

namespace kirchnet {
namespace {

using namespace schematic_style;

constexpr double margin = 24;
constexpr double reader_height = 96;  // below a bit line's end, its name included
constexpr double output_width = 190;
constexpr double output_height = 74;

void draw_triangle(Svg& svg, const std::vector<PlotPlace>& corners) {
    svg.polygon(corners, paper, 1);
    std::vector<PlotPlace> closed = corners;
    closed.push_back(corners.front());
    svg.polyline(closed, ink, 1.3);
}

void draw_ground(Svg& svg, PlotPlace at) {
    for (int i = 0; i < 3; ++i) {
        const double half = 9 - 3 * i;
        svg.line(at.x - half, at.y + 4 * i, at.x + half, at.y + 4 * i, ink);
    }
}

/// 0 V source as ammeter.
void draw_ammeter(Svg& svg, PlotPlace at, const std::string& net) {
    svg.line(at.x, at.y, at.x, at.y + 14, ink);
    svg.circle(at.x, at.y + 26, 12, ink);
    svg.circle(at.x, at.y + 26, 10.7, paper);
    svg.text(at.x, at.y + 30, "A", {.size = normal, .anchor = Anchor::middle, .bold = true});
    svg.line(at.x, at.y + 38, at.x, at.y + 48, ink);
    draw_ground(svg, {at.x, at.y + 48});
    svg.text(at.x, at.y + 76, net, {.size = normal, .anchor = Anchor::middle});
}

/// Inverting amplifier with R_f across it; the other input is grounded.
void draw_amplifier(Svg& svg, PlotPlace at, const std::string& output) {
    const double x = at.x;
    const double top = at.y + 12;
    const double tip = top + 42;
    svg.line(x, at.y, x, top, ink);
    draw_triangle(svg, {{x - 12, top}, {x + 32, top}, {x + 10, tip}});
    svg.text(x, top + 12, "-", {.size = normal, .anchor = Anchor::middle, .bold = true});
    svg.text(x + 21, top + 12, "+", {.size = normal, .anchor = Anchor::middle, .bold = true});
    // The other input, to ground.
    svg.line(x + 21, top, x + 21, at.y + 6, ink);
    svg.line(x + 21, at.y + 6, x + 34, at.y + 6, ink);
    svg.line(x + 34, at.y + 2, x + 34, at.y + 10, ink);
    svg.line(x + 37, at.y + 3.5, x + 37, at.y + 8.5, ink);
    svg.line(x + 40, at.y + 5, x + 40, at.y + 7, ink);
    // R_f from the input to the output.
    const double left = x - 26;
    svg.polyline({{x, at.y + 2}, {left, at.y + 2}, {left, top + 4}}, ink, 1);
    svg.polyline({{left - 5, top + 4},
                  {left + 5, top + 4},
                  {left + 5, top + 28},
                  {left - 5, top + 28},
                  {left - 5, top + 4}},
                 ink, 1.3);
    svg.polyline({{left, top + 28}, {left, tip + 6}, {x + 10, tip + 6}}, ink, 1);
    svg.circle(x, at.y + 2, 2.5, ink);
    svg.line(x + 10, tip, x + 10, tip + 12, ink);
    svg.circle(x + 10, tip + 6, 2.5, ink);
    svg.text(left - 9, top + 20, "Rf", {.size = small, .anchor = Anchor::end});
    svg.text(x + 10, tip + 25, output, {.size = normal, .anchor = Anchor::middle});
}

std::string amplifier_net(const Crossbar& array, Index c) {
    return fmt::format("tia_{}_{}", to_char(polarity_of(array.pattern(), c)), c);
}

bool is_current_mode(const Schematic& drawing) {
    return drawing.readout == Readout::opamp && !drawing.outputs.empty() &&
           drawing.circuit.kind == SubtractorKind::current_mode;
}

/// What an amplifier's output is called: in current mode b's second amplifier is the subtractor.
std::string output_net(const Schematic& drawing, std::size_t array, Index c) {
    if (is_current_mode(drawing))
        for (const SchematicOutput& output : drawing.outputs)
            if (output.b && output.b->array == array && output.b->bit_line == c) return output.name;
    return amplifier_net(drawing.arrays[array], c);
}

/// R_x from a's amplifier into the input of b's.
void draw_coupling(Svg& svg, PlotPlace at, const Schematic& drawing,
                   const SchematicOutput& output) {
    const auto column_net = [&](const char* kind, const SchematicColumn& column) {
        return fmt::format(
            "{}_{}_{}", kind,
            to_char(polarity_of(drawing.arrays[column.array].pattern(), column.bit_line)),
            column.bit_line);
    };
    const double x = at.x + 60;
    const double y = at.y + 24;
    svg.text(x - 4, y + 4, column_net("tia", output.a), {.size = normal, .anchor = Anchor::end});
    svg.line(x, y, x + 12, y, ink);
    svg.polyline(
        {{x + 12, y - 5}, {x + 38, y - 5}, {x + 38, y + 5}, {x + 12, y + 5}, {x + 12, y - 5}}, ink,
        1.3);
    svg.text(x + 25, y - 10, "Rx", {.size = small, .anchor = Anchor::middle});
    svg.line(x + 38, y, x + 50, y, ink);
    svg.text(x + 54, y + 4, column_net("out", *output.b), {.size = normal});
}

/// A difference of currents, or of amplifiers' outputs.
void draw_output(Svg& svg, PlotPlace at, const Schematic& drawing, const SchematicOutput& output) {
    if (is_current_mode(drawing) && output.b) return draw_coupling(svg, at, drawing, output);
    const bool has_amplifiers = drawing.readout == Readout::opamp;
    const auto input_name = [&](const SchematicColumn& column) {
        const Crossbar& array = drawing.arrays[column.array];
        if (has_amplifiers) return amplifier_net(array, column.bit_line);
        return fmt::format(
            "I({})", sense_node(polarity_of(array.pattern(), column.bit_line), column.bit_line));
    };
    const double x = at.x + 74;
    const double y = at.y;
    draw_triangle(svg, {{x, y}, {x + 46, y + 24}, {x, y + 48}});
    const std::array signs{std::pair{"+", input_name(output.a)},
                           std::pair{"-", output.b ? input_name(*output.b) : std::string()}};
    for (std::size_t i = 0; i < 2; ++i) {
        const double line = y + 12 + 24 * static_cast<double>(i);
        if (signs[i].second.empty()) continue;
        svg.line(x - 12, line, x, line, ink);
        svg.text(x + 5, line + 4, signs[i].first, {.size = normal, .bold = true});
        svg.text(x - 16, line + 4, signs[i].second, {.size = normal, .anchor = Anchor::end});
    }
    svg.line(x + 46, y + 24, x + 58, y + 24, ink);
    svg.text(x + 62, y + 28, output.name, {.size = normal, .bold = true});
}

// ---- The whole picture ----

void check(const Schematic& drawing) {
    if (drawing.arrays.empty()) throw InvalidInput("schematic", "has no array");
    for (const Crossbar& array : drawing.arrays) {
        const ArrayShape shape = array.shape();
        if (std::max(shape.word_lines, shape.bit_lines) > largest_schematic)
            throw InvalidInput(
                "schematic",
                fmt::format("a {} array is too large to be read: at most {} word lines and {} bit "
                            "lines; take smaller arrays, or heat maps, which show any size",
                            to_string(shape), largest_schematic, largest_schematic));
        if (drawing.inputs.size() != shape.word_lines)
            throw InvalidInput("schematic", fmt::format("{} read voltages for {} word lines",
                                                        drawing.inputs.size(), shape.word_lines));
    }
    const auto check_column = [&](const SchematicColumn& column) {
        if (column.array >= drawing.arrays.size() || column.bit_line < 0 ||
            column.bit_line >= drawing.arrays[column.array].shape().bit_lines)
            throw InvalidInput("schematic", "an output has a bit line that no array has");
    };
    for (const SchematicOutput& output : drawing.outputs) {
        check_column(output.a);
        if (output.b) check_column(*output.b);
    }
}

std::map<Fault, Index> count_faults(const Schematic& drawing) {
    std::map<Fault, Index> counts;
    for (const Crossbar& array : drawing.arrays)
        for (const Fault fault : array.faults().reshaped())
            if (fault != Fault::none) ++counts[fault];
    return counts;
}

std::size_t count_bridges(const Schematic& drawing) {
    std::size_t count = 0;
    for (const Crossbar& array : drawing.arrays) count += array.wires().bridges.size();
    return count;
}

std::string describe(const Schematic& drawing) {
    if (!drawing.description.empty()) return drawing.description;
    std::string text = fmt::format("Circuit of {} array{} of {} cells", drawing.arrays.size(),
                                   drawing.arrays.size() == 1 ? "" : "s",
                                   to_string(drawing.arrays.front().shape()));
    for (const auto& [fault, count] : count_faults(drawing))
        text += fmt::format(", {} {}", count, words_of(fault));
    for (const Crossbar& array : drawing.arrays)
        for (Index r = 0; r < array.shape().word_lines; ++r)
            for (Index c = 0; c < array.shape().bit_lines; ++c)
                if (array.faults()(r, c) != Fault::none)
                    text += fmt::format("; {} is {}",
                                        cell_name({polarity_of(array.pattern(), c), r, c}),
                                        words_of(array.faults()(r, c)));
    if (const std::size_t bridges = count_bridges(drawing); bridges > 0)
        text += fmt::format("; {} bridges between neighbouring lines", bridges);
    return text;
}

struct Page {
    double width = 0;
    double height = 0;
    double arrays_top = 0;
    double readers_top = 0;  ///< of arrays of any height
    double outputs_top = 0;
    Index outputs_per_row = 1;
    std::vector<std::string> title;
};

Page lay_out(const Schematic& drawing) {
    Page page;
    double tallest = 0;
    page.width = margin;
    for (const Crossbar& array : drawing.arrays) {
        page.width += array_width(array) + margin;
        tallest = std::max(tallest, array_height(array));
    }
    page.width = std::max(page.width, 520.0);
    page.title = wrap_words(drawing.title, page.width - 2 * margin, 16);
    page.arrays_top = 40 + 22 * static_cast<double>(page.title.size());
    page.readers_top = page.arrays_top + tallest;
    page.outputs_top = page.readers_top + reader_height + 18;
    page.outputs_per_row =
        std::max<Index>(1, static_cast<Index>((page.width - 2 * margin) / output_width));
    const auto outputs = static_cast<Index>(drawing.outputs.size());
    const Index rows = (outputs + page.outputs_per_row - 1) / page.outputs_per_row;
    page.height = page.outputs_top + output_height * static_cast<double>(rows) + 34;
    return page;
}

void draw_legend(Svg& svg, const Schematic& drawing, double y) {
    double x = margin;
    for (const auto& [fault, count] : count_faults(drawing)) {
        svg.rect(x, y - 10, 12, 12, colour_of(fault));
        if (interrupts(fault)) svg.rect(x + 2, y - 8, 8, 8, paper);
        const std::string words = fmt::format("{} ({})", words_of(fault), count);
        svg.text(x + 18, y, words);
        x += 18 + text_width(words, 12) + 24;
    }
    if (const std::size_t bridges = count_bridges(drawing); bridges > 0) {
        svg.polyline({{x, y - 4}, {x + 16, y - 4}}, bridge_colour, 2, "5 3");
        const std::string words = fmt::format("bridge ({})", bridges);
        svg.text(x + 22, y, words);
        x += 22 + text_width(words, 12) + 24;
    }
    if (drawing.readout != Readout::opamp) return;
    std::string resistors = fmt::format("Rf {}", ohms(drawing.circuit.feedback_resistance));
    if (is_current_mode(drawing))
        resistors += ", Rx as much";
    else if (!drawing.outputs.empty())
        resistors += fmt::format(", R1 to R4 of each subtractor {}",
                                 ohms(drawing.circuit.bridge_resistance));
    svg.text(x, y, resistors);
}

}  // namespace

std::string schematic(const Schematic& drawing) {
    check(drawing);
    const Page page = lay_out(drawing);
    Svg svg(page.width, page.height, drawing.title, describe(drawing));
    svg.follow_colour_scheme();
    for (std::size_t i = 0; i < page.title.size(); ++i)
        svg.text(page.width / 2, 28 + 22 * static_cast<double>(i), page.title[i],
                 {.size = 16, .anchor = Anchor::middle, .bold = true});
    double x = margin;
    for (std::size_t number = 0; number < drawing.arrays.size(); ++number) {
        const Crossbar& array = drawing.arrays[number];
        const PlotPlace corner{x, page.arrays_top};
        svg.text(x, page.arrays_top - 4, fmt::format("array {}", array_letters(array.pattern())),
                 {.bold = true});
        draw_array(svg, array, drawing.inputs, corner);
        for (Index c = 0; c < array.shape().bit_lines; ++c) {
            PlotPlace at = array_output(array, corner, c);
            if (!array.wires().senses_bottom()) {
                // Read at the top alone: the net goes by its name.
                at.y = page.readers_top;
                svg.circle(at.x, at.y, 3, ink);
            }
            const std::string net = sense_node(polarity_of(array.pattern(), c), c);
            if (drawing.readout == Readout::opamp) {
                svg.text(at.x + 5, at.y - 4, net, {.size = small});
                draw_amplifier(svg, at, output_net(drawing, number, c));
            } else {
                draw_ammeter(svg, at, net);
            }
        }
        x += array_width(array) + margin;
    }
    for (std::size_t i = 0; i < drawing.outputs.size(); ++i) {
        const auto place = static_cast<Index>(i);
        draw_output(
            svg,
            {margin + output_width * static_cast<double>(place % page.outputs_per_row),
             page.outputs_top + output_height * static_cast<double>(place / page.outputs_per_row)},
            drawing, drawing.outputs[i]);
    }
    draw_legend(svg, drawing, page.height - 14);
    return svg.str();
}

}  // namespace kirchnet
