#include "check_crossbars.hpp"

TEST_CASE("KLU, its transfer matrix and ngspice agree on 2,000 random small crossbars") {
    kirchnet::test::check_crossbars(0, 2000);
}
