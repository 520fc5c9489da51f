// Arrays lie side by side, each on a grid: word line r at `row(r)`, bit line c at `column(c)`. A
// cell hangs from its word-line node, left of its bit line, and ends at its bit-line node below;
// lines that cross without a dot are not connected. What belongs together across the picture goes
// by the name of its net.
#include "tools/plots/schematic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "circuit/units.hpp"
#include "tools/plots/svg.hpp"

namespace kirchnet {
namespace {

constexpr std::string_view ink = "#1a1a1a";
constexpr std::string_view paper = "#ffffff";
constexpr std::string_view on_colour = "#d55e00";  // Okabe and Ito's, as all charts
constexpr std::string_view off_colour = "#0072b2";
constexpr std::string_view open_colour = "#cc79a7";
constexpr std::string_view stuck_colour = "#b8860b";    // at a conductance of its own
constexpr std::string_view shorted_colour = "#009e73";  // past its transistor
constexpr std::string_view bridge_colour = "#d55e00";

constexpr double column_pitch = 112;
constexpr double row_pitch = 100;
constexpr double margin = 24;
constexpr double small = 10;       // text size of values
constexpr double normal = 12;      // of names
constexpr double node_left = 26;   // a cell's word-line node left of its bit line
constexpr double node_below = 46;  // its bit-line node below its word line

std::string ohms(double resistance) {
    return std::isinf(resistance) ? "open" : format_quantity(resistance, "ohm");
}

std::string_view colour_of(Fault fault) {
    switch (fault) {
        case Fault::none:
            return ink;
        case Fault::stuck_off:
            return off_colour;
        case Fault::stuck_on:
            return on_colour;
        case Fault::stuck_at:
            return stuck_colour;
        case Fault::shorted_transistor:
            return shorted_colour;
        case Fault::open:
        case Fault::open_via:
        case Fault::open_transistor:
            break;
    }
    return open_colour;
}

std::string words_of(Fault fault) {
    std::string words(to_string(fault));
    std::replace(words.begin(), words.end(), '_', ' ');
    return words;
}

/// Beside a cell, where there is no room for more.
std::string short_words_of(Fault fault) {
    if (fault == Fault::open_transistor) return "FET open";
    if (fault == Fault::shorted_transistor) return "FET shorted";
    return words_of(fault);
}

/// A piece of wire with its resistance, and the name it has in decks.
struct Piece {
    double resistance = 0;
    std::string what = {};  ///< written before the value: `driver`
};

/// The pieces between a source and a line's first node, and whether there is such an end.
struct LineEnd {
    bool exists = false;
    Piece termination;
    Piece segment;
};

class ArrayDrawing {
  public:
    ArrayDrawing(Svg& svg, const Crossbar& array, const Eigen::VectorXd& inputs, PlotPlace corner)
        : svg_(svg), array_(array), inputs_(inputs), corner_(corner) {}

    static double width(const Crossbar& array) {
        return left_room(array) + column_pitch * static_cast<double>(array.shape().bit_lines) +
               right_room(array);
    }
    static double height(const Crossbar& array) {
        return top_room(array) + row_pitch * static_cast<double>(array.shape().word_lines) +
               bottom_room(array);
    }

    void draw() {
        const auto [m, n] = array_.shape();
        for (Index r = 0; r < m; ++r) draw_word_line(r);
        for (Index c = 0; c < n; ++c) draw_bit_line(c);
        for (Index r = 0; r < m; ++r)
            for (Index c = 0; c < n; ++c) draw_cell(r, c);
        for (const Bridge& bridge : array_.wires().bridges) draw_bridge(bridge);
    }

    /// Where a bit line's read-out begins.
    [[nodiscard]] PlotPlace out(Index c) const { return {column(c), corner_.y + height(array_)}; }

  private:
    static bool has_driver(const Crossbar& array) {
        return (array.wires().driver.values().array() != 0).any();
    }
    static bool has_sense(const Crossbar& array) {
        return (array.wires().sense.values().array() != 0).any();
    }
    static double left_room(const Crossbar& array) {
        if (!array.wires().drives_left()) return 30;
        return 100 + (has_driver(array) ? 66 : 0);
    }
    static double right_room(const Crossbar& array) {
        if (!array.wires().drives_right()) return 40;
        return 150 + (has_driver(array) ? 66 : 0);
    }
    static double top_room(const Crossbar& array) {
        if (!array.wires().senses_top()) return 34;
        return 110 + (has_sense(array) ? 56 : 0);
    }
    /// Below the last row of cells, whose own segment lies within it.
    static double bottom_room(const Crossbar& array) {
        if (!array.wires().senses_bottom()) return 0;
        return 16 + (has_sense(array) ? 52 : 0);
    }

    [[nodiscard]] double row(Index r) const {
        return corner_.y + top_room(array_) + row_pitch * static_cast<double>(r);
    }
    [[nodiscard]] double column(Index c) const {
        return corner_.x + left_room(array_) + column_pitch * (static_cast<double>(c) + 0.75);
    }

