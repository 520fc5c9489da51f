#pragma once

#include <cstdint>
#include <vector>

namespace kirchnet {

/// A colour image in planes.
struct RgbImage {
    std::size_t width = 0;
    std::size_t height = 0;
    std::vector<std::uint8_t> pixels;  ///< [3 × height × width]: red, green, blue
};

/// Bilinear as Pillow has it, rows before columns, with bytes in between: an output pixel is the
/// mean of the input under a triangle around its centre, which reaches one pixel to each side of
/// the output where the image shrinks, and of the input where it grows.
RgbImage resize_bilinear(const RgbImage& image, std::size_t width, std::size_t height);

}  // namespace kirchnet
