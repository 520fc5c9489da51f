// The laws that circuit/circuit.hpp states, with their slopes.
#include "solver/detail/device_laws.hpp"

#include <algorithm>
#include <cmath>

namespace kirchnet::detail {
namespace {

/// Shichman and Hodges with v_ds >= 0; slopes to v_ds and v_gs.
struct ForwardNmos {
    long double current = 0;
    double to_drain = 0;
    double to_gate = 0;
};

ForwardNmos forward(const Nmos& transistor, long double v_ds, long double v_gs) {
    const long double over = v_gs - transistor.threshold;
    if (over <= 0) return {};
    const long double beta = transistor.beta;
    const long double widening = 1 + transistor.modulation * v_ds;
    // The channel ends where v_ds takes the overdrive: saturation.
    const long double used = std::min(v_ds, over);
    const long double channel = beta * (over - used / 2) * used;
    const long double channel_slope = v_ds < over ? beta * (over - v_ds) : 0.0L;
    return {channel * widening,
            static_cast<double>(channel_slope * widening + channel * transistor.modulation),
            static_cast<double>(beta * used * widening)};
}

}  // namespace

LawPoint cell_current(const NonlinearCell& cell, long double drop) {
    if (cell.law.is_linear()) return {cell.conductance * drop, cell.conductance};
    const auto voltage = static_cast<double>(drop);
    return {cell.law.current(cell.conductance, voltage),
            cell.law.derivative(cell.conductance, voltage)};
}

LawPoint dead_zone_current(const DeadZoneConductor& conductor, long double drop) {
    if (std::abs(drop) <= conductor.width) return {};
    const long double beyond = drop - std::copysign(conductor.width, static_cast<double>(drop));
    return {conductor.conductance * beyond, conductor.conductance};
}

LawPoint smooth_limit(const SmoothLimiter& limiter, long double input) {
    const long double tangent = std::tanh(input / limiter.swing);
    const long double falling = 1 / std::cosh(input / limiter.swing);
    return {limiter.swing * tangent, static_cast<double>(falling * falling)};
}

LawPoint hard_limit(const HardLimiter& limiter, long double input) {
    if (std::abs(input) < limiter.swing) return {input, 1};
    return {std::copysign(limiter.swing, static_cast<double>(input)), 0};
}

LawPoint quantize(const Quantizer& converter, long double input) {
    return {code_of(converter, static_cast<double>(input)), 0};
}

NmosPoint nmos_current(const Nmos& transistor, long double drain, long double gate,
                       long double source) {
    if (drain >= source) {
        const ForwardNmos on = forward(transistor, drain - source, gate - source);
        return {on.current, on.to_drain, on.to_gate, -on.to_drain - on.to_gate};
    }
    const ForwardNmos on = forward(transistor, source - drain, gate - drain);
    return {-on.current, on.to_drain + on.to_gate, -on.to_gate, -on.to_drain};
}

}  // namespace kirchnet::detail
