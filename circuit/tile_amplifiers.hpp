#pragma once

#include <vector>

#include "circuit/linear_readout.hpp"
#include "circuit/tile.hpp"

namespace kirchnet {

/// The amplifiers of one tile, each with the values it has on this chip: what equations, general
/// circuit and deck read through alike.
struct TileAmplifiers {
    SubtractorCircuit circuit;                          ///< as designed; R_f is set
    std::vector<std::vector<ColumnAmplifier>> columns;  ///< [arrays][bit lines]
    std::vector<PairSubtractor> pairs;                  ///< [outputs]; empty without subtractors
    bool is_uniform = true;                             ///< all are as designed

    [[nodiscard]] const ColumnAmplifier& column(const TileColumn& at) const {
        return columns[at.array][static_cast<std::size_t>(at.bit_line)];
    }
    [[nodiscard]] const PairSubtractor& pair(Index output) const {
        return pairs[static_cast<std::size_t>(output)];
    }
};

/// Draws them: pure functions of seed, trial, layer and place.
/// @param feedback  R_f as designed [ohm]
/// @throws InvalidInput  when the read-out's quantities are out of their ranges, or a resistor
/// comes
///                       out at 0 ohm or less
TileAmplifiers draw_amplifiers(const Tile& tile, const LinearReadout& readout, double feedback);

/// Largest current of a column in use before subtraction, without wires [A]: what R_f follows from
/// where none is given.
/// @param inputs  read voltages [V], [rows]
double largest_column_current(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs);

/// The output that a physical bit line serves; nothing for padding and reference columns.
std::optional<Index> output_of(const Tile& tile, std::size_t array, Index bit_line);

}  // namespace kirchnet
