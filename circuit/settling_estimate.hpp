#pragma once

#include <optional>

#include "circuit/tile_amplifiers.hpp"
#include "circuit/tile_circuit.hpp"

namespace kirchnet {

/// Closed-form time constants along the way of one output [s], which add up conservatively
/// (docs/methods/general-circuits.md).
struct SettlingEstimate {
    double word_line = 0;   ///< Elmore's delay to the far cell of the slowest word line in use
    double bit_line = 0;    ///< the same of the output's slower bit line, from its read-out on
    double amplifier = 0;   ///< closed loop of the transimpedance amplifiers; of current-mode
                            ///< pairs the sum of both
    double subtractor = 0;  ///< closed loop of the difference amplifier

    [[nodiscard]] double time_constant() const {
        return word_line + bit_line + amplifier + subtractor;
    }
    /// From one end of a converter's range to within half an LSB of the other, (B + 1) ln 2 times
    /// the time constant [s].
    [[nodiscard]] double settling(int bits) const;
};

/// Wires do not shield cells from an amplifier here, so its noise gain is an upper bound where they
/// matter. Amplifiers are taken far from their swing: at v a smooth limit slows them by
/// 1 / (1 - (v / swing)²), which is left out.
/// @param side        of a pair whose sides are read apart; nothing: what the output reads
/// @param amplifiers  null: ideal read-out
SettlingEstimate estimate_settling(const Tile& tile, Index output, std::optional<Polarity> side,
                                   const ArrayCapacitances& capacitances,
                                   const TileAmplifiers* amplifiers);

}  // namespace kirchnet
