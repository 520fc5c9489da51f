#pragma once

#include <filesystem>
#include <string>

#include "circuit/faults.hpp"

namespace kirchnet {

/// The faults of a chip one by one, of cells and of wires, docs/formats.md.
/// @throws InvalidInput  naming file and dataset, where a table is no table of faults
FaultMap read_fault_map(const std::filesystem::path& path);
/// @param origin  how the faults came to be (law, seed, trial), in words
void write_fault_map(const std::filesystem::path& path, const FaultMap& faults,
                     const std::string& origin);

}  // namespace kirchnet
