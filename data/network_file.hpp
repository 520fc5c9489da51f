#pragma once

#include <filesystem>

#include "data/network.hpp"

namespace kirchnet {

/// @throws InvalidInput  naming the file and the group, data set or attribute that is wrong
Network read_network(const std::filesystem::path& path);

/// Writes to a temporary name, then renames.
/// @throws FileError  when the disk refuses
void write_network(const std::filesystem::path& path, const Network& network);

/// Whether the file says it is one of our network files (as opposed to a bare state dict).
bool is_network_file(const std::filesystem::path& path);

/// A CIFAR-style ResNet from an HDF5 state dict with PyTorch's parameter names (one float data set
/// per tensor), both shortcut kinds: without parameters (A) and by 1 x 1 convolution (B). File
/// attributes `bn_eps`, `bn1_eps`, `input_shape`, `normalisation_mean`, `normalisation_std` are
/// used where present.
/// @throws InvalidInput  naming file and tensor when a name, shape or value does not fit
Network import_state_dict(const std::filesystem::path& path);

/// Magnitude pruning: in each convolution and linear layer the floor(ratio * size + 1/2) smallest
/// |W| become 0, ties to the lower flat index.
/// @throws InvalidInput  unless 0 <= ratio < 1
void prune_by_magnitude(Network& network, double ratio);

}  // namespace kirchnet
