#pragma once

#include <cstddef>
#include <cstdint>

#include "data/dataset.hpp"

namespace kirchnet {

inline constexpr ImageShape digit_image_shape{1, 28, 28};

/// Draws handwritten-style digits 0 to 9, light ink on a dark ground: strokes in several ways of
/// writing, each with its own slant, size, pen and tremor. Image k depends on (seed, k) alone, and
/// among the images 10 j to 10 j + 9 every digit occurs once.
/// @param first  index of the first image; training, calibration and test sets are disjoint ranges
/// @param count  number of images, [count × 1 × 28 × 28]
LabelledImages draw_digits(std::uint64_t seed, std::size_t first, std::size_t count);

}  // namespace kirchnet
