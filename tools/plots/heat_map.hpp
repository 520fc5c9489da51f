#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

namespace kirchnet {

/// A cell to point out.
struct CellMark {
    Eigen::Index row = 0;
    Eigen::Index column = 0;
    std::string label;  ///< written beside the cell
};

/// A matrix as colours, row 0 at the top, e.g. word lines × bit lines.
struct HeatMap {
    std::string title = {};
    std::string description = {};  ///< for screen readers; empty: the range in words
    std::string x_label = "bit line";
    std::string y_label = "word line";
    std::string value_label = {};  ///< what the colours mean, `IR drop`
    std::string unit = {};         ///< SI, `V`; tick labels carry it with a prefix
    Eigen::MatrixXd values = {};   ///< NaN is drawn grey: no value
    std::vector<CellMark> marks = {};
};

/// @throws InvalidInput  when there are no values, an infinite one, or a mark outside
std::string heat_map(const HeatMap& map);

}  // namespace kirchnet
