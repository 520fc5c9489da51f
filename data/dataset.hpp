#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "data/network.hpp"

namespace kirchnet {

/// Images with the class each belongs to.
struct LabelledImages {
    ImageShape shape;
    std::vector<std::uint8_t> pixels;  ///< [images × channels × height × width], 0..255
    std::vector<std::int32_t> labels;  ///< [images], class from 0

    [[nodiscard]] std::size_t size() const { return labels.size(); }
    friend bool operator==(const LabelledImages&, const LabelledImages&) = default;
};

/// The images [first, first + count) as a set of their own.
LabelledImages subset(const LabelledImages& images, std::size_t first, std::size_t count);

/// Reads test images: a CIFAR-10 folder or batch file (`.bin`, `.bin.xz`), a folder with IDX files
/// (MNIST, `.gz` or plain), or an images file of ours (`.h5`).
/// @throws InvalidInput  naming the file and what is wrong or missing
LabelledImages read_test_images(const std::filesystem::path& path);

/// Images of the training part that lies beside the test images (CIFAR-10 `data_batch_*.bin`,
/// `.bin.xz`, or lossless `.webp` sheets of 100 x 100 images with `.labels`; IDX `train-*`; the
/// `calibration` group of our images file), at most `count`; empty when there is none.
std::optional<LabelledImages> read_calibration_images(const std::filesystem::path& path,
                                                      std::size_t count);

/// Writes an images file (`.h5`): `/test` and, where given, `/calibration`.
void write_images(const std::filesystem::path& path, const LabelledImages& test,
                  const std::optional<LabelledImages>& calibration);

}  // namespace kirchnet
