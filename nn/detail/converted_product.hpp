#pragma once

#include "nn/detail/driver_buffers.hpp"

namespace kirchnet::detail {

/// Codes of an ADC; the kernels then add whole codes where `lsb` is 1.
AdcCodes adc_codes(const Adc& adc, double lsb);

/// Which product is converted.
struct Conversion {
    std::size_t tile = 0;  ///< within the layer's operators
    std::size_t side = 0;  ///< 1: b
    std::size_t read = 0;
    double lsb = 1;  ///< what a code adds to the sum
};

/// sum += lsb code(W X) by the layer's ADCs: the kernels' where these are ideal, sample by sample
/// elsewhere.
/// @return  how many samples were clipped
std::uint64_t add_converted(const LayerDriver& driver, DriverWorkspace::Buffers& buffers,
                            const TileProduct& product, const Conversion& conversion);

}  // namespace kirchnet::detail
