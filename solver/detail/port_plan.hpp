#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "circuit/geometry.hpp"

namespace kirchnet::detail {

/// The four sides of a tile, each a group of ports.
enum class Side : std::uint8_t { left, top, bottom, right };
inline constexpr std::size_t sides = 4;

/// What the ports at the outer edge of the whole array are: terminals, or ends that lead nowhere.
struct OuterPorts {
    bool top = false;
    bool right = false;

    friend bool operator==(const OuterPorts&, const OuterPorts&) = default;
};

/// A rectangle of leaves.
struct LeafBox {
    std::size_t first_row = 0;
    std::size_t last_row = 0;
    std::size_t first_column = 0;
    std::size_t last_column = 0;

    [[nodiscard]] std::size_t height() const { return last_row - first_row; }
    [[nodiscard]] std::size_t width() const { return last_column - first_column; }
    [[nodiscard]] bool is_leaf() const { return height() == 1 && width() == 1; }
};

/// One tile of the merge tree. A leaf has all four sides in the order of `Side`; other tiles list
/// their ports in the order their parent wants: its interface first.
struct PlannedTile {
    LeafBox box;
    std::array<std::int32_t, 2> child{-1, -1};  ///< tiles; second absent where ports just end
    std::vector<Side> order;                    ///< sides present, first to last
    std::size_t interface_blocks = 0;
    std::size_t port_blocks = 0;
    std::array<std::vector<std::int32_t>, 2> interface_block;  ///< per child, its block numbers
    std::vector<std::int32_t> owner;                           ///< [port_blocks] which child
    std::vector<std::int32_t> place;                           ///< [port_blocks] block number there
    std::size_t depth = 0;                                     ///< tiles above it
    std::size_t leaf = 0;  ///< number of the first leaf below, in the order of the plan

    [[nodiscard]] bool is_leaf() const { return child[0] < 0; }
    /// Blocks that a side of this tile has.
    [[nodiscard]] std::size_t side_blocks(Side side) const;
    /// Number of the first block of a side among the tile's ports.
    [[nodiscard]] std::size_t first_block(Side side) const;
};

/// The merge tree of one array shape: leaves of 8 x 8 cells, joined in pairs across the longer
/// side's middle. Children come before their parents, so a loop over `tiles` is the elimination.
struct PortPlan {
    ArrayShape shape;
    OuterPorts outer;
    std::size_t leaf_rows = 0;
    std::size_t leaf_columns = 0;
    std::vector<PlannedTile> tiles;      ///< the last one is the whole array
    std::vector<std::size_t> leaf_tile;  ///< tile of each leaf, in the order they are needed

    [[nodiscard]] const PlannedTile& root() const { return tiles.back(); }
};

/// @param shape  rows and columns to cover, terminals at the outer edge included
PortPlan plan_ports(const ArrayShape& shape, const OuterPorts& outer);

}  // namespace kirchnet::detail
