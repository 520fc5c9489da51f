#include <doctest/doctest.h>

#include "check_circuits.hpp"

using namespace kirchnet;

TEST_CASE("400 random circuits have one operating point by both roads") {
    test::check_circuits(20, 420);
}

TEST_CASE("60 random circuits move alike by both roads") {
    test::check_transients(5, 65);
}
