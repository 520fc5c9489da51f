// An amplifier of gain A and offset V_os at its other input holds its inverting input at
// v = V_os - v_o / A; the column's current I flows on through R_f, v_o = v - I R_f. So
//   v = V_os A / (1 + A) + I R_f / (1 + A),   v_o = A / (1 + A) (V_os - I R_f):
// a voltage behind a resistance. The difference amplifier, with k = R4 / (R3 + R4) and
// m = R1 / (R1 + R2), stands at v_d = A (k v_a + V_os - (1 - m) v_b - m v_d), so
//   v_d = (k v_a - (1 - m) v_b + V_os) / (m + 1 / A).
#include "circuit/linear_readout.hpp"

#include <fmt/format.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/random.hpp"

namespace kirchnet {
namespace {

constexpr std::uint64_t bridge_purpose = 5;  // 1 to 4 are cells', see cell_counter.cpp

void check_positive(double value, std::string_view what) {
    if (!(value > 0) || !std::isfinite(value))
        throw InvalidInput(std::string(what),
                           fmt::format("{} is not a finite number above 0", value));
}

}  // namespace

void check(const LinearReadout& readout) {
    check_positive(readout.circuit.amplifier.gain, "op-amp gain");
    check_positive(readout.circuit.amplifier.swing, "op-amp swing");
    check_positive(readout.circuit.bridge_resistance, "subtractor bridge resistance");
    check_positive(readout.read_voltage, "read voltage");
    if (readout.circuit.feedback_resistance != 0)
        check_positive(readout.circuit.feedback_resistance, "feedback resistance");
    if (!std::isfinite(readout.circuit.amplifier.offset))
        throw InvalidInput("op-amp offset",
                           fmt::format("{} V is not finite", readout.circuit.amplifier.offset));
    if (!(readout.mismatch >= 0) || !std::isfinite(readout.mismatch))
        throw InvalidInput(
            "resistor mismatch",
            fmt::format("{} is not a finite number of at least 0", readout.mismatch));
}

BridgeResistors draw_bridge(const LinearReadout& readout, std::string_view layer,
                            std::int32_t tile_row, std::int32_t output_channel) {
    const double r = readout.circuit.bridge_resistance;
    if (readout.mismatch == 0) return {r, r, r, r};
    const auto z =
        keyed_normals(readout.seed, stream_of(layer),
                      {{static_cast<std::uint64_t>(readout.trial) << 32 | bridge_purpose,
                        static_cast<std::uint64_t>(static_cast<std::uint32_t>(tile_row)) << 32 |
                            static_cast<std::uint32_t>(output_channel),
                        0, 0}});
    const auto resistance = [&](double number) {
        const double value = r * (1 + readout.mismatch * number);
        check_positive(value, "resistor of a subtractor (is the mismatch too large?)");
        return value;
    };
    return {resistance(z[0]), resistance(z[1]), resistance(z[2]), resistance(z[3])};
}

SubtractorGains subtractor_gains(const OpAmp& amplifier, const BridgeResistors& bridge) {
    const double k = bridge.r4 / (bridge.r3 + bridge.r4);
    const double m = bridge.r1 / (bridge.r1 + bridge.r2);
    const double loop = m + 1 / amplifier.gain;
    return {k / loop, (1 - m) / loop, amplifier.offset / loop};
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
