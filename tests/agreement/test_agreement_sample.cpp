#include "check_crossbars.hpp"

TEST_CASE("KLU, its transfer matrix and ngspice agree on small crossbars of every kind") {
    kirchnet::test::check_crossbars(0, 40);
}
