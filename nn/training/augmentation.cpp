#include "nn/training/augmentation.hpp"

#include "nn/training/detail/random.hpp"

namespace kirchnet {
namespace {

using detail::training_unit;
using detail::TrainingPurpose;

/// The pixel of a framed image; the frame is black.
std::uint8_t framed_pixel(const std::uint8_t* plane, const ImageShape& shape, std::size_t padding,
                          std::size_t y, std::size_t x) {
    const bool inside =
        y >= padding && x >= padding && y < shape.height + padding && x < shape.width + padding;
    return inside ? plane[(y - padding) * shape.width + (x - padding)] : std::uint8_t{0};
}

}  // namespace

ImageView draw_view(const Augmentation& augmentation, std::uint64_t seed, std::size_t epoch,
                    std::size_t image) {
    const auto draw = [&](std::uint64_t which) {
        return training_unit(seed, TrainingPurpose::augmentation, epoch, 3 * image + which);
    };
    const auto offset = [&](std::uint64_t which) {
        return static_cast<std::size_t>(draw(which) *
                                        static_cast<double>(2 * augmentation.padding + 1));
    };
    return {offset(0), offset(1), augmentation.mirror && draw(2) < 0.5};
}

void show_image(const std::uint8_t* image, const ImageShape& shape, const ImageView& view,
                std::size_t padding, std::uint8_t* shown) {
    for (std::size_t channel = 0; channel < shape.channels; ++channel) {
        const std::uint8_t* plane = image + channel * shape.height * shape.width;
        for (std::size_t y = 0; y < shape.height; ++y)
            for (std::size_t x = 0; x < shape.width; ++x) {
                const std::size_t from = view.mirrored ? shape.width - 1 - x : x;
                *shown++ = framed_pixel(plane, shape, padding, view.top + y, view.left + from);
            }
    }
}

}  // namespace kirchnet
