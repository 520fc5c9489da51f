#pragma once

#include <string>

#include "circuit/device.hpp"

namespace kirchnet {

/// A cell law as users name it: one of `parse_cell_law`, or `table:FILE.csv` or `byo:CELL.h5`,
/// which is read.
/// @param where         the option or key it was given by
/// @param read_voltage  [V] at which cells were programmed
/// @throws InvalidInput  naming `where`, or the file and its line
CellLaw named_cell_law(const std::string& text, const std::string& where,
                       double read_voltage = 0.2);

}  // namespace kirchnet
