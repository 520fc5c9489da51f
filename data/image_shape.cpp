#include "data/image_shape.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

/// The number that a text begins with, taken off it; 0 where there is none or too large a one.
std::size_t take_extent(std::string_view& text) {
    constexpr std::size_t largest = 65536;
    std::size_t extent = 0;
    const char* end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data(), end, extent);
    if (status != std::errc{} || extent > largest) return 0;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    return extent;
}

}  // namespace

ImageShape parse_image_shape(std::string_view text) {
    std::string_view rest = text;
    std::array<std::size_t, 3> extents{};
    bool sound = true;
    for (std::size_t k = 0; k < extents.size() && sound; ++k) {
        if (k > 0 && (sound = rest.starts_with('x'))) rest.remove_prefix(1);
        extents[k] = take_extent(rest);
        sound = sound && extents[k] > 0;
    }
    if (!sound || !rest.empty())
        throw InvalidInput(fmt::format("'{}' is no shape of images such as 3x32x32", text));
    return {extents[0], extents[1], extents[2]};
}

ImageShape guess_image(std::size_t features) {
    for (const std::size_t channels : {1U, 3U}) {
        const double pixels = static_cast<double>(features) / static_cast<double>(channels);
        const auto side = static_cast<std::size_t>(std::lround(std::sqrt(pixels)));
        if (side > 0 && channels * side * side == features) return {channels, side, side};
    }
    return {features, 1, 1};
}

}  // namespace kirchnet
