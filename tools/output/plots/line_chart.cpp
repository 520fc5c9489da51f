#include "tools/output/plots/line_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "circuit/error.hpp"
#include "tools/output/plots/axis.hpp"
#include "tools/output/plots/chart_frame.hpp"
#include "tools/output/plots/svg.hpp"

namespace kirchnet {
namespace {

using namespace chart;

constexpr double single_width = 520;  // of the plot area
constexpr double shared_width = 350;
constexpr double panel_name_row = 22;
constexpr double axis_rows = 52;  // numbers and title below a plot
constexpr double row_gap = 18;
constexpr std::size_t panels_per_row = 2;

template <typename Visit>
void for_each_point(const LineChart& chart, Visit visit) {
    for (const LinePanel& panel : chart.panels)
        for (const LineSeries& series : panel.series)
            for (const LinePoint& point : series.points) visit(panel, series, point);
}

void check(const LineChart& chart) {
    std::size_t points = 0;
    for_each_point(chart, [&](const LinePanel&, const LineSeries& series, const LinePoint& point) {
        ++points;
        for (const double value : {point.x, point.y, point.low, point.high})
            if (!std::isfinite(value))
                throw InvalidInput("line chart",
                                   fmt::format("series {} holds {}", series.name, value));
    });
    if (points == 0) throw InvalidInput("line chart", "needs at least one point");
}

/// Of all panels, each once, as they come.
std::vector<std::string> series_names(const LineChart& chart) {
    std::vector<std::string> names;
    for (const LinePanel& panel : chart.panels)
        for (const LineSeries& series : panel.series)
            if (std::find(names.begin(), names.end(), series.name) == names.end())
                names.push_back(series.name);
    return names;
}

AxisScale x_scale(const LineChart& chart) {
    std::vector<double> values;
    for_each_point(chart, [&](const LinePanel&, const LineSeries&, const LinePoint& point) {
        values.push_back(point.x);
    });
    return {values, chart.log_x};
}

/// Round numbers that all values and intervals lie between.
std::vector<double> y_ticks(const LineChart& chart) {
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for_each_point(chart, [&](const LinePanel&, const LineSeries&, const LinePoint& point) {
        low = std::min({low, point.y, point.low});
        high = std::max({high, point.y, point.high});
    });
    if (!(high > low)) {
        low -= 1;
        high += 1;
    }
    const auto inner = round_ticks(low, high, 5);
    const double step = inner.size() > 1 ? inner[1] - inner[0] : high - low;
    std::vector<double> ticks;
    const double slack = 1e-9;
    for (double i = std::floor(low / step + slack); i <= std::ceil(high / step - slack); ++i)
        ticks.push_back(i == 0 ? 0 : i * step);
    return ticks;
}

std::string describe(const LineChart& chart) {
    if (!chart.description.empty()) return chart.description;
    std::string text = fmt::format("Curves of {} over {}: ", chart.y_label, chart.x_label);
    for_each_point(chart, [&](const LinePanel& panel, const LineSeries& series,
                              const LinePoint& point) {
        text += fmt::format("{}{}{} at {:g}: {:.{}f} ({:.{}f} to {:.{}f}); ", panel.name,
                            panel.name.empty() ? "" : ", ", series.name, point.x, point.y,
                            chart.decimals, point.low, chart.decimals, point.high, chart.decimals);
    });
    return text;
}

/// Where things are.
struct Frame {
    AxisScale x;
    std::vector<double> levels;  ///< of the y axis; the first and last bound it
    std::vector<std::string> names;
    std::vector<std::string> title = {};
    Legend legend{{}, 0};
    double plot_width = 0;
    double width = 0;
    double top = 0;         ///< of the first plot
    double row_height = 0;  ///< from plot to plot
    double height = 0;

