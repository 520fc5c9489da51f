#pragma once

#include <vector>

#include "circuit/linear_readout.hpp"
#include "circuit/tile.hpp"

namespace kirchnet {

/// Hold stage and converter behind one output, as they are on this chip at one reading.
struct OutputConversion {
    double hold_noise = 0;  ///< of this sample [V]
    double gain = 1;        ///< of the ADC; below 0 where amplifiers invert, so that codes count
                            ///< weights times inputs
    double offset = 0;      ///< of the ADC, at its input [V]
    double noise = 0;       ///< of this conversion, at the ADC's input [V]
};

/// Gain times the voltage that ADCs give their lowest and their highest code for.
struct ConversionRange {
    double low = 0;   ///< [V]
    double high = 0;  ///< [V]
};

/// The amplifiers of one tile, each with the values it has on this chip: what equations, general
/// circuit and deck read through alike.
struct TileAmplifiers {
    SubtractorCircuit circuit;                          ///< as designed; R_f is set
    std::vector<std::vector<ColumnAmplifier>> columns;  ///< [arrays][bit lines]
    std::vector<PairSubtractor> pairs;                  ///< [outputs]; empty without subtractors
    /// [outputs], of sides that are converted apart a and b; empty where nothing stands behind them
    std::vector<std::vector<OutputConversion>> conversions;
    ConversionRange range;   ///< of the ADCs
    bool is_uniform = true;  ///< all amplifiers are as designed

    [[nodiscard]] const ColumnAmplifier& column(const TileColumn& at) const {
        return columns[at.array][static_cast<std::size_t>(at.bit_line)];
    }
    [[nodiscard]] const OutputConversion& conversion(Index output, Polarity side) const {
        return conversions[side == Polarity::a ? 0 : 1][static_cast<std::size_t>(output)];
    }
    [[nodiscard]] const PairSubtractor& pair(Index output) const {
        return pairs[static_cast<std::size_t>(output)];
    }
};

/// Draws them: pure functions of seed, trial, layer and place.
/// @param feedback  R_f as designed [ohm]
/// @throws InvalidInput  when the read-out's quantities are out of their ranges, or a resistor or
/// an
///                       ADC's gain comes out at 0 or less
TileAmplifiers draw_amplifiers(const Tile& tile, const LinearReadout& readout, double feedback);

/// Largest current of a column in use before subtraction, without wires [A]: what R_f follows from
/// where none is given.
/// @param inputs  read voltages [V], [rows]
double largest_column_current(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs);

/// The output that a physical bit line serves; nothing for padding and reference columns.
std::optional<Index> output_of(const Tile& tile, std::size_t array, Index bit_line);

}  // namespace kirchnet