    void wire(PlotPlace from, PlotPlace to) { svg_.line(from.x, from.y, to.x, to.y, ink); }
    void dot(PlotPlace at) { svg_.circle(at.x, at.y, 3, ink); }

    /// A dashed line past the cell, next to the nodes that it joins.
    void draw_bridge(const Bridge& bridge) {
        const Index r = bridge.word_line;
        const Index c = bridge.bit_line;
        const ElementKind kind = bridge.lines == Bridge::Lines::word ? ElementKind::word_line_bridge
                                                                     : ElementKind::bit_line_bridge;
        svg_.raw(fmt::format("<g class=\"fault\"><title>{}</title>\n",
                             element_name(array_.pattern(), kind, r, c)));
        const std::string value = ohms(bridge.resistance);
        if (bridge.lines == Bridge::Lines::word) {
            const double x = column(c) - node_left / 2;
            svg_.polyline({{x, row(r)}, {x, row(r + 1)}}, bridge_colour, 2, "5 3");
            coloured_text(x - 5, row(r) + 74, value, bridge_colour);
        } else {
            const double y = row(r) + node_below + 6;
            svg_.polyline({{column(c), y}, {column(c + 1), y}}, bridge_colour, 2, "5 3");
            coloured_text(column(c + 1) - node_left - 4, y + 14, value, bridge_colour);
        }
        svg_.raw("</g>\n");
    }

    /// A horizontal piece from `left` to `right`: a wire, or a resistor with its value above.
    void draw_across(double left, double right, double y, const Piece& piece) {
        if (piece.resistance == 0) return wire({left, y}, {right, y});
        const double middle = (left + right) / 2;
        constexpr double half = 13;
        wire({left, y}, {middle - half, y});
        wire({middle + half, y}, {right, y});
        draw_body(middle - half, y - 5, 2 * half, 10, piece.resistance);
        svg_.text(middle, y - 10, ohms(piece.resistance),
                  {.size = small, .anchor = Anchor::middle});
        if (!piece.what.empty())
            svg_.text(middle, y + 18, piece.what, {.size = small, .anchor = Anchor::middle});
    }

    /// A vertical piece likewise, its value on the right.
    void draw_down(double x, double top, double bottom, const Piece& piece) {
        if (piece.resistance == 0) return wire({x, top}, {x, bottom});
        const double middle = (top + bottom) / 2;
        constexpr double half = 12;
        wire({x, top}, {x, middle - half});
        wire({x, middle + half}, {x, bottom});
        draw_body(x - 5, middle - half, 10, 2 * half, piece.resistance);
        const double line = middle + (piece.what.empty() ? 4 : -3);
        svg_.text(x + 10, line, ohms(piece.resistance), {.size = small});
        if (!piece.what.empty()) svg_.text(x + 10, line + 13, piece.what, {.size = small});
    }

    /// A resistor, or a gap where the piece is open.
    void draw_body(double x, double y, double width, double height, double resistance) {
        svg_.rect(x, y, width, height, paper);
        if (std::isinf(resistance)) {
            const double middle_x = x + width / 2;
            const double middle_y = y + height / 2;
            svg_.polyline({{middle_x - 5, middle_y - 5}, {middle_x + 5, middle_y + 5}}, open_colour,
                          2);
            svg_.polyline({{middle_x - 5, middle_y + 5}, {middle_x + 5, middle_y - 5}}, open_colour,
                          2);
            return;
        }
        outline(x, y, width, height, ink, 1.3);
    }

    void outline(double x, double y, double width, double height, std::string_view stroke,
                 double thickness, std::string_view dashes = {}) {
        svg_.polyline({{x, y}, {x + width, y}, {x + width, y + height}, {x, y + height}, {x, y}},
                      stroke, thickness, dashes);
    }

    /// Resistance of a line's end beside its termination: none where there is no end segment.
    [[nodiscard]] Piece end_segment(double of_segment) const {
        return {array_.wires().end_segments ? of_segment : 0.0, {}};
    }

    void draw_word_line(Index r) {
        const Index n = array_.shape().bit_lines;
        const Wires& wires = array_.wires();
        const double y = row(r);
        const auto node = [&](Index c) { return column(c) - node_left; };
        if (wires.drives_left()) {
            double x = node(0) - 58;
            draw_across(x, node(0), y, end_segment(wires.word_line_segment(r, 0)));
            if (has_driver(array_)) {
                draw_across(x - 66, x, y, {wires.driver(r), r == 0 ? "driver" : ""});
                x -= 66;
            }
            draw_source(x, y, r, false);
        }
        for (Index c = 1; c < n; ++c)
            draw_across(node(c - 1), node(c), y, {wires.word_line_segment(r, c), {}});
        double x = node(n - 1);
        if (!wires.drives_right()) return wire({x, y}, {x + node_left + 12, y});
        draw_across(x, x + 100, y, end_segment(wires.word_line_segment(r, n)));
        x += 100;
        if (has_driver(array_)) {
            draw_across(x, x + 66, y, {wires.driver(r), r == 0 ? "driver" : ""});
            x += 66;
        }
        draw_source(x, y, r, true);
    }

