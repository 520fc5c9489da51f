#pragma once

#include "circuit/crossbar.hpp"

namespace kirchnet {

/// Voltage lost to wires at each cell, read voltage minus what the cell sees, with the first word
/// lines at full drive and the others at 0 V: [word_lines × bit_lines] [V].
CellMatrix ir_drop(const Crossbar& array, Index used_word_lines, double read_voltage);

}  // namespace kirchnet
