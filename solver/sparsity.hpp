#pragma once

#include <cstdint>
#include <vector>

#include "circuit/elements.hpp"

namespace kirchnet {

/// Where one element's conductance goes in the value array; `no_slot` where the row or column
/// belongs to no unknown net.
struct StampSlots {
    static constexpr std::int32_t no_slot = -1;
    std::int32_t from_from = no_slot;
    std::int32_t to_to = no_slot;
    std::int32_t from_to = no_slot;
    std::int32_t to_from = no_slot;
};

/// Pattern of the nodal matrix in compressed columns, both triangles, rows ascending, with a place
/// for each element so that stamping is a loop. Every diagonal entry is present.
struct Sparsity {
    std::int32_t size = 0;                   ///< unknown nets
    std::vector<std::int32_t> column_start;  ///< [size + 1]
    std::vector<std::int32_t> row;           ///< per entry
    std::vector<StampSlots> slots;           ///< per element of the expansion

    [[nodiscard]] std::size_t entries() const { return row.size(); }
};

Sparsity make_sparsity(const Expansion& expansion);

/// Whether two expansions differ in conductance alone, so that one symbolic analysis serves both.
bool same_pattern(const Expansion& x, const Expansion& y);

}  // namespace kirchnet
