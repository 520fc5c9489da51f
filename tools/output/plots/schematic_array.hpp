#pragma once

#include <string>
#include <string_view>

#include "circuit/crossbar.hpp"
#include "tools/output/plots/svg.hpp"

namespace kirchnet {

/// Colours, text sizes and words that arrays of a schematic share with what stands around them.
namespace schematic_style {

inline constexpr std::string_view ink = "#1a1a1a";
inline constexpr std::string_view paper = "#ffffff";
inline constexpr std::string_view bridge_colour = "#d55e00";
inline constexpr double small = 10;   ///< text of values
inline constexpr double normal = 12;  ///< of names

/// `12.3 ohm`, or `open`.
std::string ohms(double resistance);
/// Okabe and Ito's, as in all charts.
std::string_view colour_of(Fault fault);
std::string words_of(Fault fault);

}  // namespace schematic_style

double array_width(const Crossbar& array);
double array_height(const Crossbar& array);
/// Sources, word lines, cells, bit lines and bridges of one array.
/// @param inputs  read voltages [V], [word_lines]
/// @param corner  its upper left
void draw_array(Svg& svg, const Crossbar& array, const Eigen::VectorXd& inputs, PlotPlace corner);
/// Where a bit line's read-out begins.
PlotPlace array_output(const Crossbar& array, PlotPlace corner, Index bit_line);

}  // namespace kirchnet
