// Expected values: the model's equations in 30 digits (mpmath), k = 8.617333262e-5 eV/K.
#include <doctest/doctest.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/stanford_law.hpp"

using namespace kirchnet;
using doctest::Approx;

TEST_CASE("a Stanford cell's gap follows from its target conductance, and back") {
    const StanfordCell cell;
    CHECK(gap_for_target(cell, 1e-4) == Approx(9.4833970290675076e-10).epsilon(1e-14));
    CHECK(conductance_of_gap(cell, 0) == Approx(0.004440529910938115).epsilon(1e-14));
    for (const double g : {1e-7, 1e-5, 4e-3})
        CHECK(conductance_of_gap(cell, gap_for_target(cell, g)) == Approx(g).epsilon(1e-13));
    // A gap wider by g0 divides the conductance by e.
    CHECK(gap_for_target(cell, 1e-4 / std::exp(1.0)) - gap_for_target(cell, 1e-4) ==
          Approx(cell.g0).epsilon(1e-12));
}

TEST_CASE("a Stanford cell in read mode is a sinh curve through its target at the read voltage") {
    const CellLaw law = parse_cell_law("stanford");
    CHECK(law.current(1e-4, 0.2) == Approx(2e-5).epsilon(1e-15));
    CHECK(law.current(1e-4, 0.1) == Approx(9.2500745190575502e-6).epsilon(1e-14));
    CHECK(law.current(1e-4, -0.1) == -law.current(1e-4, 0.1));
    // cosh(V / (2 v0)) = 1.081 at 0.2 V
    CHECK(law.current(1e-4, 0.2) / (2 * law.current(1e-4, 0.1)) ==
          Approx(std::cosh(0.4)).epsilon(1e-14));
    CHECK(law.programmed_at() == 0.2);
    const StanfordCell cell;
    const double gap = gap_for_target(cell, 3e-5);
    for (const double v : {-0.3, 0.05, 0.2, 0.4})
        CHECK(law.current(3e-5, v) == Approx(current_of_gap(cell, gap, v)).epsilon(1e-13));
    const double h = 1e-6;
    CHECK(law.derivative(1e-4, 0.15) ==
          Approx((law.current(1e-4, 0.15 + h) - law.current(1e-4, 0.15 - h)) / (2 * h))
              .epsilon(1e-9));
    CHECK(law.current(0, 0.2) == 0);
}

TEST_CASE("a read pulse moves a Stanford cell's gap by its velocity times its length") {
    const StanfordCell cell;
    const ReadDisturb disturb = read_disturb(cell, 1e-4, 0.2, 10e-9);
    CHECK(disturb.temperature == Approx(298.0084).epsilon(1e-12));
    CHECK(gap_velocity(cell, disturb.gap, 0.2) == Approx(-4.2499538544062e-9).epsilon(1e-11));
    CHECK(disturb.gap_change == Approx(-4.2499538544062e-17).epsilon(1e-11));
    // A closing gap conducts more: exp(-dg / g0) - 1.
    CHECK(disturb.relative_change == Approx(1.69998168626e-7).epsilon(1e-10));
    CHECK(read_disturb(cell, 1e-4, -0.2, 10e-9).relative_change < 0);
    CHECK(read_disturb(cell, 1e-4, 0, 1).gap_change == 0);
    // Steep: a SET pulse of 1.5 V moves it many orders of magnitude further.
    CHECK(read_disturb(cell, 1e-4, 1.5, 10e-9).gap_change < 1e6 * disturb.gap_change);
}

TEST_CASE("targets and parameters no Stanford cell can have are refused by name") {
    CHECK_THROWS_WITH_AS((void)gap_for_target({}, 5e-3),
                         doctest::Contains("a closed one conducts 0.004441 S at 0.2 V"),
                         InvalidInput);
    CHECK_THROWS_AS((void)gap_for_target({}, 0), InvalidInput);
    CHECK_THROWS_WITH_AS((void)parse_cell_law("stanford:g0=-1n"), doctest::Contains("g0 = -1e-09"),
                         InvalidInput);
    CHECK_THROWS_WITH_AS((void)parse_cell_law("stanford:gap=1n"),
                         doctest::Contains("one of i0, g0, v0, vr"), InvalidInput);
    CHECK_THROWS_AS((void)read_disturb({}, 1e-4, 0.2, -1), InvalidInput);
    const CellLaw law = parse_cell_law("stanford:i0=2m,v0=0.3", 0.25);
    CHECK(law.programmed_at() == 0.25);
    CHECK(to_string(parse_cell_law(to_string(law))) == to_string(law));
}
