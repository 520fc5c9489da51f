#include "tools/output/plots/chart_frame.hpp"

#include <fmt/format.h>

#include <utility>

namespace kirchnet::chart {
namespace {

constexpr double first_baseline = 28;
constexpr double swatch = 14;
constexpr double text_gap = 6;

constexpr double line_sample = 30;

double sample_width(std::size_t series) {
    return dashes_of(series).empty() ? swatch : line_sample;
}

double item_width(std::size_t series, const std::string& name) {
    return sample_width(series) + text_gap + text_width(name, 12) + 18;
}

}  // namespace

std::vector<std::string> wrap_title(std::string_view title, double width) {
    return wrap_words(title, width - 24, title_size);
}

double draw_title(Svg& svg, const std::vector<std::string>& lines, double width) {
    double y = first_baseline;
    for (const std::string& line : lines) {
        svg.text(width / 2, y, line, {.size = title_size, .anchor = Anchor::middle, .bold = true});
        y += title_row;
    }
    return y;
}

std::string_view dashes_of(std::size_t series) {
    constexpr std::array<std::string_view, 4> dashes{"", "7 4", "2 3", "9 3 2 3"};
    return dashes[series / colours.size() % dashes.size()];
}

Legend::Legend(std::vector<std::string> names, double width) : names_(std::move(names)), rows_(1) {
    double used = 0;
    for (std::size_t i = 0; i < names_.size(); ++i) {
        const double item = item_width(i, names_[i]);
        if (used + item > width && !rows_.back().empty()) {
            rows_.emplace_back();
            used = 0;
        }
        rows_.back().push_back(i);
        used += item;
    }
}

void Legend::draw(Svg& svg, double y) const {
    for (const auto& row : rows_) {
        double x = left_margin;
        for (const std::size_t i : row) {
            const std::string_view colour = colours[i % colours.size()];
            if (dashes_of(i).empty())
                svg.rect(x, y - 11, swatch, swatch, colour);
            else
                svg.polyline({{x, y - 4}, {x + line_sample, y - 4}}, colour, 3, dashes_of(i));
            svg.text(x + sample_width(i) + text_gap, y, names_[i]);
            x += item_width(i, names_[i]);
        }
        y += legend_row;
    }
}

void draw_level(Svg& svg, double left, double right, double y, double value) {
    svg.line(left, y, right, y, value == 0 ? ink : grid);
    svg.text(left - 8, y + 4, fmt::format("{:g}", value), {.anchor = Anchor::end});
}

void draw_y_label(Svg& svg, double middle, const std::string& label) {
    svg.text(20, middle, label, {.size = label_size, .anchor = Anchor::middle, .rotation = -90});
}

}  // namespace kirchnet::chart
