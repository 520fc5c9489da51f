#pragma once

#include "nn/converters.hpp"
#include "nn/detail/product_kernels.hpp"

namespace kirchnet::detail {

/// Converters as the kernels take them; both have bits.
inline DacCodes codes_of(const Dac& dac) {
    const double levels = dac.levels();
    return {static_cast<float>(levels / dac.range), static_cast<float>(1 / levels),
            static_cast<float>(dac.is_signed ? -levels : 0), static_cast<float>(levels)};
}

inline AdcCodes codes_of(const Adc& adc) {
    return {static_cast<float>(1 / adc.lsb()), static_cast<float>(adc.lsb()),
            static_cast<float>(adc.lowest_code()), static_cast<float>(adc.highest_code())};
}

}  // namespace kirchnet::detail
