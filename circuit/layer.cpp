#include "circuit/layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "circuit/error.hpp"
#include "circuit/readout.hpp"
#include "circuit/tile_amplifiers.hpp"

namespace kirchnet {
namespace {

std::string input_net(const KernelPosition& at) {
    return fmt::format("x_{}_{}_{}", at.input_channel, at.kernel_y, at.kernel_x);
}

}  // namespace

std::string tile_label(const Tile& tile) {
    const WeightBlock& block = tile.block();
    const std::string place = fmt::format("t{}_{}", block.tile_row, block.tile_column);
    return tile.settings().bits_per_cell == 0 ? place : fmt::format("{}_s{}", place, block.slice);
}

std::string layer_input_net(const Tile& tile, Index word_line) {
    return word_line < tile.rows()
               ? input_net(tile.block().inputs[static_cast<std::size_t>(word_line)])
               : "0";
}

void check_layer(const std::vector<LayerTile>& tiles) {
    if (tiles.empty()) throw InvalidInput("layer", "has no tile");
    std::map<std::tuple<int, int, int>, double> driven;
    for (const LayerTile& part : tiles) {
        const WeightBlock& block = part.tile.block();
        if (block.layer != tiles.front().tile.block().layer)
            throw InvalidInput("layer", fmt::format("holds tiles of {} and {}",
                                                    tiles.front().tile.block().layer, block.layer));
        if (part.inputs.size() != part.tile.rows() || !part.inputs.allFinite())
            throw InvalidInput(
                "read voltages",
                fmt::format("{} values, but tile {},{} takes {}, all finite", part.inputs.size(),
                            block.tile_row, block.tile_column, part.tile.rows()));
        for (Index r = 0; r < part.tile.rows(); ++r) {
            const KernelPosition& at = block.inputs[static_cast<std::size_t>(r)];
            const auto [place, is_new] = driven.try_emplace(
                std::tuple(at.input_channel, at.kernel_y, at.kernel_x), part.inputs(r));
            if (!is_new && place->second != part.inputs(r))
                throw InvalidInput("read voltages",
                                   fmt::format("tiles disagree about input channel {} ky {} kx {}",
                                               at.input_channel, at.kernel_y, at.kernel_x));
        }
    }
}

std::string layer_output_net(const Tile& tile, Index output) {
    return fmt::format("s_{}_{}", tile_label(tile), output);
}

std::string layer_sum_net(Index output_channel) {
    return fmt::format("y_{}", output_channel);
}

double layer_factor(const Tile& tile) {
    return std::ldexp(1.0, tile.slice().shift);
}

double shared_feedback(const std::vector<LayerTile>& tiles, const SubtractorCircuit& circuit) {
    check(circuit);
    if (circuit.feedback_resistance > 0) return circuit.feedback_resistance;
    double feedback = std::numeric_limits<double>::infinity();
    for (const LayerTile& part : tiles)
        feedback = std::min(
            feedback, default_feedback_resistance(circuit.amplifier,
                                                  largest_column_current(part.tile, part.inputs)));
    return feedback;
}

}  // namespace kirchnet
