#pragma once

#include <cstdint>
#include <string_view>

#include "circuit/faults.hpp"
#include "circuit/mapping.hpp"

namespace kirchnet {

/// Why the cells of a chip do not conduct what was intended, though they work. All zero: they do.
/// docs/methods/device-laws.md derives each law and says where it comes from.
struct DeviceLaws {
    /// Device-to-device variation: standard deviation of ln G, one factor per device of the chip.
    double variation = 0;
    /// Programming error: standard deviation (error * span + slope * G), of a normal number added.
    double programming_error = 0;  ///< share of G_on - G_off
    double programming_slope = 0;  ///< share of the intended conductance
    /// Read noise: standard deviation relative to G; one sample per cell and trial.
    double read_noise = 0;
    /// Drift: G(t) = G(t0) (t / t0)^-nu; nu is normal with this mean and standard deviation.
    double drift_nu = 0;
    double drift_spread = 0;
    double time_ratio = 1;  ///< t / t0, time of reading over time of programming

    [[nodiscard]] bool has_drift() const {
        return time_ratio != 1 && (drift_nu != 0 || drift_spread != 0);
    }
    /// Whether any law changes any conductance.
    [[nodiscard]] bool is_on() const;
    /// Whether trials differ: drift of one exponent alone is the same in all.
    [[nodiscard]] bool is_random() const;

    friend bool operator==(const DeviceLaws&, const DeviceLaws&) = default;
};

/// @throws InvalidInput  naming the law, unless all are finite, none is negative (a drift exponent
///                       may be) and the time ratio is above 0
void check(const DeviceLaws& laws);

/// The cells of one chip out of many: the same (seed, trial) gives the same conductances on any
/// thread or shard.
struct DeviceDraw {
    DeviceLaws laws = {};
    std::uint64_t seed = 1;
    std::uint32_t trial = 0;

    friend bool operator==(const DeviceDraw&, const DeviceDraw&) = default;
};

/// What a working cell conducts [S], at least 0: a pure function of (seed, trial, layer, cell) and
/// of what was intended, never of an earlier result. With all laws off it is `intended` itself.
/// @param intended  [S]
double varied_conductance(const DeviceDraw& draw, std::string_view layer, const CellIdentity& cell,
                          double intended, const DeviceRange& device);

}  // namespace kirchnet
