// The step that LineKernels offers. For sources compiled once per instruction set alone.
#pragma once

#include "solver/detail/line_kernels.hpp"

namespace kirchnet::detail::KIRCHNET_ISA {

int newton_step(const LineGrid& grid, const LineState& state, const NewtonSpace& space,
                const NewtonLimits& limits);

}  // namespace kirchnet::detail::KIRCHNET_ISA
