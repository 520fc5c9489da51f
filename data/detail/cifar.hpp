#pragma once

#include <filesystem>
#include <optional>

#include "data/dataset.hpp"

namespace kirchnet {

/// The batch called `stem` in a folder, whichever form it has there (`.bin`, `.bin.xz`, `.webp`).
std::optional<std::filesystem::path> find_cifar_batch(const std::filesystem::path& folder,
                                                      const std::string& stem);

/// The first `most` images of one batch. `.bin`: per image one label byte and 3 x 32 x 32 bytes.
/// `.webp`: a lossless sheet of 32 x 32 images, row by row, with a label byte each in `.labels`.
LabelledImages read_cifar_batch(const std::filesystem::path& path, std::size_t most);

/// Images of `data_batch_1` to `data_batch_5`, as many as there are up to `count`; `skipped` is
/// the batch that is tested on.
std::optional<LabelledImages> read_cifar_training(const std::filesystem::path& folder,
                                                  const std::filesystem::path& skipped,
                                                  std::size_t count);

}  // namespace kirchnet
