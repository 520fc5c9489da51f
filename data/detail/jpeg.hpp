#pragma once

#include <filesystem>

#include "data/detail/image.hpp"

namespace kirchnet {

/// Decodes a JPEG file, baseline or progressive, colour or grey (then the three planes are equal),
/// by the exact integer transform and with interpolated chroma, as most image libraries do.
/// @throws InvalidInput  naming the file when it is missing, damaged, truncated, too large or CMYK
RgbImage read_jpeg(const std::filesystem::path& path);

}  // namespace kirchnet
