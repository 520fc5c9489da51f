#include "tools/sweep/sweep_figures.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>

#include "circuit/error.hpp"
#include "circuit/units.hpp"

namespace kirchnet {
namespace {

const std::string zeros_axis = "zeros";
const std::string rate_axis = "faults.rate";

/// What axes with numbers are called, with their units; others go by their key.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> axis_titles{{
    {"faults.rate", "stuck cells, share of all"},
    {"faults.stuck_on_per_off", "stuck-on cells per stuck-off cell"},
    {"zeros", "zero weights, share of all"},
    {"array.size", "word lines of an array"},
    {"array.segment", "wire resistance per segment [ohm]"},
    {"array.word_line_segment", "word-line segment [ohm]"},
    {"array.bit_line_segment", "bit-line segment [ohm]"},
    {"array.driver", "driver [ohm]"},
    {"array.sense", "read-out input [ohm]"},
    {"cells.on", "cell at LRS [S]"},
    {"cells.off", "cell at HRS [S]"},
    {"device.variation", "variation, standard deviation of ln G"},
    {"mapping.weight_bits", "weight [bits]"},
    {"converters.adc_bits", "ADC [bits]"},
    {"converters.dac_bits", "DAC [bits]"},
}};

std::string axis_title(const std::string& axis) {
    const auto* const found = std::find_if(axis_titles.begin(), axis_titles.end(),
                                           [&](const auto& entry) { return entry.first == axis; });
    return found == axis_titles.end() ? axis : std::string(found->second);
}

std::optional<double> number_of(const SweepSummary& summary, std::size_t point,
                                const std::string& axis) {
    try {
        const double value = summary.number(point, axis);
        if (std::isfinite(value)) return value;
    } catch (const InvalidInput&) {  // a category
    }
    return std::nullopt;
}

const std::string& value_of(const SweepSummary& summary, std::size_t point,
                            const std::string& axis) {
    const SweepRecord& record = summary.record();
    return record.points[point].values[axis_index(record.axes, axis)];
}

/// Values of some axes in words; one axis whose values speak for themselves needs no name.
std::string words_of(const SweepSummary& summary, std::size_t point,
                     const std::vector<std::string>& axes) {
    std::string words;
    for (const std::string& axis : axes) {
        const std::string& value = value_of(summary, point, axis);
        const bool is_plain = axis == "mapping" || axis == "operators";
        words += fmt::format("{}{}", words.empty() ? "" : ", ",
                             is_plain ? value : fmt::format("{} {}", axis, value));
    }
    return words;
}

/// Axes that tell a figure's curves apart: those it names, and those that vary though it names
/// them nowhere, so that no curve mixes designs.
std::vector<std::string> series_axes(const SweepSummary& summary, const FigureSettings& figure,
                                     const std::vector<PointSummary>& points) {
    std::vector<std::string> axes = figure.series;
    const auto has = [](const std::vector<std::string>& list, const std::string& name) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    for (const std::string& axis : summary.record().axes) {
        const bool is_x = axis == figure.x || (axis == "network" && figure.x == zeros_axis);
        if (is_x || has(axes, axis) || has(figure.panels, axis)) continue;
        std::set<std::string> values;
        for (const PointSummary& point : points)
            values.insert(value_of(summary, point.point, axis));
        if (values.size() > 1) axes.push_back(axis);
    }
    return axes;
}

Estimate turned(const Estimate& change) {
    Estimate result = change;
    result.mean = change.mean == 0 ? 0 : -change.mean;
    result.low = change.high == 0 ? 0 : -change.high;
    result.high = change.low == 0 ? 0 : -change.low;
    return result;
}

/// Accuracy lost, paired with the fault-free point where the sweep has it.
Estimate loss_of(const SweepSummary& summary, const PointSummary& point) {
    const auto& axes = summary.record().axes;
    if (std::find(axes.begin(), axes.end(), rate_axis) != axes.end())
        if (const auto other = summary.partner(point.point, {{rate_axis, "0"}});
            other && summary.trials(*other) > 0)
            return turned(summary.compare(*other, point.point).change);
    Estimate change = point.accuracy;
    const double whole = summary.fault_free(point.point);
    change.mean -= whole;
    change.low -= whole;
    change.high -= whole;
    return turned(change);
}

