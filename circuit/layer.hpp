#pragma once

#include <string>
#include <vector>

#include "circuit/linear_readout.hpp"
#include "circuit/tile.hpp"

namespace kirchnet {

/// One tile of a layer, and what drives it.
struct LayerTile {
    Tile tile;
    Eigen::VectorXd inputs;  ///< read voltages [V], [rows]
};

/// @throws InvalidInput  unless there are tiles, all of one layer, with as many inputs as rows, and
///                       rows that hold one input are driven alike
void check_layer(const std::vector<LayerTile>& tiles);

/// `t0_1`, and with slices `t0_1_s2`.
std::string tile_label(const Tile& tile);

/// What drives a tile's word line among those of its layer: `x_5_0_1`, or `0` where no input does.
std::string layer_input_net(const Tile& tile, Index word_line);

/// A tile's output among those of its layer: `s_t0_1_4`.
std::string layer_output_net(const Tile& tile, Index output);

/// Sum of an output channel over the tiles: `y_69`.
std::string layer_sum_net(Index output_channel);

/// How much an output of this tile counts in its layer's sum: the weight of its slice.
double layer_factor(const Tile& tile);

/// One R_f for all amplifiers of a layer [ohm]: the given one, else the smallest that any tile's
/// largest column current asks for.
/// @throws InvalidInput  when a value makes no amplifier
double shared_feedback(const std::vector<LayerTile>& tiles, const SubtractorCircuit& circuit);

}  // namespace kirchnet
