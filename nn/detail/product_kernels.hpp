#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace kirchnet::detail {

/// One tile's product and where its result goes. All matrices row-major, no gaps but `stride`.
struct TileProduct {
    const float* weights;  ///< [outputs × rows]
    std::size_t outputs;
    std::size_t rows;
    const float* inputs;  ///< [rows × columns]
    std::size_t columns;
    std::size_t stride;  ///< of inputs and sum: distance between their rows
    float* sum;          ///< [outputs × columns], added to
    float* scratch;      ///< at least outputs * scratch_columns floats
};

/// Columns one kernel call works on at a time, so that product and scratch stay in cache.
inline constexpr std::size_t scratch_columns = 256;

struct AdcCodes {
    float inverse_lsb;
    float lsb;
    float lowest;
    float highest;
};

struct DacCodes {
    float codes_per_unit;  ///< levels / range
    float step;            ///< 1 / levels: one code as a fraction of the read voltage
    float lowest;
    float highest;
};

/// The inner loops of inference, compiled once per instruction set and chosen at run time.
struct ProductKernels {
    std::string_view instruction_set;
    /// out = step * clamp(floor(in * codes_per_unit + 1/2), lowest, highest)
    void (*convert)(const float* in, std::size_t size, const DacCodes&, float* out);
    /// sum += W X
    void (*add)(const TileProduct&);
    /// sum += lsb * code(W X); returns how many samples were clipped.
    std::uint64_t (*add_converted)(const TileProduct&, const AdcCodes&);
    /// sum += W X; returns the largest |W X|.
    float (*add_observed)(const TileProduct&);
};

/// The kernels of `best_instruction_set()`.
const ProductKernels& product_kernels();

/// All kernels this processor runs, baseline first.
std::vector<const ProductKernels*> available_kernels();

}  // namespace kirchnet::detail
