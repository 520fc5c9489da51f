// Compiled once per instruction set; KIRCHNET_ISA names the set.
#include "bench/support/peak_fma.hpp"

namespace kirchnet::bench::KIRCHNET_ISA {
namespace {

#if defined(KIRCHNET_ISA_avx512)
constexpr std::size_t lanes = 16;
#elif defined(KIRCHNET_ISA_avx2)
constexpr std::size_t lanes = 8;
#else
constexpr std::size_t lanes = 4;
#endif

/// Two units of latency 4 to 5 need ten sums at once; all sets have sixteen registers.
constexpr std::size_t sums = 12;

using Vec = float __attribute__((vector_size(lanes * sizeof(float))));

float run(std::size_t rounds, float factor) {
    const Vec x = factor - Vec{};
    Vec sum[sums];
#pragma GCC unroll 12
    for (std::size_t i = 0; i < sums; ++i) sum[i] = x * static_cast<float>(i);
    for (std::size_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
        for (std::size_t i = 0; i < sums; ++i) {
            sum[i] = sum[i] * x + x;
            asm volatile("" : "+x"(sum[i]));  // keeps each in a register of its own
        }
    }
    float total = 0;
#pragma GCC unroll 12
    for (std::size_t i = 0; i < sums; ++i) total += sum[i][0];
    return total;
}

}  // namespace

extern const PeakLoop loop;
constinit const PeakLoop loop{run, 2.0 * sums* lanes};

}  // namespace kirchnet::bench::KIRCHNET_ISA
