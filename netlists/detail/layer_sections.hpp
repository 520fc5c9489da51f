#pragma once

#include <string>
#include <vector>

#include "netlists/netlist_writer.hpp"

namespace kirchnet::detail {

/// `t0_1`, and with slices `t0_1_s2`.
std::string tile_label(const Tile& tile);

/// What drives a tile's word line in a layer's deck: `x_5_0_1`, or `0` where no input does.
std::string layer_input_net(const Tile& tile, Index word_line);

/// @throws InvalidInput  unless there are tiles, all of one layer, with as many inputs as rows, and
///                       rows that hold one input are driven alike
void check_layer(const std::vector<LayerTile>& tiles);

/// `by_3 y_3 0 v = ...`, per output channel, of the ammeters of a flat deck.
std::string flat_layer_sums(const std::vector<LayerTile>& tiles);

/// The `.control` block that prints every `y_<oc>`.
std::string layer_control(const std::vector<LayerTile>& tiles, const std::string& solved_net);

}  // namespace kirchnet::detail
