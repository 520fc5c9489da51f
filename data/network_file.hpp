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
/// @throws InvalidInput  when it is missing or a damaged HDF5 file
bool is_network_file(const std::filesystem::path& path);

}  // namespace kirchnet