/// Where the pair begins, the change from there to its other end; elsewhere nothing.
std::optional<FigurePoint> changed_point(const SweepSummary& summary, const PairedPoints& pair,
                                         const PointSummary& point, double x) {
    if (!summary.matches(point.point, pair.from) || !summary.matches(point.point, pair.where))
        return std::nullopt;
    const auto other = summary.partner(point.point, pair.to);
    if (!other || summary.trials(*other) == 0) return std::nullopt;
    const auto from = summary.scores(point.point);
    const auto to = summary.scores(*other);
    FigurePoint changed{x, summary.compare(point.point, *other).change, INFINITY, -INFINITY, point};
    for (std::size_t chip = 0; chip < std::min(from.size(), to.size()); ++chip) {
        const double change = to[chip] - from[chip];
        if (std::isnan(change)) continue;
        changed.least = std::min(changed.least, change);
        changed.most = std::max(changed.most, change);
    }
    return changed;
}

std::optional<FigurePoint> figure_point(const SweepSummary& summary, const FigureSettings& figure,
                                        const PointSummary& point, double x) {
    if (figure.y == FigureSettings::Quantity::change)
        return changed_point(summary, figure.pair, point, x);
    if (figure.y == FigureSettings::Quantity::accuracy)
        return FigurePoint{x, point.accuracy, point.least, point.most, point};
    const double whole = summary.fault_free(point.point);
    return FigurePoint{x, loss_of(summary, point), whole - point.most, whole - point.least, point};
}

/// The item of that name, made where there is none.
template <typename Item>
Item& named(std::vector<Item>& items, const std::string& name) {
    const auto found =
        std::find_if(items.begin(), items.end(), [&](const Item& i) { return i.name == name; });
    if (found != items.end()) return *found;
    items.push_back({name, {}});
    return items.back();
}

std::string y_label(const SweepSummary& summary, const FigureSettings& figure) {
    const std::string& metric = summary.record().metric;
    if (figure.y == FigureSettings::Quantity::change)
        return fmt::format("change of {} [percentage points]", metric);
    return figure.y == FigureSettings::Quantity::accuracy
               ? fmt::format("{} [%]", metric)
               : fmt::format("{} lost [percentage points]", metric);
}

std::string why_no_chart(const SweepFigure& figure, std::size_t points, std::size_t without) {
    if (points == 0) return "no point of this figure is finished";
    if (without == points) return fmt::format("'{}' holds no numbers", figure.settings.x);
    if (!figure.settings.log_x) return {};
    for (const FigurePanel& panel : figure.panels)
        for (const FigureSeries& series : panel.series)
            if (series.points.front().x < 0)
                return fmt::format("'{}' has values below 0, which a logarithmic axis cannot show",
                                   figure.settings.x);
    return {};
}

SweepFigure make_figure(const SweepSummary& summary, const std::vector<PointSummary>& all,
                        const FigureSettings& settings) {
    SweepFigure figure{settings, axis_title(settings.x), y_label(summary, settings), {}, {}};
    std::vector<PointSummary> points;
    const bool is_change = settings.y == FigureSettings::Quantity::change;
    for (const PointSummary& point : all)
        if (summary.matches(point.point, settings.where) &&
            (!is_change || summary.matches(point.point, settings.pair.from)))
            points.push_back(point);
    const auto axes = series_axes(summary, settings, points);
    std::size_t count = 0;
    std::size_t without_number = 0;
    for (const PointSummary& point : points) {
        const auto x = number_of(summary, point.point, settings.x);
        const auto shown = figure_point(summary, settings, point, x.value_or(NAN));
        if (!shown) continue;
        ++count;
        if (!x) ++without_number;
        FigurePanel& panel = named(figure.panels, words_of(summary, point.point, settings.panels));
        named(panel.series, words_of(summary, point.point, axes)).points.push_back(*shown);
    }
    const auto before = [](const FigurePoint& a, const FigurePoint& b) {
        return std::pair(std::isnan(a.x), std::isnan(a.x) ? 0 : a.x) <
               std::pair(std::isnan(b.x), std::isnan(b.x) ? 0 : b.x);
    };
    for (FigurePanel& panel : figure.panels)
        for (FigureSeries& series : panel.series)
            std::stable_sort(series.points.begin(), series.points.end(), before);
    figure.no_chart = why_no_chart(figure, count, without_number);
    return figure;
}

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char letter : text)
        quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
    return quoted + '"';
}

/// The heading of a figure's numbers.
std::string quantity_name(const SweepRecord& record, const FigureSettings& figure) {
    switch (figure.y) {
        case FigureSettings::Quantity::accuracy:
            return record.metric;
        case FigureSettings::Quantity::loss:
            return record.metric + " lost";
        case FigureSettings::Quantity::change:
            break;
    }
    return "change of " + record.metric;
}

