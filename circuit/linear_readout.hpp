#pragma once

#include <cstdint>
#include <string_view>

#include "circuit/crossbar.hpp"
#include "circuit/faults.hpp"
#include "circuit/readout.hpp"

namespace kirchnet {

/// Amplifiers and subtractors within their linear region, as inference reads through them: one
/// amplifier behind every bit line of an array, one difference amplifier per column pair.
/// docs/methods/read-out.md derives what is folded where.
struct LinearReadout {
    SubtractorCircuit circuit =
        {};               ///< R_f 0: per layer, for the largest current its cells can deliver
    double mismatch = 0;  ///< standard deviation of each of R1..R4, relative
    double feedback_mismatch = 0;  ///< of each R_f and R_x, relative
    double offset_deviation = 0;   ///< of each amplifier's offset around `amplifier.offset` [V]
    double read_voltage = 0.2;     ///< of a full-scale input [V]
    std::uint64_t seed = 1;        ///< of the resistors, and of noise in circuits
    std::uint32_t trial = 0;
    Reading reading = {};  ///< whose noise circuits have

    friend bool operator==(const LinearReadout&, const LinearReadout&) = default;
};

/// @throws InvalidInput  naming the quantity, unless gain, swing, read voltage and resistances are
///                       finite and above 0 (R_f may be 0), mismatch and offset finite, mismatch
///                       at least 0
void check(const LinearReadout& readout);

/// Resistors of one difference amplifier [ohm].
struct BridgeResistors {
    double r1 = 1e4;  ///< from v_b to the inverting input
    double r2 = 1e4;  ///< from the output to the inverting input
    double r3 = 1e4;  ///< from v_a to the other input
    double r4 = 1e4;  ///< from there to ground
};

/// The resistors of one output's subtractor: a pure function of (seed, trial, layer, tile row,
/// output channel).
/// @throws InvalidInput  when a resistor comes out at 0 ohm or less: the mismatch is too large
BridgeResistors draw_bridge(const LinearReadout& readout, std::string_view layer,
                            std::int32_t tile_row, std::int32_t output_channel);

/// The amplifier behind one bit line, as it is on this chip.
struct ColumnAmplifier {
    double feedback = 0;  ///< R_f [ohm]
    double offset = 0;    ///< [V]
};

/// A pure function of (seed, trial, layer) and of where the bit line is on the chip: amplifiers
/// stay with their column whatever the weights.
/// @param feedback  R_f as designed [ohm]
ColumnAmplifier draw_amplifier(const LinearReadout& readout, std::string_view layer,
                               const PaddingCell& column, double feedback);

/// What subtracts one output's sides, as it is on this chip.
struct PairSubtractor {
    BridgeResistors bridge;  ///< of `difference`
    double offset = 0;       ///< of its amplifier [V]
    double coupling = 0;     ///< R_x of `current_mode` [ohm]
};

/// A pure function of (seed, trial, layer, tile row, output channel).
PairSubtractor draw_subtractor(const LinearReadout& readout, std::string_view layer,
                               std::int32_t tile_row, std::int32_t output_channel, double feedback);

/// A difference amplifier's output v_d = a v_a - b v_b + offset.
struct SubtractorGains {
    double a = 1;
    double b = 1;
    double offset = 0;  ///< [V]
};

SubtractorGains subtractor_gains(const OpAmp& amplifier, const BridgeResistors& bridge);
/// The same of a subtractor as drawn.
SubtractorGains drawn_gains(const OpAmp& amplifier, const PairSubtractor& subtractor);

/// What an array sees of a transimpedance amplifier: a resistance to a voltage, and its output for
/// the current that flows in there, v_o = output_offset - gain R_f I.
struct AmplifierInput {
    double resistance = 0;     ///< R_f / (1 + A0) [ohm]
    double voltage = 0;        ///< V_os A0 / (1 + A0) [V]
    double gain = 1;           ///< A0 / (1 + A0)
    double output_offset = 0;  ///< V_os A0 / (1 + A0) [V]
};

/// @param feedback  R_f [ohm]
AmplifierInput amplifier_input(const OpAmp& amplifier, double feedback);

/// Wires whose bit lines end in amplifiers instead of virtual grounds.
/// @throws InvalidInput  where bit lines are sensed at both ends: two inputs of one line are no
///                       resistance in series
Wires with_input_resistance(const Wires& wires, double resistance);

}  // namespace kirchnet
