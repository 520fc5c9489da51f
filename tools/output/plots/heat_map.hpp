#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

namespace kirchnet {

enum class MarkShape { frame, square, circle, cross, diamond, triangle, bar, plus };

/// A cell to point out.
struct CellMark {
    Eigen::Index row = 0;
    Eigen::Index column = 0;
    std::string label;  ///< written beside the cell; may be empty
    MarkShape shape = MarkShape::frame;
};

/// What a shape of marks means, written below the map.
struct MarkMeaning {
    MarkShape shape = MarkShape::frame;
    std::string name;
};

enum class ColourScale {
    sequential,  ///< from the smallest value to the largest
    diverging,   ///< 0 in the middle, as far to both sides
    by_sign      ///< diverging where values reach to both sides of 0, one at least a twentieth as
                 ///< far as the other; else sequential
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
    std::vector<MarkMeaning> meanings = {};  ///< of shapes among the marks
    ColourScale scale = ColourScale::sequential;
    /// Names of columns and rows along the axes, as many as there are; empty: their numbers.
    std::vector<std::string> x_names = {};
    std::vector<std::string> y_names = {};
    bool stands_alone = false;  ///< a file of its own: `Svg::follow_colour_scheme`
};

/// @throws InvalidInput  when there are no values, an infinite one, a mark outside, or another
///                       number of names than lines
std::string heat_map(const HeatMap& map);

}  // namespace kirchnet
