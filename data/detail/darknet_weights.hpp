#pragma once

#include <filesystem>

#include "data/detail/darknet_cfg.hpp"
#include "data/state_dict.hpp"

namespace kirchnet {

/// Name of section `index` in tensor and node names: `layer007`.
std::string darknet_layer_name(std::size_t index);

/// Darknet's `.weights`: a header (int32 major, minor, revision; images seen, 8 bytes from version
/// 0.2 on), then per convolution float32 biases, batch norm scales, means and variances where it
/// has one, and weights [out × in/groups × ky × kx]. Tensors are named `layer007.conv.weight`,
/// `layer007.bn.running_mean`, ...
/// @throws InvalidInput  when the file has fewer or more numbers than the configuration needs
StateDict read_darknet_weights(const std::filesystem::path& path, const DarknetCfg& cfg);

}  // namespace kirchnet
