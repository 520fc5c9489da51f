#include <doctest/doctest.h>

#include <set>

#include "solver/detail/port_plan.hpp"

using namespace kirchnet;
using namespace kirchnet::detail;

namespace {

std::size_t blocks(const PlannedTile& tile) {
    std::size_t sum = 0;
    for (const Side side : tile.order) sum += tile.side_blocks(side);
    return sum;
}

/// Block numbers of a child that its parent uses, interface and remaining.
std::multiset<std::int32_t> used(const PlannedTile& tile, std::size_t child) {
    std::multiset<std::int32_t> result(tile.interface_block[child].begin(),
                                       tile.interface_block[child].end());
    for (std::size_t q = 0; q < tile.port_blocks; ++q)
        if (tile.owner[q] == static_cast<std::int32_t>(child)) result.insert(tile.place[q]);
    return result;
}

void check_plan(const ArrayShape& shape, const OuterPorts& outer) {
    const PortPlan plan = plan_ports(shape, outer);
    CAPTURE(to_string(shape));
    CHECK(plan.leaf_tile.size() == plan.leaf_rows * plan.leaf_columns);
    std::set<std::pair<std::size_t, std::size_t>> leaves;
    for (std::size_t i = 0; i < plan.tiles.size(); ++i) {
        const PlannedTile& tile = plan.tiles[i];
        REQUIRE(tile.port_blocks == blocks(tile));
        if (tile.is_leaf()) {
            leaves.insert({tile.box.first_row, tile.box.first_column});
            continue;
        }
        for (std::size_t c = 0; c < 2; ++c) {
            if (tile.child[c] < 0) continue;
            const auto number = static_cast<std::size_t>(tile.child[c]);
            REQUIRE(number < i);  // children first
            const PlannedTile& child = plan.tiles[number];
            REQUIRE(child.depth == tile.depth + 1);
            // Every port of a child either leaves or remains, once.
            REQUIRE(tile.interface_block[c].size() == tile.interface_blocks);
            const auto blocks_used = used(tile, c);
            REQUIRE(blocks_used.size() == child.port_blocks);
            REQUIRE(std::set<std::int32_t>(blocks_used.begin(), blocks_used.end()).size() ==
                    child.port_blocks);
            if (child.is_leaf()) continue;
            // Of a network only the upper triangle exists: interface first, then in order.
            for (std::size_t k = 0; k < tile.interface_blocks; ++k)
                REQUIRE(tile.interface_block[c][k] == static_cast<std::int32_t>(k));
            std::int32_t last = -1;
            for (std::size_t q = 0; q < tile.port_blocks; ++q) {
                if (tile.owner[q] != static_cast<std::int32_t>(c)) continue;
                REQUIRE(tile.place[q] > last);
                last = tile.place[q];
            }
        }
    }
    CHECK(leaves.size() == plan.leaf_tile.size());
    CHECK(plan.root().side_blocks(Side::left) == plan.leaf_rows);
    CHECK(plan.root().side_blocks(Side::bottom) == plan.leaf_columns);
    CHECK(plan.root().side_blocks(Side::top) == (outer.top ? plan.leaf_columns : 0));
    CHECK(plan.root().side_blocks(Side::right) == (outer.right ? plan.leaf_rows : 0));
}

}  // namespace

TEST_CASE("a plan uses every port of every tile once, and lists them as its parent reads them") {
    for (const ArrayShape shape :
         {ArrayShape{1, 1}, {8, 8}, {9, 1}, {1, 70}, {24, 40}, {65, 127}, {128, 128}, {33, 200}})
        for (const bool top : {false, true})
            for (const bool right : {false, true}) check_plan(shape, {top, right});
}

TEST_CASE("an array of one leaf is that leaf, without ends that lead nowhere") {
    const PortPlan plan = plan_ports({5, 3}, {});
    REQUIRE(plan.tiles.size() == 2);
    CHECK(plan.root().interface_blocks == 2);  // top and right
    CHECK(plan.root().port_blocks == 2);       // left and bottom
    CHECK(plan_ports({5, 3}, {true, true}).tiles.size() == 1);
}
