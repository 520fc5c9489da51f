#include "tools/output/plots/waterfall.hpp"

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

constexpr std::string_view level_colour = colours[0];
constexpr std::string_view loss_colour = colours[5];
constexpr std::string_view gain_colour = colours[2];
constexpr double slot_width = 92;
constexpr double bar_width = 56;
constexpr double name_size = 12;
constexpr double value_size = 11;
constexpr double line_height = 16;

/// A bar from one level to another; whiskers where there are.
struct Bar {
    std::string name;
    double from = 0;
    double to = 0;
    double low = 0;  ///< whisker, as levels
    double high = 0;
    bool is_total = false;
};

std::vector<Bar> bars_of(const Waterfall& chart) {
    std::vector<Bar> bars{{chart.start, 0, chart.start_level, 0, 0, true}};
    double level = chart.start_level;
    for (const WaterfallStep& step : chart.steps) {
        bars.push_back({step.name, level, step.level, level + step.change_low,
                        level + step.change_high, false});
        level = step.level;
    }
    bars.push_back({chart.end, 0, level, 0, 0, true});
    return bars;
}

void check(const Waterfall& chart, const std::vector<Bar>& bars) {
    if (chart.steps.empty()) throw InvalidInput("waterfall", "needs at least one step");
    for (const Bar& bar : bars)
        if (!(bar.to >= 0 && bar.to <= chart.y_max) || !std::isfinite(bar.low) ||
            !std::isfinite(bar.high))
            throw InvalidInput("waterfall", fmt::format("{} ends at {}, which is not within 0 and "
                                                        "{}, or has no interval",
                                                        bar.name, bar.to, chart.y_max));
}

std::string value_text(const Waterfall& chart, const Bar& bar) {
    return bar.is_total ? fmt::format("{:.{}f}", bar.to, chart.decimals)
                        : fmt::format("{:+.{}f}", bar.to - bar.from, chart.decimals);
}

std::string describe(const Waterfall& chart, const std::vector<Bar>& bars) {
    std::string text = fmt::format("Waterfall of {}: ", chart.y_label);
    for (const Bar& bar : bars)
        text += fmt::format("{}: {}{}; ", bar.name, value_text(chart, bar),
                            bar.is_total
                                ? ""
                                : fmt::format(" ({:+.{}f} to {:+.{}f})", bar.low - bar.from,
                                              chart.decimals, bar.high - bar.from, chart.decimals));
    return text;
}

/// Where things are.
struct Frame {
    std::vector<std::string> title;
    double width = 0;
    double top = 0;
    double y_max = 100;

    [[nodiscard]] double bottom() const { return top + plot_height; }
    [[nodiscard]] double right() const { return width - right_margin; }
    /// Whiskers may leave the axis' range; they end at its edges.
    [[nodiscard]] double y(double level) const {
        return bottom() - plot_height * std::clamp(level / y_max, 0.0, 1.0);
    }
    [[nodiscard]] static double centre(std::size_t bar) {
        return left_margin + slot_width * (static_cast<double>(bar) + 0.5);
    }
};

Frame lay_out(const Waterfall& chart, std::size_t bars) {
    Frame frame;
    frame.width = left_margin + slot_width * static_cast<double>(bars) + right_margin;
    frame.title = wrap_title(chart.title, frame.width);
    frame.top = 20 + title_row * static_cast<double>(frame.title.size()) + 24;
    frame.y_max = chart.y_max;
    return frame;
}

void draw_axes(Svg& svg, const Waterfall& chart, const Frame& frame) {
    draw_title(svg, frame.title, frame.width);
    for (const double tick : round_ticks(0, frame.y_max, 5))
        draw_level(svg, left_margin, frame.right(), frame.y(tick), tick);
    draw_y_label(svg, frame.top + plot_height / 2, chart.y_label);
}

std::string_view colour_of(const Bar& bar) {
    if (bar.is_total) return level_colour;
    return bar.to < bar.from ? loss_colour : gain_colour;
}

void draw_whisker(Svg& svg, const Frame& frame, const Bar& bar, double x) {
    constexpr double half = 7;
    svg.line(x, frame.y(bar.low), x, frame.y(bar.high), ink);
    for (const double end : {bar.low, bar.high})
        svg.line(x - half, frame.y(end), x + half, frame.y(end), ink);
}

void draw_bar(Svg& svg, const Waterfall& chart, const Frame& frame, const Bar& bar,
              std::size_t index) {
    const double x = Frame::centre(index);
    const double top = frame.y(std::max(bar.from, bar.to));
    constexpr double thinnest = 1.5;  // a step of nothing is still to be seen
    svg.rect(x - bar_width / 2, top, bar_width,
             std::max(thinnest, frame.y(std::min(bar.from, bar.to)) - top), colour_of(bar));
    double highest = top;
    if (!bar.is_total) {
        draw_whisker(svg, frame, bar, x);
        highest = std::min(highest, frame.y(bar.high));
    }
    svg.text(x, highest - 5, value_text(chart, bar),
             {.size = value_size, .anchor = Anchor::middle, .halo = true});
    double y = frame.bottom() + 20;
    for (const std::string& line : wrap_words(bar.name, slot_width - 8, name_size)) {
        svg.text(x, y, line, {.size = name_size, .anchor = Anchor::middle});
        y += line_height;
    }
}

/// The level carried from each bar to the next.
void draw_levels(Svg& svg, const Frame& frame, const std::vector<Bar>& bars) {
    for (std::size_t i = 0; i + 1 < bars.size(); ++i)
        svg.line(Frame::centre(i) + bar_width / 2, frame.y(bars[i].to),
                 Frame::centre(i + 1) - bar_width / 2, frame.y(bars[i].to), "#8a8a8a");
}

double name_lines(const std::vector<Bar>& bars) {
    std::size_t most = 1;
    for (const Bar& bar : bars)
        most = std::max(most, wrap_words(bar.name, slot_width - 8, name_size).size());
    return static_cast<double>(most);
}

}  // namespace

std::string waterfall(const Waterfall& chart) {
    const std::vector<Bar> bars = bars_of(chart);
    check(chart, bars);
    const Frame frame = lay_out(chart, bars.size());
    Svg svg(frame.width, frame.bottom() + 14 + line_height * name_lines(bars), chart.title,
            describe(chart, bars));
    draw_axes(svg, chart, frame);
    draw_levels(svg, frame, bars);
    for (std::size_t i = 0; i < bars.size(); ++i) draw_bar(svg, chart, frame, bars[i], i);
    return svg.str();
}

}  // namespace kirchnet
