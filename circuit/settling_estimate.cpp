#include "circuit/settling_estimate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kirchnet {
namespace {

/// Σ R_i C (nodes behind it), from the driven end on; what lies behind a broken segment does not
/// charge.
template <typename Resistance>
double elmore_delay(Index nodes, double capacitance, Resistance resistance) {
    Index reached = 0;
    while (reached < nodes && std::isfinite(resistance(reached))) ++reached;
    double delay = 0;
    for (Index i = 0; i < reached; ++i)
        delay += resistance(i) * capacitance * static_cast<double>(reached - i);
    return delay;
}

double word_line_delay(const Crossbar& array, Index r, double capacitance) {
    const Index n = array.shape().bit_lines;
    if (array.wires().drives_left())
        return elmore_delay(n, capacitance,
                            [&](Index c) { return array.word_line_resistance(r, c); });
    return elmore_delay(n, capacitance, [&](Index c) {
        return c == 0 ? array.right_end_resistance(r) : array.word_line_resistance(r, n - c);
    });
}

double bit_line_delay(const Crossbar& array, Index c, double capacitance) {
    const Index n = array.shape().word_lines;
    if (array.wires().senses_bottom())
        return elmore_delay(n, capacitance,
                            [&](Index i) { return array.bit_line_resistance(n - 1 - i, c); });
    return elmore_delay(n, capacitance, [&](Index i) {
        return i == 0 ? array.top_end_resistance(c) : array.bit_line_resistance(i - 1, c);
    });
}

double closed_loop(const OpAmp& amplifier, double noise_gain) {
    return 1 / (2 * std::numbers::pi * amplifier.gain_bandwidth *
                (1 / noise_gain + 1 / amplifier.gain));
}

/// @param coupling  conductance beside the column's at the input [S]
double column_loop(const Tile& tile, const TileAmplifiers& amplifiers, const TileColumn& at,
                   double coupling) {
    const double column = tile.arrays()[at.array].conductance().col(at.bit_line).sum();
    return closed_loop(amplifiers.circuit.amplifier,
                       1 + (column + coupling) * amplifiers.column(at).feedback);
}

void add_amplifiers(SettlingEstimate& estimate, const Tile& tile, Index output,
                    const std::vector<TileColumn>& columns, const TileAmplifiers& amplifiers) {
    const bool is_pair = columns.size() == 2;
    if (is_pair && amplifiers.circuit.kind == SubtractorKind::current_mode) {
        estimate.amplifier =
            column_loop(tile, amplifiers, columns[0], 0) +
            column_loop(tile, amplifiers, columns[1], 1 / amplifiers.pair(output).coupling);
        return;
    }
    for (const TileColumn& at : columns)
        estimate.amplifier = std::max(estimate.amplifier, column_loop(tile, amplifiers, at, 0));
    if (!is_pair) return;
    const BridgeResistors& bridge = amplifiers.pair(output).bridge;
    estimate.subtractor = closed_loop(amplifiers.circuit.amplifier, 1 + bridge.r2 / bridge.r1);
}

}  // namespace

double SettlingEstimate::settling(int bits) const {
    return (bits + 1) * std::numbers::ln2 * time_constant();
}

SettlingEstimate estimate_settling(const Tile& tile, Index output, std::optional<Polarity> side,
                                   const ArrayCapacitances& capacitances,
                                   const TileAmplifiers* amplifiers) {
    std::vector<TileColumn> columns{tile.column(output, side.value_or(Polarity::a))};
    if (!side && tile.has_subtractors()) columns.push_back(tile.column(output, Polarity::b));
    const double word_capacitance = capacitances.wire_segment + capacitances.cell;
    const double bit_capacitance = word_capacitance + capacitances.access;
    SettlingEstimate estimate;
    for (const TileColumn& at : columns) {
        const Crossbar& array = tile.arrays()[at.array];
        for (Index r = 0; r < tile.rows(); ++r)
            estimate.word_line =
                std::max(estimate.word_line, word_line_delay(array, r, word_capacitance));
        estimate.bit_line =
            std::max(estimate.bit_line, bit_line_delay(array, at.bit_line, bit_capacitance));
    }
    if (amplifiers != nullptr) add_amplifiers(estimate, tile, output, columns, *amplifiers);
    return estimate;
}

}  // namespace kirchnet