    /// A ring on the line's end, with net and voltage.
    void draw_source(double x, double y, Index r, bool is_right) {
        svg_.circle(x, y, 5, ink);
        svg_.circle(x, y, 3.5, paper);
        const double at = is_right ? x + 10 : x - 10;
        const Anchor anchor = is_right ? Anchor::start : Anchor::end;
        svg_.text(at, y - 2, input_node(array_.pattern(), r), {.size = normal, .anchor = anchor});
        svg_.text(at, y + 12, format_quantity(inputs_(r), "V"), {.size = small, .anchor = anchor});
    }

    void draw_bit_line(Index c) {
        const Index m = array_.shape().word_lines;
        const Wires& wires = array_.wires();
        const double x = column(c);
        const std::string net = sense_node(polarity_of(array_.pattern(), c), c);
        if (wires.senses_top()) {
            const double node = row(0) + node_below;
            double y = row(0) - 12;
            // The line passes its first word line, then the end segment lies above.
            wire({x, node}, {x, y});
            draw_down(x, y - 44, y, end_segment(wires.bit_line_segment(c, m)));
            y -= 44;
            if (has_sense(array_)) {
                draw_down(x, y - 52, y, {wires.sense(c), c == 0 ? "sense" : ""});
                y -= 52;
            }
            svg_.circle(x, y, 3, ink);
            svg_.text(x, y - 8, net, {.size = normal, .anchor = Anchor::middle});
        } else {
            wire({x, row(0) + node_below}, {x, row(0) - 12});
        }
        for (Index r = 0; r + 1 < m; ++r) {
            const double node = row(r) + node_below;
            draw_down(x, node, node + 44, {wires.bit_line_segment(c, r), {}});
            wire({x, node + 44}, {x, row(r + 1) + node_below});
        }
        if (!wires.senses_bottom()) return;
        double y = row(m - 1) + node_below;
        draw_down(x, y, y + 44, end_segment(wires.bit_line_segment(c, m - 1)));
        y += 44;
        if (has_sense(array_)) {
            draw_down(x, y, y + 52, {wires.sense(c), c == 0 ? "sense" : ""});
            y += 52;
        }
        wire({x, y}, out(c));
    }

    void draw_cell(Index r, Index c) {
        const Fault fault = array_.faults()(r, c);
        const double conductance = array_.conductance()(r, c);
        const double x = column(c) - node_left;
        const double y = row(r);
        const double bottom = y + node_below;
        dot({x, y});
        dot({column(c), bottom});
        constexpr double body_top = 9;
        constexpr double body_height = 26;
        wire({x, y}, {x, y + body_top});
        wire({x, y + body_top + body_height}, {x, bottom});
        wire({x, bottom}, {column(c), bottom});
        const std::string_view colour = colour_of(fault);
        svg_.rect(x - 6, y + body_top, 12, body_height, fault == Fault::none ? paper : colour);
        if (conductance == 0) svg_.rect(x - 4, y + body_top + 2, 8, body_height - 4, paper);
        outline(x - 6, y + body_top, 12, body_height, colour, 1.5, conductance == 0 ? "3 2" : "");
        write_cell(x - 10, y + 21, r, c);
    }

    /// Conductance, and of a faulty cell what became of which.
    void write_cell(double x, double y, Index r, Index c) {
        const Fault fault = array_.faults()(r, c);
        svg_.text(x, y, format_quantity(array_.conductance()(r, c), "S"),
                  {.size = small, .anchor = Anchor::end});
        if (fault == Fault::none) return;
        svg_.raw(fmt::format("<g class=\"fault\"><title>{}: {}</title>\n",
                             cell_name({polarity_of(array_.pattern(), c), r, c}), words_of(fault)));
        coloured_text(x, y + 13, short_words_of(fault), colour_of(fault));
        const double intended = array_.intended_conductance()(r, c);
        svg_.text(x, y + 25,
                  intended == array_.conductance()(r, c)
                      ? "as intended"
                      : fmt::format("not {}", format_quantity(intended, "S")),
                  {.size = small, .anchor = Anchor::end});
        svg_.raw("</g>\n");
    }

    void coloured_text(double x, double y, const std::string& content, std::string_view colour) {
        svg_.raw(
            fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"end\" "
                        "font-weight=\"bold\" fill=\"{}\">{}</text>\n",
                        x, y, small, colour, escape_xml(content)));
    }

    Svg& svg_;
    const Crossbar& array_;
    const Eigen::VectorXd& inputs_;
    PlotPlace corner_;
};

// ---- What reads bit lines ----

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
        page.width += ArrayDrawing::width(array) + margin;
        tallest = std::max(tallest, ArrayDrawing::height(array));
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
        ArrayDrawing picture(svg, array, drawing.inputs, {x, page.arrays_top});
        svg.text(x, page.arrays_top - 4, fmt::format("array {}", array_letters(array.pattern())),
                 {.bold = true});
        picture.draw();
        for (Index c = 0; c < array.shape().bit_lines; ++c) {
            PlotPlace at = picture.out(c);
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
        x += ArrayDrawing::width(array) + margin;
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
