// Loads and stores of port merging. For sources compiled once per instruction set alone.
#pragma once

#include "solver/detail/lanes.hpp"

namespace kirchnet::detail::KIRCHNET_ISA {

inline Lanes load(const double* from) {
    return *reinterpret_cast<const Lanes*>(from);
}
inline void store(double* to, Lanes value) {
    *reinterpret_cast<Lanes*>(to) = value;
}

}  // namespace kirchnet::detail::KIRCHNET_ISA
