// The macromodel's inner stage carries g_m (drive / A0) into its load A0 / g_m and, beyond three
// times the swing, into 1e-3 S: with g_m = 1e-6 S, drive = x + 1000 A0 (|x| - 3 swing) sign(x).
// Its inner voltage x meets the limit, v_o = swing tanh(x / swing) or x held within ± swing.
//
// A difference amplifier stands where drive / A0 = k v_a - (1 - m) v_b + V_os - m v_d, with k and m
// as in linear_readout.cpp: a rising function of the drive, v_d(drive) m + drive / A0, meets a
// constant.
#include "circuit/amplifier_law.hpp"

#include <algorithm>
#include <cmath>

namespace kirchnet {
namespace {

constexpr double clamp_per_gain = 1e3;  // of the clamp's 1e-3 S to the input stage's 1e-6 S
constexpr double clamp_at = 3;          // swings

struct Inner {
    double voltage;
    double slope;
};

Inner inner_voltage(const OpAmp& amplifier, double drive) {
    const double knee = clamp_at * amplifier.swing;
    if (std::abs(drive) <= knee) return {drive, 1};
    const double slope = 1 / (1 + clamp_per_gain * amplifier.gain);
    return {std::copysign(knee + slope * (std::abs(drive) - knee), drive), slope};
}

}  // namespace

AmplifierPoint amplifier_output(const OpAmp& amplifier, double drive) {
    const Inner inner = inner_voltage(amplifier, drive);
    const double part = inner.voltage / amplifier.swing;
    if (amplifier.limit == SwingLimit::smooth) {
        const double falling = 1 / std::cosh(part);
        return {amplifier.swing * std::tanh(part), falling * falling * inner.slope};
    }
    if (std::abs(part) < 1) return {inner.voltage, inner.slope};
    return {std::copysign(amplifier.swing, drive), 0};
}

double amplifier_drive(const OpAmp& amplifier, double output) {
    return amplifier.limit == SwingLimit::smooth
               ? amplifier.swing * std::atanh(output / amplifier.swing)
               : output;
}

double loaded_drive(const OpAmp& amplifier, double load, double wanted) {
    const double swing = amplifier.swing;
    if (amplifier.limit == SwingLimit::hard)
        return std::abs(wanted) <= swing * (1 + load)
                   ? wanted / (1 + load)
                   : (wanted - std::copysign(swing, wanted)) / load;
    double low = (wanted - swing) / load;
    double high = (wanted + swing) / load;
    constexpr double invertible = 0.99;
    double drive = std::abs(wanted) < invertible * swing
                       ? std::clamp(amplifier_drive(amplifier, wanted), low, high)
                       : std::copysign(std::max(std::abs(wanted) - swing, 0.0) / load, wanted);
    constexpr int most = 200;  // halvings alone take 100
    for (int step = 0; step < most; ++step) {
        const AmplifierPoint point = amplifier_output(amplifier, drive);
        const double excess = load * drive + point.output - wanted;
        (excess > 0 ? high : low) = drive;
        const double next = drive - excess / (load + point.slope);
        const double inside = next > low && next < high ? next : low + (high - low) / 2;
        if (inside == drive || excess == 0) break;
        drive = inside;
    }
    return drive;
}

AmplifierPoint difference_output(const OpAmp& amplifier, const PairSubtractor& subtractor, double a,
                                 double b) {
    const BridgeResistors& bridge = subtractor.bridge;
    const double k = bridge.r4 / (bridge.r3 + bridge.r4);
    const double m = bridge.r1 / (bridge.r1 + bridge.r2);
    const double wanted = k * a - (1 - m) * b + subtractor.offset;
    return amplifier_output(amplifier,
                            loaded_drive(amplifier, 1 / (amplifier.gain * m), wanted / m));
}

}  // namespace kirchnet
