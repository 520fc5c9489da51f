// Loads and stores of port merging. For sources compiled once per instruction set alone.
#pragma once

#include "solver/detail/lanes.hpp"

namespace kirchnet::detail::KIRCHNET_ISA {

/// A node with no more than this around it leads nowhere [S]; the inverse of less would overflow.
inline constexpr double nothing_conducts = 1e-290;

inline Lanes load(const double* from) {
    return *reinterpret_cast<const Lanes*>(from);
}
inline void store(double* to, Lanes value) {
    *reinterpret_cast<Lanes*>(to) = value;
}

}  // namespace kirchnet::detail::KIRCHNET_ISA
