#pragma once

#include <string>

#include "circuit/tile.hpp"
#include "netlists/detail/law_text.hpp"

namespace kirchnet::detail {

/// One cell as an instance with the weight it holds beside it, or a comment where it has no place
/// in the circuit.
/// @param text               how the tile's cells are written
/// @param word_net, bit_net  names of its nets, empty where cut off
/// @param select_net         of its word line's select line; unused where cells have no such pin
std::string cell_line(const CellMeaning& cell, const TileSettings& settings, const CellText& text,
                      const std::string& word_net, const std::string& bit_net,
                      const std::string& select_net);

/// What a cell is, for people: `r=0 c=0 | ic=0 ky=0 kx=0 oc=64 slice=0 pol=a | w=-0.0312 q=-4/127
/// | state=0.9685 | fault=none`; `pad` instead of an address for padding.
std::string describe_cell(const CellMeaning& cell, const TileSettings& settings);

/// The intended conductance by the parameters `gmin_c` and `gmax_c`, when that gives the same
/// number to the last digit but two, otherwise the number itself.
std::string conductance_text(const CellMeaning& cell, const TileSettings& settings);

}  // namespace kirchnet::detail
