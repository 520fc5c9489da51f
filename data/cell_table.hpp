#pragma once

#include <filesystem>

#include "circuit/device.hpp"

namespace kirchnet {

/// Reads a cell's measured curve: CSV, two columns, voltage [V] and current [A] of a cell of any
/// one conductance, rising from `0,0`; lines starting with # are skipped. The law's name is
/// `table:PATH`.
/// @throws InvalidInput  naming file and line
CellLaw read_cell_table(const std::filesystem::path& path);

}  // namespace kirchnet