    [[nodiscard]] double left(std::size_t panel) const {
        return left_margin + static_cast<double>(panel % panels_per_row) *
                                 (plot_width + left_margin + right_margin);
    }
    [[nodiscard]] double bottom(std::size_t panel) const {
        return top + plot_height + row_height * static_cast<double>(panel / panels_per_row);
    }
    [[nodiscard]] double share(double place) const {
        return (place - x.low()) / (x.high() - x.low());
    }
    /// Curves keep a little off the plot's edges.
    [[nodiscard]] double px(std::size_t panel, double place) const {
        constexpr double inset = 12;
        return left(panel) + inset + (plot_width - 2 * inset) * share(place);
    }
    [[nodiscard]] double py(std::size_t panel, double y) const {
        return bottom(panel) -
               plot_height * (y - levels.front()) / (levels.back() - levels.front());
    }
    [[nodiscard]] std::size_t colour(const LineSeries& series) const {
        return static_cast<std::size_t>(std::find(names.begin(), names.end(), series.name) -
                                        names.begin());
    }
};

Frame lay_out(const LineChart& chart) {
    Frame frame{.x = x_scale(chart), .levels = y_ticks(chart), .names = series_names(chart)};
    const std::size_t panels = chart.panels.size();
    const auto columns = static_cast<double>(std::min(panels, panels_per_row));
    const auto rows = static_cast<double>((panels + panels_per_row - 1) / panels_per_row);
    frame.plot_width = panels == 1 ? single_width : shared_width;
    frame.width = columns * (left_margin + frame.plot_width + right_margin);
    frame.title = wrap_title(chart.title, frame.width);
    frame.legend = Legend(frame.names, frame.width - left_margin - right_margin);
    const bool has_names = std::any_of(chart.panels.begin(), chart.panels.end(),
                                       [](const LinePanel& p) { return !p.name.empty(); });
    const double name_row = has_names ? panel_name_row : 0;
    frame.top = 20 + title_row * static_cast<double>(frame.title.size()) + frame.legend.height() +
                10 + name_row;
    frame.row_height = plot_height + axis_rows + row_gap + name_row;
    frame.height = frame.top + frame.row_height * rows - row_gap - name_row;
    return frame;
}

void draw_axes(Svg& svg, const LineChart& chart, const Frame& frame, std::size_t panel) {
    const double left = frame.left(panel);
    const double right = left + frame.plot_width;
    const double bottom = frame.bottom(panel);
    for (const double level : frame.levels)
        draw_level(svg, left, right, frame.py(panel, level), level);
    svg.line(left, bottom, right, bottom, ink);
    for (const AxisTick& tick : frame.x.ticks(5)) {
        const double x = frame.px(panel, tick.place);
        svg.line(x, bottom, x, bottom + 5, ink);
        svg.text(x, bottom + 18, tick.label, {.anchor = Anchor::middle});
    }
    svg.text((left + right) / 2, bottom + 40, chart.x_label,
             {.size = label_size, .anchor = Anchor::middle});
    if (!chart.panels[panel].name.empty())
        svg.text((left + right) / 2, bottom - plot_height - 10, chart.panels[panel].name,
                 {.size = label_size, .anchor = Anchor::middle, .bold = true});
}

void draw_whisker(Svg& svg, double x, double low, double high, std::string_view colour) {
    constexpr double half = 5;
    svg.line(x, low, x, high, colour);
    for (const double end : {low, high}) svg.line(x - half, end, x + half, end, colour);
}

std::vector<LinePoint> in_order(const LineSeries& series) {
    auto points = series.points;
    std::stable_sort(points.begin(), points.end(),
                     [](const LinePoint& a, const LinePoint& b) { return a.x < b.x; });
    return points;
}

void draw_series(Svg& svg, const Frame& frame, std::size_t panel, const LineSeries& series,
                 bool has_dots) {
    const std::size_t place = frame.colour(series);
    const std::string_view colour = colours[place % colours.size()];
    const auto points = in_order(series);
    std::vector<PlotPlace> line;
    std::vector<PlotPlace> band;
    for (const LinePoint& point : points) {
        const double x = frame.px(panel, frame.x.place(point.x));
        line.push_back({x, frame.py(panel, point.y)});
        band.push_back({x, frame.py(panel, point.high)});
    }
    if (points.size() == 1)
        draw_whisker(svg, line[0].x, frame.py(panel, points[0].low), band[0].y, colour);
    for (auto point = points.rbegin(); point != points.rend(); ++point)
        band.push_back({frame.px(panel, frame.x.place(point->x)), frame.py(panel, point->low)});
    if (points.size() > 1) {
        if (has_dots) svg.polygon(band, colour, 0.18);
        svg.polyline(line, colour, 2, dashes_of(place));
    }
    if (!has_dots) return;
    for (const PlotPlace& place_of_point : line)
        svg.circle(place_of_point.x, place_of_point.y, 3, colour);
}

}  // namespace

std::string line_chart(const LineChart& chart) {
    check(chart);
    const Frame frame = lay_out(chart);
    Svg svg(frame.width, frame.height, chart.title, describe(chart));
    frame.legend.draw(svg, draw_title(svg, frame.title, frame.width));
    for (std::size_t panel = 0; panel < chart.panels.size(); ++panel) {
        draw_axes(svg, chart, frame, panel);
        if (panel % panels_per_row == 0)
            draw_y_label(svg, frame.bottom(panel) - plot_height / 2, chart.y_label);
        for (const LineSeries& series : chart.panels[panel].series)
            draw_series(svg, frame, panel, series, chart.dots);
    }
    return svg.str();
}

}  // namespace kirchnet
