#pragma once

#include <string>

#include "circuit/device.hpp"

namespace kirchnet {

/// A cell law as users name it: `linear`, `sinh:A` or `table:FILE.csv`, which is read.
/// @param where  the option or key it was given by
/// @throws InvalidInput  naming `where`, or the file and its line
CellLaw named_cell_law(const std::string& text, const std::string& where);

}  // namespace kirchnet
