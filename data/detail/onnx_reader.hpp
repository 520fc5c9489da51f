#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "data/network.hpp"

namespace kirchnet {

/// Whether the file's first bytes are those of an ONNX model.
bool is_onnx_file(const std::filesystem::path& path);

/// A classifier from an ONNX model: operators become nodes of ours one by one or as patterns
/// (x * Sigmoid(x), slices and zero channels as a ResNet's shortcut), constants are folded. Pixels
/// enter as p / 255: ONNX says nothing of normalisation.
/// @param image  what a flat input [batch, features] stands for; a guess where it is not given
/// @throws InvalidInput  naming the file and the node, tensor or attribute that is unknown, missing
///                       or does not fit
Network read_onnx(const std::filesystem::path& path, const std::optional<ImageShape>& image = {});
/// @param bytes  the whole of a file
/// @param file   its name, for messages
Network parse_onnx(std::string_view bytes, const std::string& file,
                   const std::optional<ImageShape>& image = {});

}  // namespace kirchnet
