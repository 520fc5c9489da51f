#pragma once

#include <cstdint>
#include <string_view>

#include "circuit/crossbar.hpp"
#include "circuit/readout.hpp"

namespace kirchnet {

/// Amplifiers and subtractors within their linear region, as inference reads through them: one
/// amplifier behind every bit line of an array, one difference amplifier per column pair.
/// docs/methods/read-out.md derives what is folded where.
struct LinearReadout {
    SubtractorCircuit circuit =
        {};                     ///< R_f 0: per layer, for the largest current its cells can deliver
    double mismatch = 0;        ///< standard deviation of each of R1..R4, relative
    double read_voltage = 0.2;  ///< of a full-scale input [V]
    std::uint64_t seed = 1;     ///< of the resistors
    std::uint32_t trial = 0;

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

/// A difference amplifier's output v_d = a v_a - b v_b + offset.
struct SubtractorGains {
    double a = 1;
    double b = 1;
    double offset = 0;  ///< [V]
};

SubtractorGains subtractor_gains(const OpAmp& amplifier, const BridgeResistors& bridge);

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
