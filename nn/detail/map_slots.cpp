#include "nn/detail/map_slots.hpp"

#include <algorithm>
#include <numeric>

namespace kirchnet::detail {
namespace {

struct Slot {
    std::size_t size;
    std::size_t last_read;  ///< of the map it holds
};

}  // namespace

std::vector<std::size_t> share_slots(const std::vector<MapLife>& maps) {
    std::vector<std::size_t> order(maps.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return maps[a].written < maps[b].written;
    });
    std::vector<Slot> slots;
    std::vector<std::size_t> slot_of(maps.size(), 0);
    for (const std::size_t i : order) {
        auto slot = std::find_if(slots.begin(), slots.end(), [&](const Slot& s) {
            return s.size == maps[i].size && s.last_read < maps[i].written;
        });
        if (slot == slots.end()) slot = slots.insert(slot, Slot{maps[i].size, 0});
        slot->last_read = std::max(maps[i].written, maps[i].last_read);
        slot_of[i] = static_cast<std::size_t>(slot - slots.begin());
    }
    return slot_of;
}

}  // namespace kirchnet::detail
