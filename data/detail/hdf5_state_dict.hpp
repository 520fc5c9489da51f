#pragma once

#include "data/state_dict.hpp"

namespace kirchnet {

/// One float data set per tensor at the root, under its PyTorch name; root attributes.
/// @throws InvalidInput  naming file and data set or attribute
StateDict read_hdf5_state_dict(const std::filesystem::path& path);

}  // namespace kirchnet
