// Compiled once per instruction set. KIRCHNET_ISA names the set; Eigen is given a namespace of its
// own there (-DEigen=...), so that no template instantiated with wider registers can be picked by
// the linker for code that must run on any x86-64. Only plain pointers cross the border.
#include <Eigen/Core>

#include "nn/detail/product_kernels.hpp"

#define KIRCHNET_TEXT_OF(name) #name
#define KIRCHNET_TEXT(name) KIRCHNET_TEXT_OF(name)

namespace kirchnet::detail::KIRCHNET_ISA {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Strided = Eigen::OuterStride<>;

Eigen::Index signed_size(std::size_t size) {
    return static_cast<Eigen::Index>(size);
}

/// Calls `consume(sum_row, product_row, width)` for every output row of every column block.
template <typename Consume>
void for_each_product_row(const TileProduct& tile, Consume consume) {
    const Eigen::Map<const Matrix> W(tile.weights, signed_size(tile.outputs),
                                     signed_size(tile.rows));
    for (std::size_t first = 0; first < tile.columns; first += scratch_columns) {
        const std::size_t width =
            tile.columns - first < scratch_columns ? tile.columns - first : scratch_columns;
        const Eigen::Map<const Matrix, 0, Strided> X(tile.inputs + first, signed_size(tile.rows),
                                                     signed_size(width),
                                                     Strided(signed_size(tile.stride)));
        Eigen::Map<Matrix> Y(tile.scratch, signed_size(tile.outputs), signed_size(width));
        Y.noalias() = W * X;
        for (std::size_t j = 0; j < tile.outputs; ++j)
            consume(tile.sum + j * tile.stride + first, tile.scratch + j * width, width);
    }
}

void convert(const float* in, std::size_t size, const DacCodes& dac, float* out) {
    for (std::size_t i = 0; i < size; ++i) {
        const float code = __builtin_floorf(in[i] * dac.codes_per_unit + 0.5F);
        const float low = code < dac.lowest ? dac.lowest : code;
        out[i] = (low > dac.highest ? dac.highest : low) * dac.step;
    }
}

void add(const TileProduct& tile) {
    for_each_product_row(tile, [](float* sum, const float* product, std::size_t width) {
        for (std::size_t i = 0; i < width; ++i) sum[i] += product[i];
    });
}

std::uint64_t add_converted(const TileProduct& tile, const AdcCodes& adc) {
    std::uint64_t clipped = 0;
    for_each_product_row(tile, [&](float* sum, const float* product, std::size_t width) {
        std::int32_t outside = 0;
        for (std::size_t i = 0; i < width; ++i) {
            const float code = __builtin_floorf(product[i] * adc.inverse_lsb + 0.5F);
            const float low = code < adc.lowest ? adc.lowest : code;
            const float kept = low > adc.highest ? adc.highest : low;
            outside += kept != code ? 1 : 0;
            sum[i] += kept * adc.lsb;
        }
        clipped += static_cast<std::uint64_t>(outside);
    });
    return clipped;
}

float add_observed(const TileProduct& tile) {
    float largest = 0;
    for_each_product_row(tile, [&](float* sum, const float* product, std::size_t width) {
        for (std::size_t i = 0; i < width; ++i) {
            const float magnitude = __builtin_fabsf(product[i]);
            largest = magnitude > largest ? magnitude : largest;
            sum[i] += product[i];
        }
    });
    return largest;
}

}  // namespace

extern const ProductKernels kernels;
const ProductKernels kernels{KIRCHNET_TEXT(KIRCHNET_ISA), convert, add, add_converted,
                             add_observed};

}  // namespace kirchnet::detail::KIRCHNET_ISA
