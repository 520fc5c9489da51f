// Reduction of leaves and the way back, see PortKernels. For sources compiled once per instruction
// set alone.
#pragma once

#include "solver/detail/lanes.hpp"
#include "solver/detail/port_kernels.hpp"

namespace kirchnet::detail::KIRCHNET_ISA {

/// What one join of two tiles leaves behind: N shared ports over themselves and P others.
template <std::size_t N, std::size_t P>
inline constexpr std::size_t factor_size = N*(N + P);

/// All joins of a leaf, first to last.
inline constexpr std::size_t leaf_factors =
    8 * factor_size<2, 12> + 4 * factor_size<4, 16> + 2 * factor_size<4, 24> + factor_size<8, 32>;

void reduce_leaves(const PaddedArray& array, const LeafPlace* places, std::size_t count,
                   double* factor);
void restore_leaves(const PaddedArray& array, const LeafPlace* places, std::size_t count,
                    const double* factor, const double* ports, double* word, double* bit);

}  // namespace kirchnet::detail::KIRCHNET_ISA
