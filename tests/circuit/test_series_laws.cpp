// Expected values: both devices' equations solved in 30 digits (mpmath).
#include <doctest/doctest.h>

#include <cmath>

#include "circuit/access.hpp"
#include "circuit/crossbar.hpp"
#include "circuit/error.hpp"
#include "circuit/series_laws.hpp"

using namespace kirchnet;
using doctest::Approx;

namespace {

double numerical_slope(const CellLaw& law, double g, double v) {
    const double h = 1e-6;
    return (law.current(g, v + h) - law.current(g, v - h)) / (2 * h);
}

}  // namespace

TEST_CASE("a cell behind a selector carries what both devices' equations say") {
    const SelectorLaw selector(Selector{});
    CHECK(selector.element_conductance(1e-4) == Approx(0.0001584661458052072).epsilon(1e-13));
    const CellLaw law = parse_cell_law("1s1r");
    CHECK(law.current(1e-4, 0.2) == Approx(2e-5).epsilon(1e-13));
    CHECK(law.current(1e-4, 0.1) == Approx(7.3243641094942322e-6).epsilon(1e-13));
    CHECK(law.current(1e-4, 0.3) == Approx(3.4152041193777837e-5).epsilon(1e-13));
    CHECK(law.current(1e-4, -0.05) == Approx(-2.5939134371049241e-6).epsilon(1e-13));
    CHECK(law.derivative(1e-4, 0.3) == Approx(0.0001450145074755512).epsilon(1e-12));
    CHECK(law.derivative(1e-4, -0.05) == Approx(7.404803755710558e-5).epsilon(1e-12));
    CHECK(law.current(0, 0.2) == 0);
    // Half the voltage carries well under half the current: what selectors are for.
    const CellLaw sharp = parse_cell_law("1s1r:is=1e-9,vs=0.015");
    CHECK(sharp.current(1e-4, 0.1) < 0.05 * sharp.current(1e-4, 0.2));
}

TEST_CASE("a selector's inner node is found from 1 nV to where sinh overflows") {
    const CellLaw law = parse_cell_law("1s1r:is=1e-12,vs=5e-3");
    const double element = SelectorLaw({1e-12, 5e-3, 0.2}).element_conductance(1e-5);
    for (const double v : {1e-9, 1e-4, 0.05, 0.2, 1.0, 50.0}) {
        CAPTURE(v);
        const double I = law.current(1e-5, v);
        CHECK(I / element + 5e-3 * std::asinh(I / 1e-12) == Approx(v).epsilon(1e-12));
    }
}

TEST_CASE("a cell behind a transistor carries what both devices' equations say") {
    const TransistorLaw transistor(AccessTransistor{});
    CHECK(transistor.element_conductance(1e-4) == Approx(0.00010529114668595097).epsilon(1e-13));
    const CellLaw law = parse_cell_law("1t1r");
    CHECK(law.current(1e-4, 0.2) == Approx(2e-5).epsilon(1e-13));
    CHECK(law.current(1e-4, 0.1) == Approx(1.0001269028396592e-5).epsilon(1e-13));
    CHECK(law.current(1e-4, 0.3) == Approx(2.9996155947420896e-5).epsilon(1e-13));
    // Below 0 V drain and source swap, and the gate stands higher above the source: not odd.
    CHECK(law.current(1e-4, -0.2) == Approx(-2.0010008709513479e-5).epsilon(1e-13));
    for (const double v : {-0.3, -1e-3, 0.0, 0.15, 0.4})
        CHECK(law.derivative(1e-4, v) == Approx(numerical_slope(law, 1e-4, v)).epsilon(1e-8));
}

TEST_CASE("a transistor in saturation holds the current at beta / 2 v_ov squared") {
    // v_ov = 0.2 V, beta = 1 mA/V²: 20 uA, however much voltage the memory element leaves.
    const CellLaw law = parse_cell_law("1t1r:vg=0.7,vth=0.5,beta=1m");
    CHECK(law.current(9e-5, 2.0) == Approx(2e-5).epsilon(1e-12));
    CHECK(law.current(9e-5, 3.0) == Approx(2e-5).epsilon(1e-12));
    CHECK(law.derivative(9e-5, 3.0) == 0);
}

TEST_CASE("targets beyond the access device name the cell, and parameters their names") {
    CellMatrix g(1, 2);
    g << 1e-5, 2e-4;
    // The transistor alone conducts 1e-4 S at 0.2 V.
    CHECK_THROWS_WITH_AS((void)Crossbar(g).with_law(parse_cell_law("1t1r:vg=0.7,beta=1m")),
                         doctest::Contains("cell xc_a_0_1 (word line 0, bit line 1): 0.0002 S"),
                         InvalidInput);
    CHECK_NOTHROW((void)Crossbar(g).with_law(parse_cell_law("1t1r")));
    CHECK_THROWS_WITH_AS((void)parse_cell_law("1t1r:vg=0.4"), doctest::Contains("does not open"),
                         InvalidInput);
    CHECK_THROWS_WITH_AS((void)parse_cell_law("1s1r:vs=0"), doctest::Contains("vs = 0"),
                         InvalidInput);
    CHECK_THROWS_WITH_AS((void)parse_cell_law("1s1r:is"), doctest::Contains("'is' is no"),
                         InvalidInput);
    for (const char* text : {"1s1r:is=2e-6,vs=0.03,vr=0.1", "1t1r:vg=2,vth=0.4,beta=1e-3,vr=0.1"})
        CHECK(to_string(parse_cell_law(to_string(parse_cell_law(text)))) ==
              to_string(parse_cell_law(text)));
}

TEST_CASE("an access resistance is made up for where it can be") {
    const AccessResistance access{1e3, true};
    // 1e-4 / (1 - 0.1) and 1e-4 / (1 + 0.1)
    CHECK(access.element_for(1e-4) == Approx(1e-4 / 0.9).epsilon(1e-15));
    CHECK(access.seen(access.element_for(1e-4)) == Approx(1e-4).epsilon(1e-15));
    CHECK(access.cell_for(1e-4) == 1e-4);
    const AccessResistance bare{1e3, false};
    CHECK(bare.element_for(1e-4) == 1e-4);
    CHECK(bare.cell_for(1e-4) == Approx(1e-4 / 1.1).epsilon(1e-15));
    CHECK_THROWS_WITH_AS(check(AccessResistance{15e3, true}, 1e-4),
                         doctest::Contains("15 kohm in series leave no memory element that shows "
                                           "the target of 100 uS: at most 66.67 uS"),
                         InvalidInput);
    CHECK_NOTHROW(check(AccessResistance{15e3, false}, 1e-4));
    CHECK_THROWS_AS(check(AccessResistance{-1, false}, 1e-4), InvalidInput);
}
