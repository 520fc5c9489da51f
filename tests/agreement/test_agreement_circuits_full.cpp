#include <doctest/doctest.h>

#include "check_circuits.hpp"
#include "tile_circuits.hpp"

using namespace kirchnet;

TEST_CASE("400 random circuits have one operating point by both roads") {
    test::check_circuits(20, 420);
}

TEST_CASE("60 random circuits move alike by both roads") {
    test::check_transients(5, 65);
}

TEST_CASE("outputs of a 16 x 16 tile settle alike by both roads") {
    SUBCASE("difference amplifiers") {
        test::check_tile_transients({.n = 16}, 1e-6);
    }
    SUBCASE("current mode") {
        test::check_tile_transients({.n = 16, .kind = SubtractorKind::current_mode}, 1e-6);
    }
    SUBCASE("out of overload, smooth and hard limits") {
        test::check_tile_transients({.n = 16, .feedback = 3e4, .falls = true}, 3e-6);
        test::check_tile_transients(
            {.n = 16, .limit = SwingLimit::hard, .feedback = 3e4, .falls = true}, 3e-6);
    }
}
