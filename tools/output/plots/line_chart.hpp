#pragma once

#include <string>
#include <vector>

namespace kirchnet {

/// A point of a curve and the interval its value is believed to be in.
struct LinePoint {
    double x = 0;
    double y = 0;
    double low = 0;
    double high = 0;
};

/// One colour of curve.
struct LineSeries {
    std::string name;
    std::vector<LinePoint> points;  ///< drawn in the order of x
};

/// One of a chart's plots, side by side.
struct LinePanel {
    std::string name = {};  ///< above it; may be empty
    std::vector<LineSeries> series = {};
};

/// Curves with bands of confidence over numbers; a lone point has a whisker.
struct LineChart {
    std::string title = {};
    std::string description = {};  ///< for screen readers; empty: the values in words
    std::string x_label = {};      ///< with its unit
    std::string y_label = {};      ///< with its unit, `accuracy [%]`
    std::vector<LinePanel> panels = {};
    bool log_x = false;  ///< an x of 0 lies apart, on the left
    int decimals = 1;    ///< of values in words
    bool dots = true;    ///< at every point; false: bare curves, without bands
};

/// Plots share their axes, and series of one name their colour.
/// @throws InvalidInput  without any point, when a number is infinite or none, or an x below 0 is
///                       to be on a logarithmic axis
std::string line_chart(const LineChart& chart);

}  // namespace kirchnet
