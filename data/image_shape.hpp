#pragma once

#include <string_view>

#include "data/network.hpp"

namespace kirchnet {

/// Channels, height and width such as `3x32x32`, each from 1 to 65536.
/// @throws InvalidInput  saying what it looks like
ImageShape parse_image_shape(std::string_view text);

/// The image that a flat input of so many features stands for: a square of one channel or of three
/// where the number allows, else features without a place.
ImageShape guess_image(std::size_t features);

}  // namespace kirchnet