/// Where `value` of the points first changes its sign, linear over x or its logarithm.
template <typename Value>
double zero_crossing(const std::vector<FigurePoint>& points, bool log_x, Value value) {
    for (std::size_t i = 1; i < points.size(); ++i) {
        const double before = value(points[i - 1].y);
        const double after = value(points[i].y);
        if ((before > 0) == (after > 0)) continue;
        const double share = before / (before - after);
        const double x0 = points[i - 1].x;
        const double x1 = points[i].x;
        return log_x && x0 > 0 ? x0 * std::pow(x1 / x0, share) : x0 + share * (x1 - x0);
    }
    return std::nan("");
}

std::string csv_line(const std::vector<std::string>& fields) {
    std::vector<std::string> quoted;
    for (const std::string& field : fields) quoted.push_back(csv_field(field));
    return fmt::format("{}\n", fmt::join(quoted, ","));
}

}  // namespace

BreakEven break_even(const FigureSeries& series, bool log_x) {
    const auto crossing = [&](auto value) { return zero_crossing(series.points, log_x, value); };
    const double at = crossing([](const Estimate& y) { return y.mean; });
    const double one = crossing([](const Estimate& y) { return y.low; });
    const double other = crossing([](const Estimate& y) { return y.high; });
    if (std::isnan(one) || std::isnan(other)) return {at, one, other};
    return {at, std::min(one, other), std::max(one, other)};
}

FigureSettings usual_figure(const SweepSummary& summary, const std::vector<PointSummary>& points,
                            const std::string& title) {
    FigureSettings figure;
    std::size_t most = 1;
    for (const std::string& axis : summary.record().axes) {
        std::set<double> values;
        for (const PointSummary& point : points)
            if (const auto value = number_of(summary, point.point, axis)) values.insert(*value);
        if (values.size() <= most) continue;
        most = values.size();
        figure.x = axis;
        // Values that span decades are meant to be seen by their logarithm.
        const auto above_0 = values.upper_bound(0);
        figure.log_x =
            *values.begin() >= 0 && above_0 != values.end() && *values.rbegin() >= 50 * *above_0;
    }
    if (figure.x.empty()) return {};
    figure.name = "accuracy";
    figure.title = title;
    for (const std::string& axis : summary.record().axes)
        if (axis == "operators") figure.panels.push_back(axis);
    return figure;
}

std::vector<SweepFigure> sweep_figures(const SweepSummary& summary,
                                       const std::vector<PointSummary>& points,
                                       const SweepPlan& plan) {
    std::vector<SweepFigure> figures;
    for (const FigureSettings& settings : plan.figures)
        figures.push_back(make_figure(summary, points, settings));
    if (!plan.figures.empty()) return figures;
    if (const FigureSettings usual = usual_figure(summary, points, plan.name); !usual.x.empty())
        figures.push_back(make_figure(summary, points, usual));
    return figures;
}

std::string figure_csv(const SweepSummary& summary, const SweepFigure& figure) {
    const SweepRecord& record = summary.record();
    const bool has_zeros = figure.settings.x == zeros_axis;
    std::vector<std::string> heading{"point"};
    heading.insert(heading.end(), record.axes.begin(), record.axes.end());
    if (has_zeros) heading.push_back(zeros_axis);
    heading.push_back(quantity_name(record, figure.settings));
    for (const char* name : {"low", "high", "least", "most", "trials"}) heading.emplace_back(name);
    std::string text = csv_line(heading);
    for (const FigurePanel& panel : figure.panels)
        for (const FigureSeries& series : panel.series)
            for (const FigurePoint& point : series.points) {
                const std::size_t number = point.summary.point;
                std::vector<std::string> fields{fmt::to_string(number)};
                const auto& values = record.points[number].values;
                fields.insert(fields.end(), values.begin(), values.end());
                if (has_zeros) fields.push_back(format_exact(point.x));
                for (const double value :
                     {point.y.mean, point.y.low, point.y.high, point.least, point.most})
                    fields.push_back(fmt::format("{:.8g}", value));
                fields.push_back(fmt::to_string(point.summary.trials));
                text += csv_line(fields);
            }
    return text;
}

LineChart figure_chart(const SweepFigure& figure) {
    LineChart chart{.title = figure.settings.title,
                    .x_label = figure.x_label,
                    .y_label = figure.y_label,
                    .log_x = figure.settings.log_x};
    for (const FigurePanel& panel : figure.panels) {
        LinePanel plot{.name = panel.name};
        for (const FigureSeries& series : panel.series) {
            LineSeries curve{series.name, {}};
            for (const FigurePoint& point : series.points)
                if (std::isfinite(point.x))
                    curve.points.push_back(
                        {point.x, 100 * point.y.mean, 100 * point.y.low, 100 * point.y.high});
            plot.series.push_back(std::move(curve));
        }
        chart.panels.push_back(std::move(plot));
    }
    return chart;
}

}  // namespace kirchnet
