// With four independent normal numbers z per cell, keyed by seed and layer and counted by trial and
// cell:
//   programmed  G_p = max(0, G exp(s_v z_0) + (a span + b G) z_1)   variation, programming error
//   drifted     G_t = G_p (t / t0)^-(nu + s_nu z_2)
//   read        G_r = max(0, G_t (1 + s_r z_3))
// Each law has a number of its own, so switching one on or off leaves the others' samples alone.
#include "circuit/variation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "circuit/cell_counter.hpp"
#include "circuit/detail/checks.hpp"
#include "circuit/error.hpp"
#include "circuit/random.hpp"

namespace kirchnet {

using detail::check_not_negative;

bool DeviceLaws::is_on() const {
    return variation != 0 || programming_error != 0 || programming_slope != 0 || read_noise != 0 ||
           has_drift();
}

bool DeviceLaws::is_random() const {
    DeviceLaws without_common_drift = *this;
    without_common_drift.drift_nu = 0;
    return without_common_drift.is_on();
}

void check(const DeviceLaws& laws) {
    check_not_negative(laws.variation, "device variation");
    check_not_negative(laws.programming_error, "programming error");
    check_not_negative(laws.programming_slope, "programming slope");
    check_not_negative(laws.read_noise, "read noise");
    check_not_negative(laws.drift_spread, "drift spread");
    if (!std::isfinite(laws.drift_nu))
        throw InvalidInput("drift exponent", fmt::format("{} is not finite", laws.drift_nu));
    if (!(laws.time_ratio > 0) || !std::isfinite(laws.time_ratio))
        throw InvalidInput("drift time ratio",
                           fmt::format("{} is not a finite number above 0", laws.time_ratio));
}

double varied_conductance(const DeviceDraw& draw, std::string_view layer, const CellIdentity& cell,
                          double intended, const DeviceRange& device) {
    const DeviceLaws& law = draw.laws;
    if (!law.is_on()) return intended;
    const auto z = keyed_normals(draw.seed, stream_of(layer),
                                 cell_counter(draw.trial, CellPurpose::device_laws, cell));
    const double spread = law.programming_error * device.span() + law.programming_slope * intended;
    const double programmed =
        std::max(0.0, intended * std::exp(law.variation * z[0]) + spread * z[1]);
    const double exponent = law.drift_nu + law.drift_spread * z[2];
    const double drifted = programmed * std::pow(law.time_ratio, -exponent);
    return std::max(0.0, drifted * (1 + law.read_noise * z[3]));
}

}  // namespace kirchnet
