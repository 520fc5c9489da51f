#pragma once

#include <filesystem>

#include "data/network.hpp"

namespace kirchnet {

/// A network from a file that another program wrote: a state dict (`read_state_dict`) whose tensor
/// names and shapes tell the architecture. Known: CIFAR-style ResNets of basic blocks, with both
/// shortcut kinds. Attributes `bn_eps`, `bn1_eps`, `input_shape`, `normalisation_mean` and
/// `normalisation_std` are used where the file has them.
/// @throws InvalidInput  naming file and tensor when a name, shape or value does not fit
Network import_network(const std::filesystem::path& path);

}  // namespace kirchnet
