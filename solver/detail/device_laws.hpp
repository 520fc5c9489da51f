#pragma once

#include "circuit/circuit.hpp"

namespace kirchnet::detail {

/// A value and its slope to the one voltage it depends on.
struct LawPoint {
    long double value = 0;
    double slope = 0;
};

LawPoint cell_current(const NonlinearCell& cell, long double drop);
LawPoint dead_zone_current(const DeadZoneConductor& conductor, long double drop);
LawPoint smooth_limit(const SmoothLimiter& limiter, long double input);
/// The slope is that towards larger |input| at the corners.
LawPoint hard_limit(const HardLimiter& limiter, long double input);
/// The slope is 0, as it is everywhere but at the steps.
LawPoint quantize(const Quantizer& converter, long double input);

/// Drain current and its slopes to drain, gate and source voltage.
struct NmosPoint {
    long double current = 0;
    double drain = 0;
    double gate = 0;
    double source = 0;
};
NmosPoint nmos_current(const Nmos& transistor, long double drain, long double gate,
                       long double source);

}  // namespace kirchnet::detail
