#pragma once

#include <filesystem>
#include <optional>

#include "data/dataset.hpp"

namespace kirchnet {

/// Whether a folder has `labels.tsv`: JPEG images with a class each, ImageNet's way.
bool is_class_folder(const std::filesystem::path& folder);

/// Images that `labels.tsv` names (columns `class_index` and `file`, others ignored), all of one
/// size: that of `input` where given.
/// @throws InvalidInput  naming file and line, or the image of another size
LabelledImages read_class_folder(const std::filesystem::path& folder,
                                 const std::optional<ImageShape>& input);

/// Whether a folder has `images`, `labels` and a `.names` file: objects in boxes, YOLO's way.
bool is_object_folder(const std::filesystem::path& folder);

/// Images `images/*.jpg` in order of their names, resized to `input`; objects of
/// `labels/NAME.txt`, a line each: class, then centre x, centre y, width and height as fractions
/// of the image. An image without that file holds no object. The `.names` file has a line per
/// class.
/// @throws InvalidInput  naming file and line; also without `input`
LabelledImages read_object_folder(const std::filesystem::path& folder,
                                  const std::optional<ImageShape>& input);

}  // namespace kirchnet
