#pragma once

#include <compare>
#include <map>
#include <string>
#include <vector>

#include "circuit/crossbar.hpp"

namespace kirchnet {

/// Where a tile sits on a chip.
struct TileKey {
    std::string layer;
    Index row = 0;
    Index column = 0;
    int slice = 0;

    friend auto operator<=>(const TileKey&, const TileKey&) = default;
};

/// Tiles whose arrays are known one by one, from an edited deck or from measurement: what their
/// cells conduct and what their wires are stands instead of what faults, laws and settings say.
class GivenArrays {
  public:
    /// @param arrays  `split` pairs: a then b; otherwise one
    void set(const TileKey& place, std::vector<Crossbar> arrays) {
        tiles_.insert_or_assign(place, std::move(arrays));
    }
    /// Null where nothing is known of that tile.
    [[nodiscard]] const std::vector<Crossbar>* find(const TileKey& place) const {
        const auto found = tiles_.find(place);
        return found == tiles_.end() ? nullptr : &found->second;
    }
    [[nodiscard]] const std::map<TileKey, std::vector<Crossbar>>& tiles() const { return tiles_; }

  private:
    std::map<TileKey, std::vector<Crossbar>> tiles_;
};

}  // namespace kirchnet
