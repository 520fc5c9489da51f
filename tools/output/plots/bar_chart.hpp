#pragma once

#include <string>
#include <vector>

namespace kirchnet {

/// One colour of bars, with a value per group.
struct BarSeries {
    std::string name;
    std::vector<double> values;  ///< [groups], at least 0; NaN leaves the place empty
};

/// Bars side by side within groups, e.g. a group per mapping and a series per arm.
struct BarChart {
    std::string title = {};
    std::string description = {};  ///< for screen readers; empty: the values in words
    std::string y_label = {};      ///< with its unit, `accuracy [%]`
    std::vector<std::string> groups = {};
    std::vector<BarSeries> series = {};
    double y_max = 0;  ///< 0: the next round number above the largest value
    int decimals = 1;  ///< of the value above each bar
};

/// @throws InvalidInput  without groups or series, when a series has another number of values than
///                       there are groups, or a value is negative or infinite
std::string bar_chart(const BarChart& chart);

}  // namespace kirchnet
