// Modified nodal analysis against ngspice, which shares nothing with it but the circuit.
#include <doctest/doctest.h>

#include "check_circuits.hpp"

using namespace kirchnet;

TEST_CASE("twenty random circuits have one operating point by both roads") {
    test::check_circuits(0, 20);
}

TEST_CASE("five random circuits move alike by both roads") {
    test::check_transients(0, 5);
}
