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

/// A network described by a Darknet configuration file, its parameters from Darknet's `.weights` or
/// from a state dict with a tensor `layerNNN.conv.weight` (and `.conv.bias`, or `.bn.weight`,
/// `.bn.bias`, `.bn.running_mean`, `.bn.running_var`) per section NNN, counted from 000 behind
/// `[net]`. Known: the sections of classifiers and of YOLO detectors of the versions 3 and 4.
/// @throws InvalidInput  naming file and line of what is not known, or the tensor that does not fit
Network import_darknet(const std::filesystem::path& cfg, const std::filesystem::path& weights);

}  // namespace kirchnet
