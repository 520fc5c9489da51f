#pragma once

#include <optional>

#include "circuit/tile.hpp"

namespace kirchnet {

// A tile of which one output is kept: the bit lines of all others stand at 0 V, their cells end in
// ground. Exact where bit lines and read-out inputs have no resistance, since a bit line is then at
// 0 V anyhow.

/// Whether a bit line is kept where only `output` is; all are where there is none.
/// @throws InvalidInput  when the tile has no such output
bool is_kept(const Tile& tile, const Crossbar& array, Index bit_line, std::optional<Index> output);

/// One of a tile's arrays with one output kept, as an array: the other bit lines without
/// resistance.
/// @throws InvalidInput  when the tile has no such output
Crossbar column_crossbar(const Tile& tile, const Crossbar& array, Index output);

}  // namespace kirchnet
