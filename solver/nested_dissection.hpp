#pragma once

#include <cstdint>
#include <vector>

#include "circuit/elements.hpp"

namespace kirchnet {

/// Elimination order of the unknown nets by nested dissection of the grid, in closed form: the
/// k-th entry is the net eliminated k-th. Works for any shape and any merging of nodes.
std::vector<std::int32_t> nested_dissection(const Expansion& expansion);

}  // namespace kirchnet
