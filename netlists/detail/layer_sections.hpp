#pragma once

#include <string>
#include <vector>

#include "netlists/netlist_writer.hpp"

namespace kirchnet::detail {

/// `by_3 y_3 0 v = ...`, per output channel, of the ammeters of a flat deck.
std::string flat_layer_sums(const std::vector<LayerTile>& tiles);

/// The `.control` block that prints every `y_<oc>`.
std::string layer_control(const std::vector<LayerTile>& tiles, const std::string& solved_net);

}  // namespace kirchnet::detail
