#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace kirchnet::detail {

/// Columns (output positions) that run through a layer together: what they need stays in cache. A
/// layer whose own weights do not, takes more at once, so that they are read less often.
inline constexpr std::size_t column_block = 96;
inline constexpr std::size_t wide_column_block = 256;
/// Blocks are filled up to a multiple of this, the widest vector.
inline constexpr std::size_t column_step = 16;
/// Outputs whose weights lie together.
inline constexpr std::size_t output_block = 8;

/// A tile's weights in the order the kernels read them: [blocks of outputs × rows × 8], zeros for
/// the outputs that the last block lacks.
/// @param weights  [outputs × rows]
std::vector<float> pack_weights(const std::vector<float>& weights, std::size_t outputs,
                                std::size_t rows);

/// A run of output positions in one row of one image.
struct ColumnRun {
    std::size_t column;  ///< first column within its block
    std::size_t plane;   ///< where a plane has the first, before the kernel position's shift
    std::size_t length;
};

/// Rows of a patch matrix to be copied together: runs of columns that follow one another.
struct PatchRows {
    const float* planes;
    const std::size_t* offset;  ///< [rows] where a row's plane begins, shifted
    std::size_t rows;
    const ColumnRun* runs;
    std::size_t run_count;
    float* out;          ///< [rows × stride]
    std::size_t stride;  ///< columns of a block and `column_step` of slack
};

/// One tile times one block of columns.
struct TileProduct {
    const float* weights;  ///< packed
    std::size_t outputs;
    std::size_t rows;
    const float* const* inputs;  ///< [rows] where each row's columns begin; `stride` readable
    const std::int32_t* valid;   ///< [stride], -1 for columns that count, 0 for others
    std::size_t columns;         ///< up to the last that counts
    float* sum;                  ///< [outputs × stride], added to
    std::size_t stride;          ///< columns of a block, a multiple of `column_step`
};

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
    /// out = step * clamp(floor(in * codes_per_unit + 1/2), lowest, highest); may work in place.
    void (*convert)(const float* in, std::size_t size, const DacCodes&, float* out);
    /// Reads and writes up to `column_step` past the end of a run.
    void (*copy)(const PatchRows&);
    /// sum += W X
    void (*add)(const TileProduct&);
    /// sum += lsb * code(W X); returns how many samples of valid columns were clipped.
    std::uint64_t (*add_converted)(const TileProduct&, const AdcCodes&);
    /// sum += W X; returns the largest |W X| of valid columns.
    float (*add_observed)(const TileProduct&);
};

/// The best kernels this processor runs.
const ProductKernels& product_kernels();

/// All kernels this processor runs, baseline first.
std::vector<const ProductKernels*> available_kernels();

}  // namespace kirchnet::detail
