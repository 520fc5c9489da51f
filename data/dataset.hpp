#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "data/network.hpp"

namespace kirchnet {

/// A box in an image: where its sides lie, as fractions of the image's width and height from its
/// top left corner.
struct BoundingBox {
    float left = 0;
    float top = 0;
    float right = 0;
    float bottom = 0;
    friend bool operator==(const BoundingBox&, const BoundingBox&) = default;
};

/// An object that a detector shall find.
struct LabelledObject {
    std::int32_t label = 0;  ///< class from 0
    BoundingBox box;
    friend bool operator==(const LabelledObject&, const LabelledObject&) = default;
};

/// Images with the class each belongs to, or with the objects in each.
struct LabelledImages {
    static constexpr std::int32_t no_class = -1;  ///< label of an image that holds objects instead

    ImageShape shape;
    std::vector<std::uint8_t> pixels;  ///< [images × channels × height × width], 0..255
    std::vector<std::int32_t> labels;  ///< [images], class from 0, or `no_class`
    /// [images] of a set for detectors, else empty.
    std::vector<std::vector<LabelledObject>> objects = {};

    [[nodiscard]] std::size_t size() const { return labels.size(); }
    friend bool operator==(const LabelledImages&, const LabelledImages&) = default;
};

/// The images [first, first + count) as a set of their own.
LabelledImages subset(const LabelledImages& images, std::size_t first, std::size_t count);

/// Reads test images: a CIFAR-10 folder or batch file (`.bin`, `.bin.xz`), a folder with IDX files
/// (MNIST, `.gz` or plain), a folder of JPEG images with `labels.tsv` (ImageNet) or with `labels/`
/// and a `.names` file (COCO as YOLO has it), or an images file of ours (`.h5`).
/// @param input  what the network takes: JPEG images with one class must have that size, those with
///               objects are resized to it; the others have a size of their own
/// @throws InvalidInput  naming the file and what is wrong or missing
LabelledImages read_test_images(const std::filesystem::path& path,
                                const std::optional<ImageShape>& input = std::nullopt);

/// Images of the training part that lies beside the test images (CIFAR-10 `data_batch_*.bin`,
/// `.bin.xz`, or lossless `.webp` sheets of 100 x 100 images with `.labels`; IDX `train-*`; the
/// `calibration` group of our images file), at most `count`; empty when there is none.
std::optional<LabelledImages> read_calibration_images(const std::filesystem::path& path,
                                                      std::size_t count);

/// Writes an images file (`.h5`): `/test` and, where given, `/calibration`.
void write_images(const std::filesystem::path& path, const LabelledImages& test,
                  const std::optional<LabelledImages>& calibration);

}  // namespace kirchnet
