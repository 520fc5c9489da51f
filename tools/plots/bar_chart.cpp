#include "tools/plots/bar_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "circuit/error.hpp"
#include "tools/plots/axis.hpp"
#include "tools/plots/svg.hpp"

namespace kirchnet {
namespace {

// Okabe and Ito's colours, told apart by people with any colour vision.
constexpr std::array<std::string_view, 7> colours{"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                                  "#56b4e9", "#d55e00", "#8a8a8a"};
constexpr double left_margin = 70;
constexpr double right_margin = 20;
constexpr double bottom_margin = 40;
constexpr double plot_height = 300;
constexpr double group_gap = 32;
constexpr double title_size = 16;
constexpr double legend_row = 20;
constexpr double legend_swatch = 14;

struct Frame {
    double width = 0;
    double plot_width = 0;
    double top = 0;  // of the plot area
    double bar_width = 0;
    double group_width = 0;
    double y_max = 1;
    std::vector<std::string> title;
    std::vector<std::vector<std::size_t>> legend;  // series per row

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

double legend_item_width(const BarSeries& series) {
    return legend_swatch + 6 + text_width(series.name, 12) + 18;
}

std::vector<std::vector<std::size_t>> legend_rows(const BarChart& chart, double width) {
    std::vector<std::vector<std::size_t>> rows(1);
    double used = 0;
    for (std::size_t i = 0; i < chart.series.size(); ++i) {
        const double item = legend_item_width(chart.series[i]);
        if (used + item > width && !rows.back().empty()) {
            rows.emplace_back();
            used = 0;
        }
        rows.back().push_back(i);
        used += item;
    }
    return rows;
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
    frame.title = wrap_words(chart.title, frame.width - 24, title_size);
    frame.legend = legend_rows(chart, frame.plot_width);
    frame.top = 20 + 22 * static_cast<double>(frame.title.size()) +
                legend_row * static_cast<double>(frame.legend.size()) + 18;
    double largest = 0;
    for_each_value(
        chart, [&](std::size_t, std::size_t, double value) { largest = std::max(largest, value); });
    frame.y_max = std::max(chart.y_max, largest);
    if (chart.y_max < largest || chart.y_max == 0)
        frame.y_max = largest > 0 ? round_up(largest) : 1;
    return frame;
}

void draw_heading(Svg& svg, const BarChart& chart, const Frame& frame) {
    double y = 28;
    for (const std::string& line : frame.title) {
        svg.text(frame.width / 2, y, line,
                 {.size = title_size, .anchor = Anchor::middle, .bold = true});
        y += 22;
    }
    for (const auto& row : frame.legend) {
        double x = left_margin;
        for (const std::size_t i : row) {
            svg.rect(x, y - 11, legend_swatch, legend_swatch, colours[i % colours.size()]);
            svg.text(x + legend_swatch + 6, y, chart.series[i].name);
            x += legend_item_width(chart.series[i]);
        }
        y += legend_row;
    }
}

void draw_axes(Svg& svg, const BarChart& chart, const Frame& frame) {
    for (const double tick : round_ticks(0, frame.y_max, 5)) {
        svg.line(left_margin, frame.y(tick), left_margin + frame.plot_width, frame.y(tick),
                 tick == 0 ? "#1a1a1a" : "#d0d0d0");
        svg.text(left_margin - 8, frame.y(tick) + 4, fmt::format("{:g}", tick),
                 {.anchor = Anchor::end});
    }
    svg.text(20, frame.top + plot_height / 2, chart.y_label,
             {.size = 13, .anchor = Anchor::middle, .rotation = -90});
    for (std::size_t group = 0; group < chart.groups.size(); ++group)
        svg.text(frame.group_x(group) + frame.group_width / 2, frame.bottom() + 22,
                 chart.groups[group], {.size = 13, .anchor = Anchor::middle});
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
    draw_heading(svg, chart, frame);
    draw_axes(svg, chart, frame);
    draw_bars(svg, chart, frame);
    return svg.str();
}

}  // namespace kirchnet
