// Word line r lies at `row(r)`, bit line c at `column(c)`. A cell hangs from its word-line node,
// left of its bit line, and ends at its bit-line node below; lines that cross without a dot are not
// connected.
#include "tools/output/plots/schematic_array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "circuit/elements.hpp"
#include "circuit/names.hpp"
#include "circuit/units.hpp"

namespace kirchnet {
namespace schematic_style {
namespace {

constexpr std::string_view on_colour = "#d55e00";
constexpr std::string_view off_colour = "#0072b2";
constexpr std::string_view open_colour = "#cc79a7";
constexpr std::string_view stuck_colour = "#b8860b";    // at a conductance of its own
constexpr std::string_view shorted_colour = "#009e73";  // past its transistor

}  // namespace

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

}  // namespace schematic_style

namespace {

using namespace schematic_style;

constexpr double column_pitch = 112;
constexpr double row_pitch = 100;
constexpr double node_left = 26;   // a cell's word-line node left of its bit line
constexpr double node_below = 46;  // its bit-line node below its word line

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
    static PlotPlace out(const Crossbar& array, PlotPlace corner, Index c) {
        return {column_of(array, corner, c), corner.y + height(array)};
    }

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
    static double column_of(const Crossbar& array, PlotPlace corner, Index c) {
        return corner.x + left_room(array) + column_pitch * (static_cast<double>(c) + 0.75);
    }
    [[nodiscard]] double column(Index c) const { return column_of(array_, corner_, c); }

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
            svg_.polyline({{middle_x - 5, middle_y - 5}, {middle_x + 5, middle_y + 5}},
                          colour_of(Fault::open), 2);
            svg_.polyline({{middle_x - 5, middle_y + 5}, {middle_x + 5, middle_y - 5}},
                          colour_of(Fault::open), 2);
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
        wire({x, y}, out(array_, corner_, c));
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

}  // namespace

double array_width(const Crossbar& array) {
    return ArrayDrawing::width(array);
}

double array_height(const Crossbar& array) {
    return ArrayDrawing::height(array);
}

void draw_array(Svg& svg, const Crossbar& array, const Eigen::VectorXd& inputs, PlotPlace corner) {
    ArrayDrawing(svg, array, inputs, corner).draw();
}

PlotPlace array_output(const Crossbar& array, PlotPlace corner, Index bit_line) {
    return ArrayDrawing::out(array, corner, bit_line);
}

}  // namespace kirchnet
