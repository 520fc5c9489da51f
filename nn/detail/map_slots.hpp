#pragma once

#include <cstddef>
#include <vector>

namespace kirchnet::detail {

/// When a feature map comes into being and when it is read for the last time, counted in steps.
struct MapLife {
    std::size_t size = 0;  ///< values per image; 0 for a map that is never made
    std::size_t written = 0;
    std::size_t last_read = 0;
};

/// A slot for each map, so that no two maps in one slot live at the same time, and all maps in one
/// slot are of one size: buffers are made once and few.
std::vector<std::size_t> share_slots(const std::vector<MapLife>& maps);

}  // namespace kirchnet::detail
