// An amplifier of gain A and offset V_os at its other input holds its inverting input at
// v = V_os - v_o / A; the column's current I flows on through R_f, v_o = v - I R_f. So
//   v = V_os A / (1 + A) + I R_f / (1 + A),   v_o = A / (1 + A) (V_os - I R_f):
// a voltage behind a resistance. The difference amplifier, with k = R4 / (R3 + R4) and
// m = R1 / (R1 + R2), stands at v_d = A (k v_a + V_os - (1 - m) v_b - m v_d), so
//   v_d = (k v_a - (1 - m) v_b + V_os) / (m + 1 / A).
#include "circuit/linear_readout.hpp"

#include <fmt/format.h>

#include <cmath>

#include "circuit/detail/checks.hpp"
#include "circuit/error.hpp"
#include "circuit/random.hpp"

namespace kirchnet {

using detail::check_not_negative;
using detail::check_positive;

namespace {

// 1 to 4 are cells', see cell_counter.cpp
constexpr std::uint64_t bridge_purpose = 5;
constexpr std::uint64_t amplifier_purpose = 6;
constexpr std::uint64_t subtractor_purpose = 7;

std::uint64_t pair_of(std::int32_t high, std::int32_t low) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(high)) << 32 |
           static_cast<std::uint32_t>(low);
}

double spread_resistance(double designed, double deviation, double number) {
    const double value = designed * (1 + deviation * number);
    check_positive(value, "resistor of a read-out (is the mismatch too large?)");
    return value;
}

}  // namespace

void check(const LinearReadout& readout) {
    check(readout.circuit);
    check_positive(readout.read_voltage, "read voltage");
    check_not_negative(readout.mismatch, "resistor mismatch");
    check_not_negative(readout.feedback_mismatch, "feedback mismatch");
    check_not_negative(readout.offset_deviation, "deviation of offsets");
}

BridgeResistors draw_bridge(const LinearReadout& readout, std::string_view layer,
                            std::int32_t tile_row, std::int32_t output_channel) {
    const double r = readout.circuit.bridge_resistance;
    if (readout.mismatch == 0) return {r, r, r, r};
    const auto z = keyed_normals(readout.seed, stream_of(layer),
                                 {{static_cast<std::uint64_t>(readout.trial) << 32 | bridge_purpose,
                                   pair_of(tile_row, output_channel), 0, 0}});
    const auto resistance = [&](double number) {
        return spread_resistance(r, readout.mismatch, number);
    };
    return {resistance(z[0]), resistance(z[1]), resistance(z[2]), resistance(z[3])};
}

ColumnAmplifier draw_amplifier(const LinearReadout& readout, std::string_view layer,
                               const PaddingCell& column, double feedback) {
    const double offset = readout.circuit.amplifier.offset;
    if (readout.feedback_mismatch == 0 && readout.offset_deviation == 0) return {feedback, offset};
    const auto z =
        keyed_normals(readout.seed, stream_of(layer),
                      {{static_cast<std::uint64_t>(readout.trial) << 32 | amplifier_purpose,
                        pair_of(column.tile_row, column.tile_column),
                        pair_of(column.bit_line, column.polarity == Polarity::a ? 0 : 1),
                        static_cast<std::uint64_t>(column.slice)}});
    return {spread_resistance(feedback, readout.feedback_mismatch, z[0]),
            offset + readout.offset_deviation * z[1]};
}

PairSubtractor draw_subtractor(const LinearReadout& readout, std::string_view layer,
                               std::int32_t tile_row, std::int32_t output_channel,
                               double feedback) {
    PairSubtractor drawn{draw_bridge(readout, layer, tile_row, output_channel),
                         readout.circuit.amplifier.offset, feedback};
    if (readout.feedback_mismatch == 0 && readout.offset_deviation == 0) return drawn;
    const auto z =
        keyed_normals(readout.seed, stream_of(layer),
                      {{static_cast<std::uint64_t>(readout.trial) << 32 | subtractor_purpose,
                        pair_of(tile_row, output_channel), 0, 0}});
    drawn.coupling = spread_resistance(feedback, readout.feedback_mismatch, z[0]);
    drawn.offset += readout.offset_deviation * z[1];
    return drawn;
}

SubtractorGains subtractor_gains(const OpAmp& amplifier, const BridgeResistors& bridge) {
    return drawn_gains(amplifier, {bridge, amplifier.offset, 0});
}

SubtractorGains drawn_gains(const OpAmp& amplifier, const PairSubtractor& subtractor) {
    const BridgeResistors& bridge = subtractor.bridge;
    const double k = bridge.r4 / (bridge.r3 + bridge.r4);
    const double m = bridge.r1 / (bridge.r1 + bridge.r2);
    const double loop = m + 1 / amplifier.gain;
    return {k / loop, (1 - m) / loop, subtractor.offset / loop};
}

AmplifierInput amplifier_input(const OpAmp& amplifier, double feedback) {
    const double gain = amplifier.gain / (1 + amplifier.gain);
    return {feedback / (1 + amplifier.gain), gain * amplifier.offset, gain,
            gain * amplifier.offset};
}

Wires with_input_resistance(const Wires& wires, double resistance) {
    if (wires.sense_at == SenseSide::both)
        throw InvalidInput("array.sense_at",
                           "op-amps are folded into operators where bit lines are read at one end; "
                           "choose bottom or top, or readout.kind = ideal");
    Wires result = wires;
    result.sense = LineResistance(CellMatrix(wires.sense.values().array() + resistance));
    return result;
}

}  // namespace kirchnet
