#include "data/detail/image.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace kirchnet {
namespace {

/// The input pixels an output pixel is made of.
struct Window {
    std::size_t first;
    std::vector<float> weights;  ///< sum 1
};

/// A triangle over two pixels of the coarser side, around each output pixel's centre.
std::vector<Window> windows(std::size_t from, std::size_t to) {
    std::vector<Window> result;
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const double reach = std::max(scale, 1.0);
    for (std::size_t i = 0; i < to; ++i) {
        const double centre = (static_cast<double>(i) + 0.5) * scale;
        const auto first = static_cast<std::size_t>(std::max(centre - reach + 0.5, 0.0));
        const auto last = std::min(static_cast<std::size_t>(centre + reach + 0.5), from);
        std::vector<double> weights;
        double sum = 0;
        for (std::size_t at = first; at < last; ++at) {
            const double distance = std::abs(static_cast<double>(at) + 0.5 - centre);
            weights.push_back(std::max(1 - distance / reach, 0.0));
            sum += weights.back();
        }
        Window& window = result.emplace_back(Window{first, {}});
        for (const double weight : weights)
            window.weights.push_back(static_cast<float>(weight / sum));
    }
    return result;
}

std::uint8_t to_byte(float value) {
    return static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F));
}

/// Along the rows of an image of `width` columns.
std::vector<std::uint8_t> resize_rows(const std::vector<std::uint8_t>& pixels, std::size_t width,
                                      const std::vector<Window>& columns) {
    std::vector<std::uint8_t> result;
    result.reserve(pixels.size() / width * columns.size());
    for (auto row = pixels.begin(); row != pixels.end(); row += static_cast<std::ptrdiff_t>(width))
        for (const Window& window : columns) {
            float sum = 0;
            auto pixel = row + static_cast<std::ptrdiff_t>(window.first);
            for (const float weight : window.weights) sum += weight * static_cast<float>(*pixel++);
            result.push_back(to_byte(sum));
        }
    return result;
}

/// Down the columns of three planes of `height` rows.
std::vector<std::uint8_t> resize_columns(const std::vector<std::uint8_t>& pixels,
                                         std::size_t height, const std::vector<Window>& rows) {
    const std::size_t width = pixels.size() / (3 * height);
    std::vector<std::uint8_t> result;
    std::vector<float> sum(width);
    for (std::size_t plane = 0; plane < 3; ++plane)
        for (const Window& window : rows) {
            std::fill(sum.begin(), sum.end(), 0.0F);
            const std::uint8_t* pixel = pixels.data() + (plane * height + window.first) * width;
            for (const float weight : window.weights)
                for (float& total : sum) total += weight * static_cast<float>(*pixel++);
            std::transform(sum.begin(), sum.end(), std::back_inserter(result), to_byte);
        }
    return result;
}

}  // namespace

RgbImage resize_bilinear(const RgbImage& image, std::size_t width, std::size_t height) {
    RgbImage result{width, height, image.pixels};
    if (width != image.width)
        result.pixels = resize_rows(result.pixels, image.width, windows(image.width, width));
    if (height != image.height)
        result.pixels = resize_columns(result.pixels, image.height, windows(image.height, height));
    return result;
}

}  // namespace kirchnet
