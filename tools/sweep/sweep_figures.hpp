#pragma once

#include <string>
#include <vector>

#include "tools/output/plots/line_chart.hpp"
#include "tools/sweep/sweep_plan.hpp"
#include "tools/sweep/sweep_summary.hpp"

namespace kirchnet {

/// One point of a sweep in a figure. Shares, 0 to 1, of the figure's quantity.
struct FigurePoint {
    double x = 0;
    Estimate y;
    double least = 0;  ///< of one chip
    double most = 0;
    PointSummary summary;
};

/// Where a curve of changes crosses 0, between points as the axis is drawn: with its mean, and with
/// the ends of its interval. NaN: nowhere among the points.
struct BreakEven {
    double at = 0;
    double low = 0;   ///< the smaller of the two
    double high = 0;  ///< the larger
};

struct FigureSeries {
    std::string name;
    std::vector<FigurePoint> points;  ///< by x
};

/// Of a series of a figure with y = change.
BreakEven break_even(const FigureSeries& series, bool log_x);

struct FigurePanel {
    std::string name;
    std::vector<FigureSeries> series;
};

/// A figure of a sweep with its numbers.
struct SweepFigure {
    FigureSettings settings;
    std::string x_label;
    std::string y_label;
    std::vector<FigurePanel> panels;
    std::string no_chart;  ///< why there is none; empty: there is one

    [[nodiscard]] bool has_chart() const { return no_chart.empty(); }
};

/// The plan's figures, or one that suits its axes where it has none.
/// @param points  of the record, as `SweepSummary::summaries` gives them
std::vector<SweepFigure> sweep_figures(const SweepSummary& summary,
                                       const std::vector<PointSummary>& points,
                                       const SweepPlan& plan);

/// The axis with most different numbers as x, `operators` apart, all other axes as series. No name:
/// no axis has numbers.
FigureSettings usual_figure(const SweepSummary& summary, const std::vector<PointSummary>& points,
                            const std::string& title);

/// A line per point: its number, all axes, x, the quantity with its interval, worst and best chip,
/// trials. Shares are 0 to 1.
std::string figure_csv(const SweepSummary& summary, const SweepFigure& figure);

/// In percent, ready to be drawn. Requires `has_chart`.
LineChart figure_chart(const SweepFigure& figure);

}  // namespace kirchnet
