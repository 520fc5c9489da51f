#pragma once

#include <cstddef>
#include <cstdint>

#include "data/network.hpp"

namespace kirchnet {

/// How training images are varied from epoch to epoch: a black frame is laid around the image, a
/// window of the image's size is cut out anywhere in it, and every other image is mirrored. Padding
/// 4 with mirroring is what CIFAR-10 is usually trained with (He et al., CVPR 2016, section 4.2).
struct Augmentation {
    std::size_t padding = 0;  ///< width of the frame [pixel]
    bool mirror = false;      ///< left to right, with probability 1/2

    friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

/// How one image is shown.
struct ImageView {
    std::size_t top = 0;   ///< of the window within the framed image, 0 to 2 padding
    std::size_t left = 0;  ///< likewise
    bool mirrored = false;

    friend bool operator==(const ImageView&, const ImageView&) = default;
};

/// A pure function of its arguments, so that a run replays.
ImageView draw_view(const Augmentation& augmentation, std::uint64_t seed, std::size_t epoch,
                    std::size_t image);

/// @param image    [channels × height × width]
/// @param padding  of the augmentation that the view is drawn by
/// @param shown    the same shape, overwritten
void show_image(const std::uint8_t* image, const ImageShape& shape, const ImageView& view,
                std::size_t padding, std::uint8_t* shown);

}  // namespace kirchnet
