// One path per colour, each a list of horizontal runs of cells: a 128 x 128 map of real IR drops
// takes some 150 kB, where a rectangle per cell would take 1 MB.
#include "tools/output/plots/heat_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "tools/output/plots/axis.hpp"
#include "tools/output/plots/svg.hpp"

namespace kirchnet {
namespace {

using Eigen::Index;

constexpr int colour_count = 128;
constexpr int no_value = -1;
constexpr std::string_view no_value_colour = "#b0b0b0";

// Points of viridis (van der Walt and Smith, 2015, public domain) at tenths of its range: even
// steps of value look like even steps of colour, in grey and to the colour-blind too.
constexpr std::array<std::array<double, 3>, 11> viridis{{{68, 1, 84},
                                                         {72, 36, 117},
                                                         {65, 68, 135},
                                                         {53, 95, 141},
                                                         {42, 120, 142},
                                                         {33, 145, 140},
                                                         {34, 168, 132},
                                                         {68, 191, 112},
                                                         {122, 209, 81},
                                                         {189, 223, 38},
                                                         {253, 231, 37}}};

// Points of Moreland's cool-warm map (Diverging Color Maps for Scientific Visualization, 2009), at
// sixteenths of its range: grey in the middle, blue and red of even lightness to both sides.
constexpr std::array<std::array<double, 3>, 17> cool_warm{{{59, 76, 192},
                                                           {77, 104, 215},
                                                           {98, 130, 234},
                                                           {119, 154, 247},
                                                           {141, 176, 254},
                                                           {163, 194, 255},
                                                           {184, 208, 249},
                                                           {204, 217, 238},
                                                           {221, 221, 221},
                                                           {236, 211, 197},
                                                           {245, 196, 173},
                                                           {247, 177, 148},
                                                           {244, 154, 123},
                                                           {236, 127, 99},
                                                           {222, 96, 77},
                                                           {203, 62, 56},
                                                           {180, 4, 38}}};

template <std::size_t Points>
std::string colour_between(const std::array<std::array<double, 3>, Points>& points, double place) {
    const double position = place * (Points - 1);
    const auto lower = std::min(static_cast<std::size_t>(position), Points - 2);
    std::array<int, 3> rgb{};
    for (std::size_t i = 0; i < 3; ++i)
        rgb[i] = static_cast<int>(std::lround(std::lerp(points[lower][i], points[lower + 1][i],
                                                        position - static_cast<double>(lower))));
    return fmt::format("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]);
}

struct Range {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    bool is_diverging = false;

    [[nodiscard]] bool is_empty() const { return low > high; }
    [[nodiscard]] double place(double value) const {
        return high > low ? (value - low) / (high - low) : 0.5;
    }
    [[nodiscard]] int colour(double value) const {
        if (std::isnan(value)) return no_value;
        return std::min(static_cast<int>(place(value) * colour_count), colour_count - 1);
    }
    /// @param place  0 to 1
    [[nodiscard]] std::string colour_at(double place) const {
        return is_diverging ? colour_between(cool_warm, place) : colour_between(viridis, place);
    }
};

Range range_of(const Eigen::MatrixXd& values) {
    Range range;
    for (const double value : values.reshaped())
        if (!std::isnan(value)) {
            range.low = std::min(range.low, value);
            range.high = std::max(range.high, value);
        }
    return range;
}

/// What the colours span.
Range colour_range(const Range& values, ColourScale scale) {
    // What is hardly below 0 is not worth half of the colours.
    constexpr double least_share = 0.05;
    const double below = -values.low;
    const bool has_both_signs =
        std::min(below, values.high) > least_share * std::max(below, values.high);
    if (values.is_empty() || scale == ColourScale::sequential ||
        (scale == ColourScale::by_sign && !has_both_signs))
        return values;
    const double furthest = std::max(std::abs(values.low), std::abs(values.high));
    return {-furthest, furthest, true};
}

/// A share needs no prefix.
std::string quantity_text(double value, const std::string& unit) {
    return unit == "%" ? fmt::format("{:.3g} %", value) : format_quantity(value, unit);
}

void check(const HeatMap& map) {
    if (map.values.size() == 0) throw InvalidInput("heat map", "holds no values");
    if (map.values.array().isInf().any()) throw InvalidInput("heat map", "holds an infinite value");
    for (const CellMark& mark : map.marks)
        if (mark.row < 0 || mark.row >= map.values.rows() || mark.column < 0 ||
            mark.column >= map.values.cols())
            throw InvalidInput("heat map", fmt::format("mark {} at {},{} lies outside", mark.label,
                                                       mark.row, mark.column));
    const auto check_names = [](const std::vector<std::string>& names, Index lines) {
        if (!names.empty() && static_cast<Index>(names.size()) != lines)
            throw InvalidInput("heat map",
                               fmt::format("{} names for {} lines", names.size(), lines));
    };
    check_names(map.x_names, map.values.cols());
    check_names(map.y_names, map.values.rows());
}

constexpr double tick_size = 12;

double widest(const std::vector<std::string>& names) {
    double width = 0;
    for (const std::string& name : names) width = std::max(width, text_width(name, tick_size));
    return width;
}

struct Frame {
    double side = 1;  // of one cell [px]
    double left = 72;
    double top = 0;
    double plot_width = 0;
    double plot_height = 0;
    double width = 0;
    double height = 0;
    double bar_label = 80;         // of the colour bar, right of its ticks
    double tick_room = 18;         // below the map, for the columns' names
    bool has_steep_names = false;  // they are written upwards
    std::vector<std::string> title;
    std::vector<PlotPlace> meanings;  // where the shape of each begins

    [[nodiscard]] double bar_left() const { return left + plot_width + 28; }
    /// The colour bar is never so short that its labels meet.
    [[nodiscard]] double bar_height() const { return std::max(plot_height, 140.0); }
    [[nodiscard]] double bottom() const { return top + plot_height; }
    /// Baseline of the horizontal axis's label.
    [[nodiscard]] double label_line() const { return bottom() + tick_room + 20; }
    [[nodiscard]] double meanings_line() const { return label_line() + 26; }
};

/// Values beside the colour bar.
std::vector<double> bar_ticks(const Range& range) {
    if (range.is_empty()) return {};
    return round_ticks(range.low, range.high, 5);
}

/// In as many lines as they take.
void place_meanings(const HeatMap& map, Frame& frame) {
    constexpr double pitch = 20;
    PlotPlace next{16, frame.meanings_line()};
    for (const MarkMeaning& meaning : map.meanings) {
        const double width = 18 + text_width(meaning.name, 12) + 20;
        if (next.x + width > frame.width && next.x > 16) next = {16, next.y + pitch};
        frame.meanings.push_back(next);
        next.x += width;
    }
    if (!map.meanings.empty()) frame.height = std::max(frame.height, next.y + 16);
}

Frame lay_out(const HeatMap& map, const Range& range) {
    Frame frame;
    for (const double tick : bar_ticks(range))
        frame.bar_label =
            std::max(frame.bar_label, 24 + text_width(quantity_text(tick, map.unit), tick_size));
    const auto rows = static_cast<double>(map.values.rows());
    const auto columns = static_cast<double>(map.values.cols());
    frame.side = std::clamp(std::floor(512 / std::max(rows, columns)), 2.0, 48.0);
    frame.plot_width = frame.side * columns;
    frame.plot_height = frame.side * rows;
    frame.left = std::max(72.0, 44 + widest(map.y_names));
    if (!map.x_names.empty() && widest(map.x_names) + 6 > frame.side) {
        frame.has_steep_names = true;
        frame.tick_room = 12 + widest(map.x_names);
    }
    constexpr double bar_width = 18;
    frame.width = std::max(frame.bar_left() + bar_width + frame.bar_label + 10, 420.0);
    frame.title = wrap_words(map.title, frame.width - 24, 16);
    frame.top = 30 + 22 * static_cast<double>(frame.title.size());
    frame.height = std::max(frame.top + frame.bar_height() + 56, frame.label_line() + 18);
    place_meanings(map, frame);
    return frame;
}

std::string describe(const HeatMap& map, const Range& range) {
    if (!map.description.empty()) return map.description;
    if (range.is_empty()) return fmt::format("{}: no values", map.value_label);
    return fmt::format("{} of {} {}s by {} {}s, from {} to {}", map.value_label, map.values.rows(),
                       map.y_label, map.values.cols(), map.x_label,
                       quantity_text(range.low, map.unit), quantity_text(range.high, map.unit));
}

/// Path data per colour; the last entry is for cells without a value.
std::vector<std::string> runs_by_colour(const HeatMap& map, const Range& range) {
    std::vector<std::string> paths(colour_count + 1);
    for (Index row = 0; row < map.values.rows(); ++row)
        for (Index first = 0; first < map.values.cols();) {
            const int colour = range.colour(map.values(row, first));
            Index end = first + 1;
            while (end < map.values.cols() && range.colour(map.values(row, end)) == colour) ++end;
            const auto entry = static_cast<std::size_t>(colour == no_value ? colour_count : colour);
            paths[entry] += fmt::format("M{} {}h{}v1h-{}z", first, row, end - first, end - first);
            first = end;
        }
    return paths;
}

void draw_cells(Svg& svg, const HeatMap& map, const Range& range, const Frame& frame) {
    svg.raw(
        fmt::format("<g transform=\"translate({} {}) scale({})\" shape-rendering=\"crispEdges\">\n",
                    frame.left, frame.top, frame.side));
    const auto paths = runs_by_colour(map, range);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        if (paths[i].empty()) continue;
        const std::string colour =
            i == colour_count ? std::string(no_value_colour)
                              : range.colour_at((static_cast<double>(i) + 0.5) / colour_count);
        svg.raw(fmt::format("<path fill=\"{}\" d=\"{}\"/>\n", colour, paths[i]));
    }
    svg.raw("</g>\n");
}

/// Indices to write along an axis of `count` cells, far enough apart for three digits.
std::vector<double> index_ticks(Index count, double length) {
    const int wanted = std::clamp(static_cast<int>(length / 30), 1, 6);
    auto ticks = round_ticks(0, static_cast<double>(count - 1), wanted);
    std::erase_if(ticks, [](double tick) { return tick != std::floor(tick); });
    return ticks;
}

/// Every line where its name has room, else round numbers of them.
std::vector<double> named_ticks(const std::vector<std::string>& names, Index count, double side) {
    constexpr double room = 15;
    if (names.empty() || side < room) return index_ticks(count, side * static_cast<double>(count));
    std::vector<double> ticks;
    for (Index i = 0; i < count; ++i) ticks.push_back(static_cast<double>(i));
    return ticks;
}

std::string tick_label(const std::vector<std::string>& names, double tick) {
    return names.empty() ? fmt::format("{:g}", tick) : names[static_cast<std::size_t>(tick)];
}

void draw_axes(Svg& svg, const HeatMap& map, const Frame& frame) {
    const double bottom = frame.bottom();
    for (const double tick : named_ticks(map.x_names, map.values.cols(), frame.side)) {
        const double x = frame.left + (tick + 0.5) * frame.side;
        svg.line(x, bottom, x, bottom + 5, "#1a1a1a");
        const std::string label = tick_label(map.x_names, tick);
        if (frame.has_steep_names)
            svg.text(x + 4, bottom + 8, label, {.anchor = Anchor::end, .rotation = -90});
        else
            svg.text(x, bottom + 18, label, {.anchor = Anchor::middle});
    }
    for (const double tick : named_ticks(map.y_names, map.values.rows(), frame.side)) {
        const double y = frame.top + (tick + 0.5) * frame.side;
        svg.line(frame.left - 5, y, frame.left, y, "#1a1a1a");
        svg.text(frame.left - 8, y + 4, tick_label(map.y_names, tick), {.anchor = Anchor::end});
    }
    svg.text(frame.left + frame.plot_width / 2, frame.label_line(), map.x_label,
             {.size = 13, .anchor = Anchor::middle});
    svg.text(20, frame.top + frame.plot_height / 2, map.y_label,
             {.size = 13, .anchor = Anchor::middle, .rotation = -90});
}

void draw_colour_bar(Svg& svg, const HeatMap& map, const Range& range, const Frame& frame) {
    constexpr double bar_width = 18;
    constexpr int steps = 64;
    const double x = frame.bar_left();
    const double step = frame.bar_height() / steps;
    for (int i = 0; i < steps; ++i)  // half a pixel of overlap hides the seams
        svg.rect(x, frame.top + step * i, bar_width, step + (i + 1 < steps ? 0.5 : 0),
                 range.colour_at(1 - (i + 0.5) / steps));
    const auto y = [&](double value) {
        return frame.top + frame.bar_height() * (1 - range.place(value));
    };
    for (const double tick : bar_ticks(range)) {
        svg.line(x + bar_width, y(tick), x + bar_width + 5, y(tick), "#1a1a1a");
        svg.text(x + bar_width + 8, y(tick) + 4, quantity_text(tick, map.unit));
    }
    if (map.values.hasNaN()) {
        svg.rect(x, frame.top + frame.bar_height() + 12, bar_width, 12, no_value_colour);
        svg.text(x + bar_width + 8, frame.top + frame.bar_height() + 22, "no value");
    }
    svg.text(x + bar_width + frame.bar_label, frame.top + frame.bar_height() / 2, map.value_label,
             {.size = 13, .anchor = Anchor::middle, .rotation = -90});
}

void draw_frame(Svg& svg, const CellMark& mark, const Frame& frame) {
    const double x = frame.left + static_cast<double>(mark.column) * frame.side;
    const double y = frame.top + static_cast<double>(mark.row) * frame.side;
    const double margin = frame.side < 8 ? 4 : 0;  // tiny cells get a frame one can see
    svg.frame(x - margin, y - margin, frame.side + 2 * margin, frame.side + 2 * margin);
    const bool fits_right =
        x + frame.side + text_width(mark.label, 12) + 12 < frame.left + frame.plot_width;
    // Close to the top edge the label goes below its cell's middle, else above.
    const double baseline = y - frame.top < 12 ? y + 16 : y + frame.side / 2 + 4;
    if (!mark.label.empty())
        svg.text(fits_right ? x + frame.side + margin + 5 : x - margin - 5, baseline, mark.label,
                 {.anchor = fits_right ? Anchor::start : Anchor::end, .bold = true, .halo = true});
}

/// The lines of a shape that is drawn in lines.
std::vector<std::vector<PlotPlace>> strokes_of(MarkShape shape, const PlotPlace& middle, double r) {
    const auto [x, y] = middle;
    switch (shape) {
        case MarkShape::diamond:
            return {{{x - r, y}, {x, y - r}, {x + r, y}, {x, y + r}, {x - r, y}}};
        case MarkShape::triangle:
            return {{{x - r, y + r}, {x, y - r}, {x + r, y + r}, {x - r, y + r}}};
        case MarkShape::bar:  // longer than what else may be marked at its place
            return {{{x - 1.5 * r, y}, {x + 1.5 * r, y}}};
        case MarkShape::plus:
            return {{{x - r, y}, {x + r, y}}, {{x, y - r}, {x, y + r}}};
        default:
            return {{{x - r, y - r}, {x + r, y + r}}, {{x - r, y + r}, {x + r, y - r}}};
    }
}

/// Dark with a white edge, so that it shows on every colour.
void draw_shape(Svg& svg, MarkShape shape, const PlotPlace& middle, double radius) {
    const auto [x, y] = middle;
    switch (shape) {
        case MarkShape::frame:
            return svg.frame(x - radius, y - radius, 2 * radius, 2 * radius);
        case MarkShape::square:
            svg.rect(x - radius - 1, y - radius - 1, 2 * radius + 2, 2 * radius + 2, "#ffffff");
            return svg.rect(x - radius, y - radius, 2 * radius, 2 * radius, "#1a1a1a");
        case MarkShape::circle:
            svg.circle(x, y, radius + 2, "#1a1a1a");
            return svg.circle(x, y, radius, "#ffffff");
        default:
            break;
    }
    for (const auto& [stroke, thickness] : {std::pair{"#ffffff", 4.0}, std::pair{"#1a1a1a", 2.0}})
        for (const std::vector<PlotPlace>& line : strokes_of(shape, middle, radius))
            svg.polyline(line, stroke, thickness);
}

void draw_marks(Svg& svg, const HeatMap& map, const Frame& frame) {
    for (const CellMark& mark : map.marks) {
        if (mark.shape == MarkShape::frame) {
            draw_frame(svg, mark, frame);
            continue;
        }
        const PlotPlace middle{frame.left + (static_cast<double>(mark.column) + 0.5) * frame.side,
                               frame.top + (static_cast<double>(mark.row) + 0.5) * frame.side};
        draw_shape(svg, mark.shape, middle, std::clamp(frame.side / 4, 2.0, 7.0));
    }
}

void draw_meanings(Svg& svg, const HeatMap& map, const Frame& frame) {
    for (std::size_t i = 0; i < map.meanings.size(); ++i) {
        const auto [x, y] = frame.meanings[i];
        draw_shape(svg, map.meanings[i].shape, {x + 6, y - 4}, 5);
        svg.text(x + 18, y, map.meanings[i].name);
    }
}

}  // namespace

std::string heat_map(const HeatMap& map) {
    check(map);
    const Range values = range_of(map.values);
    const Range range = colour_range(values, map.scale);
    const Frame frame = lay_out(map, range);
    Svg svg(frame.width, frame.height, map.title, describe(map, values));
    if (map.stands_alone) svg.follow_colour_scheme();
    for (std::size_t i = 0; i < frame.title.size(); ++i)
        svg.text(frame.width / 2, 28 + 22 * static_cast<double>(i), frame.title[i],
                 {.size = 16, .anchor = Anchor::middle, .bold = true});
    draw_cells(svg, map, range, frame);
    draw_axes(svg, map, frame);
    draw_colour_bar(svg, map, range, frame);
    draw_marks(svg, map, frame);
    draw_meanings(svg, map, frame);
    return svg.str();
}

}  // namespace kirchnet
