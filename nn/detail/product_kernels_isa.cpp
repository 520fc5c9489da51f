// Compiled once per instruction set; KIRCHNET_ISA names the set. Vector types and plain pointers
// alone, so that the linker cannot pick code with wider registers for a processor that lacks them.
//
// A tile's product runs in register tiles of outputs by columns. While a register tile is at hand,
// its samples are converted and added to the layer's sum: products never go to memory.
#include "nn/detail/product_kernels.hpp"

#if defined(KIRCHNET_ISA_avx512) || defined(KIRCHNET_ISA_avx2)
#include <immintrin.h>
#endif

#define KIRCHNET_TEXT_OF(name) #name
#define KIRCHNET_TEXT(name) KIRCHNET_TEXT_OF(name)

namespace kirchnet::detail::KIRCHNET_ISA {
namespace {

#if defined(KIRCHNET_ISA_avx512)
constexpr std::size_t lanes = 16;
constexpr std::size_t most_outputs = 8;  // of a register tile
constexpr std::size_t most_vectors = 3;  // of its columns
#elif defined(KIRCHNET_ISA_avx2)
constexpr std::size_t lanes = 8;
constexpr std::size_t most_outputs = 4;
constexpr std::size_t most_vectors = 3;
#else
constexpr std::size_t lanes = 4;
constexpr std::size_t most_outputs = 4;
constexpr std::size_t most_vectors = 2;
#endif

using Vec = float __attribute__((vector_size(lanes * sizeof(float))));
using Ints = std::int32_t __attribute__((vector_size(lanes * sizeof(float))));
using Unaligned = float __attribute__((vector_size(lanes * sizeof(float)), aligned(4), may_alias));
using UnalignedInts =
    std::int32_t __attribute__((vector_size(lanes * sizeof(float)), aligned(4), may_alias));

inline Vec load(const float* from) {
    return *reinterpret_cast<const Unaligned*>(from);
}
inline void store(float* to, Vec value) {
    *reinterpret_cast<Unaligned*>(to) = value;
}
inline Ints load_mask(const std::int32_t* from) {
    return *reinterpret_cast<const UnalignedInts*>(from);
}
inline Vec broadcast(float value) {
    return value - Vec{};
}

#if defined(KIRCHNET_ISA_avx512)
inline Vec lesser(Vec x, Vec y) {
    return _mm512_min_ps(x, y);
}
inline Vec greater(Vec x, Vec y) {
    return _mm512_max_ps(x, y);
}
inline Vec round_down(Vec x) {
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
/// counts - mask where x and y differ.
inline Ints subtract_where_different(Ints counts, Vec x, Vec y, Ints mask) {
    const __mmask16 different = _mm512_cmp_ps_mask(x, y, _CMP_NEQ_UQ);
    const auto before = reinterpret_cast<__m512i>(counts);
    return reinterpret_cast<Ints>(
        _mm512_mask_sub_epi32(before, different, before, reinterpret_cast<__m512i>(mask)));
}
#else
#if defined(KIRCHNET_ISA_avx2)
inline Vec lesser(Vec x, Vec y) {
    return _mm256_min_ps(x, y);
}
inline Vec greater(Vec x, Vec y) {
    return _mm256_max_ps(x, y);
}
inline Vec round_down(Vec x) {
    return _mm256_floor_ps(x);
}
#else
inline Vec lesser(Vec x, Vec y) {
    return x < y ? x : y;
}
inline Vec greater(Vec x, Vec y) {
    return x > y ? x : y;
}
/// Of values within the range of 32-bit integers.
inline Vec round_down(Vec x) {
    const Vec whole = __builtin_convertvector(__builtin_convertvector(x, Ints), Vec);
    return whole > x ? whole - 1.0F : whole;
}
#endif
/// counts - mask where x and y differ.
inline Ints subtract_where_different(Ints counts, Vec x, Vec y, Ints mask) {
    return counts - ((x != y) & mask);
}
#endif

template <std::size_t Outputs, std::size_t Vectors>
using Tile = Vec[Outputs][Vectors];

/// y = W X for `Outputs` outputs of one block and `Vectors` vectors of columns.
template <std::size_t Outputs, std::size_t Vectors>
inline void multiply(const float* weights, const float* const* inputs, std::size_t rows,
                     std::size_t column, Tile<Outputs, Vectors>& y) {
#pragma GCC unroll 8
    for (std::size_t j = 0; j < Outputs; ++j)
#pragma GCC unroll 3
        for (std::size_t v = 0; v < Vectors; ++v) y[j][v] = Vec{};
    for (std::size_t k = 0; k < rows; ++k, weights += output_block) {
        const float* const from = inputs[k] + column;
        Vec x[Vectors];
#pragma GCC unroll 3
        for (std::size_t v = 0; v < Vectors; ++v) x[v] = load(from + v * lanes);
#pragma GCC unroll 8
        for (std::size_t j = 0; j < Outputs; ++j) {
            const Vec w = broadcast(weights[j]);
#pragma GCC unroll 3
            for (std::size_t v = 0; v < Vectors; ++v) y[j][v] += w * x[v];
        }
    }
}

struct Add {
    Vec operator()(Vec product, const std::int32_t* /*valid*/) { return product; }
};

struct Convert {
    explicit Convert(const AdcCodes& adc)
        : inverse_lsb(broadcast(adc.inverse_lsb)),
          lsb(broadcast(adc.lsb)),
          lowest(broadcast(adc.lowest)),
          // The last float below highest + 1: rounded down it is the highest code.
          below_clipping(broadcast((adc.highest + 1.0F) * (1.0F - 0x1p-24F))) {}

    Vec operator()(Vec product, const std::int32_t* valid) {
        const Vec code = product * inverse_lsb + 0.5F;
        const Vec kept = lesser(greater(code, lowest), below_clipping);
        clipped = subtract_where_different(clipped, code, kept, load_mask(valid));
        return round_down(kept) * lsb;
    }

    Vec inverse_lsb;
    Vec lsb;
    Vec lowest;
    Vec below_clipping;
    Ints clipped{};
};

struct Observe {
    Vec largest{};

    Vec operator()(Vec product, const std::int32_t* valid) {
        const Vec magnitude = product < 0.0F ? -product : product;
        const Vec counted = load_mask(valid) != 0 ? magnitude : Vec{};
        largest = counted > largest ? counted : largest;
        return product;
    }
};

/// A tile's product over a strip of columns, every sample through `finish` and into the sum.
template <std::size_t Vectors, typename Finish>
class Strip {
  public:
    Strip(const TileProduct& tile, std::size_t column, Finish& finish)
        : tile_(tile), column_(column), finish_(finish) {}

    void run() {
        std::size_t output = 0;
        while (output + most_outputs <= tile_.outputs) output = take<most_outputs>(output);
        if constexpr (most_outputs > 4)
            if (output + 4 <= tile_.outputs) output = take<4>(output);
        if (output + 2 <= tile_.outputs) output = take<2>(output);
        if (output < tile_.outputs) take<1>(output);
    }

  private:
    template <std::size_t Outputs>
    std::size_t take(std::size_t output) {
        Tile<Outputs, Vectors> y;
        const float* const weights = tile_.weights +
                                     output / output_block * output_block * tile_.rows +
                                     output % output_block;
        multiply<Outputs, Vectors>(weights, tile_.inputs, tile_.rows, column_, y);
#pragma GCC unroll 8
        for (std::size_t j = 0; j < Outputs; ++j)
#pragma GCC unroll 3
            for (std::size_t v = 0; v < Vectors; ++v) {
                const std::size_t column = column_ + v * lanes;
                float* const sum = tile_.sum + (output + j) * tile_.stride + column;
                store(sum, load(sum) + finish_(y[j][v], tile_.valid + column));
            }
        return output + Outputs;
    }

    const TileProduct& tile_;
    std::size_t column_;
    Finish& finish_;
};

template <typename Finish>
inline void run(const TileProduct& tile, Finish& finish) {
    std::size_t column = 0;
    for (; column + (most_vectors - 1) * lanes < tile.columns; column += most_vectors * lanes)
        Strip<most_vectors, Finish>(tile, column, finish).run();
    if constexpr (most_vectors > 2)
        if (column + lanes < tile.columns) {
            Strip<2, Finish>(tile, column, finish).run();
            return;
        }
    if (column < tile.columns) Strip<1, Finish>(tile, column, finish).run();
}

void convert(const float* in, std::size_t size, const DacCodes& dac, float* out) {
    for (std::size_t i = 0; i < size; ++i) {
        const float code = __builtin_floorf(in[i] * dac.codes_per_unit + 0.5F);
        const float low = code < dac.lowest ? dac.lowest : code;
        out[i] = (low > dac.highest ? dac.highest : low) * dac.step;
    }
}

/// Runs one after the other, each for all rows: what a run writes past its end is written over by
/// the next, or lies in the row's slack.
void copy(const PatchRows& patches) {
    for (std::size_t i = 0; i < patches.run_count; ++i) {
        const ColumnRun& run = patches.runs[i];
        for (std::size_t c = 0; c < run.length; c += lanes) {
            const float* const from = patches.planes + run.plane + c;
            float* to = patches.out + run.column + c;
            for (std::size_t k = 0; k < patches.rows; ++k, to += patches.stride)
                store(to, load(from + patches.offset[k]));
        }
    }
}

void add(const TileProduct& tile) {
    Add finish;
    run(tile, finish);
}

std::uint64_t add_converted(const TileProduct& tile, const AdcCodes& adc) {
    Convert finish(adc);
    run(tile, finish);
    std::uint64_t clipped = 0;
    for (std::size_t i = 0; i < lanes; ++i)
        clipped += static_cast<std::uint64_t>(finish.clipped[i]);
    return clipped;
}

float add_observed(const TileProduct& tile) {
    Observe finish;
    run(tile, finish);
    float largest = 0;
    for (std::size_t i = 0; i < lanes; ++i)
        largest = finish.largest[i] > largest ? finish.largest[i] : largest;
    return largest;
}

}  // namespace

extern const ProductKernels kernels;
constinit const ProductKernels kernels{
    KIRCHNET_TEXT(KIRCHNET_ISA), convert, copy, add, add_converted, add_observed};

}  // namespace kirchnet::detail::KIRCHNET_ISA
