#pragma once

#include <cstdint>

#include "nn/converter_settings.hpp"
#include "nn/inference.hpp"

namespace kirchnet {

/// What reading one image costs on the chip.
struct ReadTiming {
    std::uint64_t conversions = 0;  ///< samples that ADCs take
    std::uint64_t reads = 0;        ///< times that word lines are driven, one after the other
    double seconds = 0;             ///< 0 where no times are given
};

/// All arrays of a layer are read at once, layers one after the other, an output position at a
/// time: each takes a read per input digit and pass, and a read
/// max(columns_per_adc / adc_rate, cycle_time).
ReadTiming read_timing(const Drivers& drivers, const ConverterTiming& timing);

}  // namespace kirchnet
