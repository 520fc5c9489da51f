#include "solver/detail/port_plan.hpp"

#include <algorithm>
#include <cassert>

#include "solver/detail/port_kernels.hpp"

namespace kirchnet::detail {
namespace {

using Order = std::vector<Side>;

std::size_t leaves_along(Index cells) {
    return (static_cast<std::size_t>(cells) + leaf_side - 1) / leaf_side;
}

/// `first`, then the others as they were; sides the tile does not have are left out later.
Order with_first(Side first, const Order& order) {
    Order result{first};
    std::copy_if(order.begin(), order.end(), std::back_inserter(result),
                 [&](Side side) { return side != first; });
    return result;
}

bool contains(const Order& order, Side side) {
    return std::find(order.begin(), order.end(), side) != order.end();
}

class Planner {
  public:
    explicit Planner(PortPlan& plan) : plan_(plan) {}

    void run() {
        Order order{Side::left, Side::bottom};
        if (plan_.outer.top) order.push_back(Side::top);
        if (plan_.outer.right) order.push_back(Side::right);
        (void)build({0, plan_.leaf_rows, 0, plan_.leaf_columns}, order, 0);
    }

  private:
    /// @param order  exactly the sides the tile keeps
    std::int32_t build(const LeafBox& box, const Order& order, std::size_t depth) {
        if (box.is_leaf()) return build_leaf(box, order, depth);
        return box.width() >= box.height() ? build_side_by_side(box, order, depth)
                                           : build_stacked(box, order, depth);
    }

    /// A leaf, and above it, where sides of it lead nowhere, a tile without them.
    std::int32_t build_leaf(const LeafBox& box, const Order& order, std::size_t depth) {
        const bool is_trimmed = order.size() < sides;
        PlannedTile leaf;
        leaf.box = box;
        leaf.order = {Side::left, Side::top, Side::bottom, Side::right};
        leaf.port_blocks = sides;
        leaf.depth = depth + (is_trimmed ? 1 : 0);
        leaf.leaf = plan_.leaf_tile.size();
        const std::int32_t number = add(leaf);
        plan_.leaf_tile.push_back(static_cast<std::size_t>(number));
        if (!is_trimmed) return number;

        PlannedTile trimmed = parent(box, order, depth, {number, -1});
        for (const Side side : leaf.order)
            if (!contains(order, side)) add_interface(trimmed, 0, side);
        for (const Side side : order) add_ports(trimmed, 0, side);
        return add(std::move(trimmed));
    }

    std::int32_t build_side_by_side(const LeafBox& box, const Order& order, std::size_t depth) {
        std::array<LeafBox, 2> halves{box, box};
        halves[0].last_column = halves[1].first_column = box.first_column + box.width() / 2;
        return build_pair(box, order, depth, halves, {Side::right, Side::left});
    }

    std::int32_t build_stacked(const LeafBox& box, const Order& order, std::size_t depth) {
        std::array<LeafBox, 2> halves{box, box};
        halves[0].last_row = halves[1].first_row = box.first_row + box.height() / 2;
        return build_pair(box, order, depth, halves, {Side::bottom, Side::top});
    }

    /// @param facing  the side with which each half meets the other
    std::int32_t build_pair(const LeafBox& box, const Order& order, std::size_t depth,
                            const std::array<LeafBox, 2>& halves,
                            const std::array<Side, 2>& facing) {
        std::array<std::int32_t, 2> child{};
        for (std::size_t i = 0; i < 2; ++i)
            child[i] = build(halves[i], with_first(facing[i], order), depth + 1);
        PlannedTile tile = parent(box, order, depth, child);
        for (std::size_t i = 0; i < 2; ++i) add_interface(tile, i, facing[i]);
        for (const Side side : order)
            for (std::size_t i = 0; i < 2; ++i)
                if (side != facing[i]) add_ports(tile, i, side);
        return add(std::move(tile));
    }

    static PlannedTile parent(const LeafBox& box, const Order& order, std::size_t depth,
                              const std::array<std::int32_t, 2>& child) {
        PlannedTile tile;
        tile.box = box;
        tile.order = order;
        tile.depth = depth;
        tile.child = child;
        return tile;
    }

    [[nodiscard]] const PlannedTile& child_of(const PlannedTile& tile, std::size_t which) const {
        return plan_.tiles[static_cast<std::size_t>(tile.child[which])];
    }

    void add_interface(PlannedTile& tile, std::size_t which, Side side) {
        const PlannedTile& child = child_of(tile, which);
        const std::size_t first = child.first_block(side);
        for (std::size_t k = 0; k < child.side_blocks(side); ++k)
            tile.interface_block[which].push_back(static_cast<std::int32_t>(first + k));
        tile.interface_blocks = tile.interface_block[which].size();
    }

    void add_ports(PlannedTile& tile, std::size_t which, Side side) {
        const PlannedTile& child = child_of(tile, which);
        const std::size_t first = child.first_block(side);
        for (std::size_t k = 0; k < child.side_blocks(side); ++k) {
            tile.owner.push_back(static_cast<std::int32_t>(which));
            tile.place.push_back(static_cast<std::int32_t>(first + k));
        }
        tile.port_blocks = tile.owner.size();
    }

    std::int32_t add(PlannedTile tile) {
        if (!tile.is_leaf()) tile.leaf = child_of(tile, 0).leaf;
        plan_.tiles.push_back(std::move(tile));
        return static_cast<std::int32_t>(plan_.tiles.size()) - 1;
    }

    PortPlan& plan_;
};

}  // namespace

std::size_t PlannedTile::side_blocks(Side side) const {
    if (!contains(order, side)) return 0;
    return side == Side::left || side == Side::right ? box.height() : box.width();
}

std::size_t PlannedTile::first_block(Side side) const {
    std::size_t first = 0;
    for (const Side other : order) {
        if (other == side) return first;
        first += side_blocks(other);
    }
    return first;
}

PortPlan plan_ports(const ArrayShape& shape, const OuterPorts& outer) {
    PortPlan plan;
    plan.shape = shape;
    plan.outer = outer;
    plan.leaf_rows = leaves_along(shape.word_lines);
    plan.leaf_columns = leaves_along(shape.bit_lines);
    Planner(plan).run();
    return plan;
}

}  // namespace kirchnet::detail
