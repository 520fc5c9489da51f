#include <doctest/doctest.h>

#include "nn/detail/map_slots.hpp"

using kirchnet::detail::MapLife;
using kirchnet::detail::share_slots;

TEST_CASE("maps share a slot when the first has been read for the last time before the second") {
    // 0 is read until 2, so 1 and 2 need slots of their own; 3 may take that of 0.
    const std::vector<MapLife> maps{{8, 0, 2}, {8, 1, 2}, {8, 2, 3}, {8, 3, 4}};
    CHECK(share_slots(maps) == std::vector<std::size_t>{0, 1, 2, 0});
}

TEST_CASE("maps of different sizes never share a slot") {
    CHECK(share_slots({{8, 0, 1}, {4, 1, 2}, {8, 2, 3}, {4, 3, 4}}) ==
          std::vector<std::size_t>{0, 1, 0, 1});
}

TEST_CASE("a map that a later step reads again keeps its slot over the steps between") {
    // A shortcut: 0 is read by step 1 and again by step 3.
    CHECK(share_slots({{8, 0, 3}, {8, 1, 2}, {8, 2, 3}, {8, 3, 4}}) ==
          std::vector<std::size_t>{0, 1, 2, 1});
}

TEST_CASE("a map that nobody reads lives in the step that writes it") {
    CHECK(share_slots({{8, 0, 0}, {8, 1, 2}}) == std::vector<std::size_t>{0, 0});
    CHECK(share_slots({{8, 1, 0}, {8, 1, 2}}) == std::vector<std::size_t>{0, 1});
}
