// Modified nodal analysis against ngspice, which shares nothing with it but the circuit.
#include <doctest/doctest.h>

#include "check_circuits.hpp"
#include "nonlinear_laws.hpp"
#include "tile_circuits.hpp"

using namespace kirchnet;

TEST_CASE("twenty random circuits have one operating point by both roads") {
    test::check_circuits(0, 20);
}

TEST_CASE("five random circuits move alike by both roads") {
    test::check_transients(0, 5);
}

TEST_CASE("outputs of a small tile settle alike by both roads") {
    SUBCASE("difference amplifiers") {
        test::check_tile_transients({.n = 4}, 4e-7);
    }
    SUBCASE("current mode, hard limits") {
        test::check_tile_transients(
            {.n = 4, .kind = SubtractorKind::current_mode, .limit = SwingLimit::hard}, 4e-7);
    }
    SUBCASE("out of overload") {
        test::check_tile_transients({.n = 4, .feedback = 1e5, .falls = true}, 2e-6);
    }
}

TEST_CASE("outputs of tiles of nonlinear cells settle alike by both roads") {
    for (const CellLaw& law : test::nonlinear_laws()) {
        CAPTURE(to_string(law));
        test::check_tile_transients({.n = 4, .law = law}, 4e-7);
    }
}
