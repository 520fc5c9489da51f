#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tools/output/plots/svg.hpp"

// What charts with axes share, so that they look alike: measures, colours, title, legend.
namespace kirchnet::chart {

// Okabe and Ito's colours, told apart by people with any colour vision.
inline constexpr std::array<std::string_view, 7> colours{"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                                         "#56b4e9", "#d55e00", "#8a8a8a"};
inline constexpr std::string_view ink = "#1a1a1a";
inline constexpr std::string_view grid = "#d0d0d0";

inline constexpr double left_margin = 70;
inline constexpr double right_margin = 20;
inline constexpr double bottom_margin = 40;
inline constexpr double plot_height = 300;
inline constexpr double title_size = 16;
inline constexpr double title_row = 22;
inline constexpr double legend_row = 20;
inline constexpr double label_size = 13;

/// A title's lines in a picture of that width.
std::vector<std::string> wrap_title(std::string_view title, double width);
/// @return  baseline of what comes below
double draw_title(Svg& svg, const std::vector<std::string>& lines, double width);

/// How lines are dashed that are more than there are colours; empty: not at all.
std::string_view dashes_of(std::size_t series);

/// Names beside squares of their colours, by the place of each name; beside pieces of their lines
/// where these are dashed.
class Legend {
  public:
    /// In as many rows as a picture with so much room needs.
    Legend(std::vector<std::string> names, double width);
    [[nodiscard]] double height() const { return legend_row * static_cast<double>(rows_.size()); }
    /// @param y  baseline of its first row
    void draw(Svg& svg, double y) const;

  private:
    std::vector<std::string> names_;
    std::vector<std::vector<std::size_t>> rows_;
};

/// A line across the plot and its number on the left; darker where the number is 0.
void draw_level(Svg& svg, double left, double right, double y, double value);
/// A title beside the vertical axis, upwards.
void draw_y_label(Svg& svg, double middle, const std::string& label);

}  // namespace kirchnet::chart
