// Registers of doubles, one input per lane, by compiler vector extensions. For sources compiled
// once per instruction set alone: everything sits in a namespace of the set's name.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kirchnet::detail::KIRCHNET_ISA {

#if defined(KIRCHNET_ISA_avx512)
inline constexpr std::size_t lanes = 8;
#elif defined(KIRCHNET_ISA_avx2)
inline constexpr std::size_t lanes = 4;
#else
inline constexpr std::size_t lanes = 2;
#endif

using Lanes = double __attribute__((vector_size(lanes * sizeof(double)), may_alias));
using Bits = std::int64_t __attribute__((vector_size(lanes * sizeof(double)), may_alias));

/// x - 0 is x, a negative zero too, so that no arithmetic is left of it; 0 + x would be.
inline Lanes broadcast(double x) {
    return x - Lanes{};
}

inline Lanes magnitude(Lanes x) {
    return Lanes(Bits(x) & std::int64_t{0x7fffffffffffffff});
}

inline Lanes with_sign_of(Lanes x, Lanes sign) {
    return Lanes(Bits(x) | (Bits(sign) & std::int64_t(0x8000000000000000)));
}

/// Of numbers: a NaN is passed over.
inline Lanes larger(Lanes x, Lanes y) {
    return x > y ? x : y;
}

/// e^x / 2 for x >= 0, infinite from 710.48 on. x = n ln 2 + r; e^r by its series, |r| < 0.35.
inline Lanes half_exp(Lanes x) {
    constexpr double inverse_ln2 = 1.44269504088896338700e+00;
    constexpr double ln2_high = 6.93147180369123816490e-01;  // 32 bits, so that n ln2_high is exact
    constexpr double ln2_low = 1.90821492927058770002e-10;
    constexpr double shift = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to integers
    constexpr double largest = 720;
    const Lanes bounded = x > largest ? broadcast(largest) : x;
    const Lanes shifted = bounded * inverse_ln2 + shift;
    const Bits n = Bits(shifted) - Bits(broadcast(shift));
    const Lanes whole = shifted - shift;
    const Lanes r = (bounded - whole * ln2_high) - whole * ln2_low;
    Lanes p = broadcast(1.0 / 6227020800.0);
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * (r * r) + r + 1.0;
    // 2^(n - 1) in two factors, since n reaches 1025.
    const Bits first = Bits(n) >> 1;
    const Bits second = n - 1 - first;
    const Lanes scale1 = Lanes((first + 1023) << 52);
    const Lanes scale2 = Lanes((second + 1023) << 52);
    const Lanes result = p * scale1 * scale2;
    return x != x ? x : result;
}

/// sinh x = x + x^3 (1/3! + x^2/5! + ...)
template <int terms>
inline Lanes sinh_near(Lanes x, const double (&series)[8]) {
    const Lanes s = x * x;
    Lanes p = broadcast(series[terms - 1]);
    for (int k = terms - 2; k >= 0; --k) p = p * s + series[k];
    return x + x * (s * p);
}

inline constexpr double sinh_series[8] = {
    1.0 / 6.0,        1.0 / 120.0,        1.0 / 5040.0,          1.0 / 362880.0,
    1.0 / 39916800.0, 1.0 / 6227020800.0, 1.0 / 1307674368000.0, 1.0 / 355687428096000.0};

inline Lanes sinh_any(Lanes x) {
    const Lanes size = magnitude(x);
    const Lanes e = half_exp(size);
    const Lanes far = with_sign_of(e - 0.25 / e, x);
    return size <= 1.0 ? sinh_near<8>(x, sinh_series) : far;
}

inline Lanes cosh_any(Lanes x) {
    const Lanes e = half_exp(magnitude(x));
    return e + 0.25 / e;
}

}  // namespace kirchnet::detail::KIRCHNET_ISA
