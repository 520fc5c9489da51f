#pragma once

#include <array>
#include <cstdint>

#include "circuit/faults.hpp"

namespace kirchnet {

/// What a cell's random numbers are for; different purposes are independent.
enum class CellPurpose : std::uint32_t { fault, device_laws };

/// The counter of a cell's random numbers (see `keyed_uniform`): it depends on what the cell means,
/// not on array size, layout, mapping or order of evaluation.
std::array<std::uint64_t, 4> cell_counter(std::uint32_t trial, CellPurpose purpose,
                                          const CellIdentity& cell);

}  // namespace kirchnet
