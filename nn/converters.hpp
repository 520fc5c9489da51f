#pragma once

#include <cstdint>

#include "circuit/geometry.hpp"

namespace kirchnet {

/// Digital-to-analog conversion of a layer's inputs: value x becomes the read voltage
/// V_r * code / levels with code = clamp(floor(x levels / range + 1/2)). Signed inputs use both
/// signs of the read voltage.
struct Dac {
    int bits = 8;            ///< 0: continuous
    double range = 1;        ///< |x| that drives the full read voltage
    bool is_signed = false;  ///< whether the layer sees negative inputs

    /// Codes from 0 to this: 2^bits - 1, or 2^(bits-1) - 1 on each side when signed.
    [[nodiscard]] double levels() const;
};

/// The share of the read voltage that stands for `value`: in [-1, 1], or unbounded when continuous.
double dac_fraction(const Dac& dac, double value);

/// Analog-to-digital conversion: code = clamp(floor(v / lsb + 1/2), lowest, highest).
struct Adc {
    int bits = 8;           ///< 0: continuous
    double range = 1;       ///< magnitude that still converts without clipping
    bool is_signed = true;  ///< after a subtractor, or with signed inputs

    [[nodiscard]] double highest_code() const;
    [[nodiscard]] double lowest_code() const;
    [[nodiscard]] double lsb() const { return range / highest_code(); }
};

/// @throws InvalidInput  unless bits is 0 or 1 to 16 (signed converters need 2)
void check(const Dac& dac);
void check(const Adc& adc);

}  // namespace kirchnet
