#pragma once

#include <cstddef>

#include "circuit/instruction_set.hpp"

namespace kirchnet::bench {

/// Floating-point operations of one round: a fused multiply-add counts as two.
struct PeakLoop {
    /// Multiplies and adds in registers alone, `rounds` times; the result keeps it from being
    /// optimised away.
    float (*run)(std::size_t rounds, float factor);
    double operations_per_round;
};

/// The loop compiled for an instruction set that this processor runs.
const PeakLoop& peak_loop(InstructionSet set);

}  // namespace kirchnet::bench
