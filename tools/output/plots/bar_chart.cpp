#include "tools/output/plots/bar_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "circuit/error.hpp"
#include "tools/output/plots/axis.hpp"
#include "tools/output/plots/chart_frame.hpp"
#include "tools/output/plots/svg.hpp"

namespace kirchnet {
namespace {

using namespace chart;

constexpr double group_gap = 32;

struct Frame {
    double width = 0;
    double plot_width = 0;
    double top = 0;  // of the plot area
    double bar_width = 0;
    double group_width = 0;
    double y_max = 1;
    std::vector<std::string> title;
    Legend legend{{}, 0};

    [[nodiscard]] double bottom() const { return top + plot_height; }
    [[nodiscard]] double y(double value) const { return bottom() - plot_height * value / y_max; }
    [[nodiscard]] double group_x(std::size_t group) const {
        return left_margin + group_width * static_cast<double>(group);
    }
};

void check(const BarChart& chart) {
    if (chart.groups.empty() || chart.series.empty())
        throw InvalidInput("bar chart", "needs at least one group and one series");
    for (const BarSeries& series : chart.series) {
        if (series.values.size() != chart.groups.size())
            throw InvalidInput("bar chart",
                               fmt::format("series {} has {} values for {} groups", series.name,
                                           series.values.size(), chart.groups.size()));
        for (const double value : series.values)
            if (value < 0 || std::isinf(value))
                throw InvalidInput("bar chart",
                                   fmt::format("series {} holds {}", series.name, value));
    }
}

std::string value_text(const BarChart& chart, double value) {
    return fmt::format("{:.{}f}", value, chart.decimals);
}

template <typename Visit>
void for_each_value(const BarChart& chart, Visit visit) {
    for (std::size_t group = 0; group < chart.groups.size(); ++group)
        for (std::size_t series = 0; series < chart.series.size(); ++series)
            if (const double value = chart.series[series].values[group]; !std::isnan(value))
                visit(group, series, value);
}

std::string describe(const BarChart& chart) {
    if (!chart.description.empty()) return chart.description;
    std::string text = fmt::format("Bars of {}: ", chart.y_label);
    for_each_value(chart, [&](std::size_t group, std::size_t series, double value) {
        text += fmt::format("{}, {}: {}; ", chart.groups[group], chart.series[series].name,
                            value_text(chart, value));
    });
    return text;
}

/// Wide enough that no value touches the one beside it.
double bar_width_of(const BarChart& chart) {
    double width = 24;
    for_each_value(chart, [&](std::size_t, std::size_t, double value) {
        width = std::max(width, text_width(value_text(chart, value), 11) + 5);
    });
    return width;
}

std::vector<std::string> series_names(const BarChart& chart) {
    std::vector<std::string> names;
    for (const BarSeries& series : chart.series) names.push_back(series.name);
    return names;
}

Frame lay_out(const BarChart& chart) {
    Frame frame;
    frame.bar_width = bar_width_of(chart);
    frame.group_width = frame.bar_width * static_cast<double>(chart.series.size()) + group_gap;
    for (const std::string& group : chart.groups)
        frame.group_width = std::max(frame.group_width, text_width(group, 13) + 12);
    constexpr double narrowest = 360;
    const auto groups = static_cast<double>(chart.groups.size());
    frame.group_width = std::max(frame.group_width, narrowest / groups);
    frame.plot_width = frame.group_width * groups;
    frame.width = left_margin + frame.plot_width + right_margin;
    frame.title = wrap_title(chart.title, frame.width);
    frame.legend = Legend(series_names(chart), frame.plot_width);
    frame.top =
        20 + title_row * static_cast<double>(frame.title.size()) + frame.legend.height() + 18;
    double largest = 0;
    for_each_value(
        chart, [&](std::size_t, std::size_t, double value) { largest = std::max(largest, value); });
    frame.y_max = std::max(chart.y_max, largest);
    if (chart.y_max < largest || chart.y_max == 0)
        frame.y_max = largest > 0 ? round_up(largest) : 1;
    return frame;
}

void draw_axes(Svg& svg, const BarChart& chart, const Frame& frame) {
    for (const double tick : round_ticks(0, frame.y_max, 5))
        draw_level(svg, left_margin, left_margin + frame.plot_width, frame.y(tick), tick);
    draw_y_label(svg, frame.top + plot_height / 2, chart.y_label);
    for (std::size_t group = 0; group < chart.groups.size(); ++group)
        svg.text(frame.group_x(group) + frame.group_width / 2, frame.bottom() + 22,
                 chart.groups[group], {.size = label_size, .anchor = Anchor::middle});
}

void draw_bars(Svg& svg, const BarChart& chart, const Frame& frame) {
    const double used = frame.bar_width * static_cast<double>(chart.series.size());
    for_each_value(chart, [&](std::size_t group, std::size_t series, double value) {
        const double x = frame.group_x(group) + (frame.group_width - used) / 2 +
                         frame.bar_width * static_cast<double>(series);
        svg.rect(x + 1.5, frame.y(value), frame.bar_width - 3, frame.bottom() - frame.y(value),
                 colours[series % colours.size()]);
        svg.text(x + frame.bar_width / 2, frame.y(value) - 4, value_text(chart, value),
                 {.size = 11, .anchor = Anchor::middle, .halo = true});
    });
}

}  // namespace

std::string bar_chart(const BarChart& chart) {
    check(chart);
    const Frame frame = lay_out(chart);
    Svg svg(frame.width, frame.bottom() + bottom_margin, chart.title, describe(chart));
    frame.legend.draw(svg, draw_title(svg, frame.title, frame.width));
    draw_axes(svg, chart, frame);
    draw_bars(svg, chart, frame);
    return svg.str();
}

}  // namespace kirchnet
