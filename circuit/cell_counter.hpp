#pragma once

#include <array>
#include <cstdint>

#include "circuit/faults.hpp"

namespace kirchnet {

/// What a cell's random numbers are for; different purposes are independent.
enum class CellPurpose : std::uint32_t {
    fault,
    device_laws,
    defect,         ///< of a kind other than stuck at HRS or LRS
    stuck_at_value  ///< at which conductance a cell is stuck
};

/// The counter of a cell's random numbers (see `keyed_uniform`): it depends on what the cell means,
/// not on array size, layout, mapping or order of evaluation.
std::array<std::uint64_t, 4> cell_counter(std::uint32_t trial, CellPurpose purpose,
                                          const CellIdentity& cell);

/// What an array's random numbers are for.
enum class ArrayPurpose : std::uint32_t {
    word_line_segment,
    bit_line_segment,
    word_line_bridge,
    bit_line_bridge,
    cluster_count,
    cluster_centre,
    cluster_cell,
    cluster_state
};

/// The counter of a random number that belongs to a place in an array, not to a weight.
/// @param x, y  word line and bit line, or what numbers of that purpose count by; not negative
std::array<std::uint64_t, 4> array_counter(std::uint32_t trial, ArrayPurpose purpose,
                                           const ArrayPlace& place, Index x, Index y);

}  // namespace kirchnet
