#pragma once

#include <vector>

namespace kirchnet::detail {

/// Where the pen passes: x to the right, y downwards, the digit fills about 0 to 1 in both.
struct PenPoint {
    double x = 0;
    double y = 0;
    bool corner = false;  ///< the pen turns sharply here instead of running smoothly through
};

using Stroke = std::vector<PenPoint>;  ///< from pen down to pen up
using Glyph = std::vector<Stroke>;     ///< one way of writing a digit

/// The ways of writing `digit`, 0 to 9.
const std::vector<Glyph>& glyphs_of(int digit);

}  // namespace kirchnet::detail
