#pragma once

#include <filesystem>
#include <optional>

#include "data/dataset.hpp"

namespace kirchnet {

/// Images and labels of one part of an IDX data set (LeCun's MNIST files and those like them).
struct IdxFiles {
    std::filesystem::path images;
    std::filesystem::path labels;
};

/// The part called `part` (`t10k`, `train`) in a folder, under any of the names in use.
/// @throws InvalidInput  when images are there but labels are not
std::optional<IdxFiles> find_idx_files(const std::filesystem::path& folder,
                                       const std::string& part);

/// The first `most` images.
/// @throws InvalidInput  when a file is truncated, of another kind, or does not fit the other
LabelledImages read_idx(const IdxFiles& files, std::size_t most);

}  // namespace kirchnet
