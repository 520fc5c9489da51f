#include <doctest/doctest.h>

#include <cmath>

#include "circuit/conductance_slope.hpp"
#include "circuit/error.hpp"
#include "circuit/table_law.hpp"

using namespace kirchnet;
using doctest::Approx;

namespace {

double slope_of(const CellLaw& law, double g, double v) {
    double slope = 0;
    conductance_slope(law, {&g, 1}, {&v, 1}, {&slope, 1});
    return slope;
}

/// Ohmic, and silent about its conductance.
class Silent final : public CustomCellLaw {
  public:
    [[nodiscard]] std::string name() const override { return "silent"; }
    void current(std::span<const double> g, std::span<const double> v,
                 std::span<double> i) const override {
        for (std::size_t k = 0; k < v.size(); ++k) i[k] = g[k] * v[k];
    }
    void derivative(std::span<const double> g, std::span<const double>,
                    std::span<double> s) const override {
        for (std::size_t k = 0; k < g.size(); ++k) s[k] = g[k];
    }
};

}  // namespace

TEST_CASE("laws that scale with their conductance answer by their shape, cells of 0 S included") {
    const CellLaw table = CellLaw::custom(std::make_shared<TableLaw>(
        "bent", std::vector<CurveSample>{{0, 0}, {0.1, 1e-6}, {0.2, 3e-6}}));
    for (const double g : {0.0, 1e-6, 1e-4}) {
        CHECK(slope_of(CellLaw{}, g, -0.3) == -0.3);
        CHECK(slope_of(CellLaw::sinh(4), g, 0.25) == Approx(std::sinh(1.0) / 4).epsilon(1e-15));
        // Straight lines of 1 and 2 V per V.
        CHECK(slope_of(table, g, -0.15) == Approx(-0.2).epsilon(1e-14));
        CHECK(slope_of(parse_cell_law("stanford"), g, 0.1) ==
              Approx(0.2 * std::sinh(0.4) / std::sinh(0.8)).epsilon(1e-14));
    }
}

TEST_CASE("a cell of two devices answers as both devices' equations say") {
    // Difference quotients of both equations solved in 40 digits (mpmath).
    const CellLaw selector = parse_cell_law("1s1r");
    CHECK(slope_of(selector, 1e-4, 0.1) == Approx(0.059378377039435852).epsilon(1e-12));
    CHECK(slope_of(selector, 1e-4, 0.3) == Approx(0.36199355891219957).epsilon(1e-12));
    CHECK(slope_of(selector, 1e-4, -0.05) == Approx(-0.014039180496091125).epsilon(1e-12));
    const CellLaw transistor = parse_cell_law("1t1r");
    CHECK(slope_of(transistor, 1e-4, 0.1) == Approx(0.10003826397019333).epsilon(1e-12));
    CHECK(slope_of(transistor, 1e-4, 0.3) == Approx(0.29988373537617523).epsilon(1e-12));
    CHECK(slope_of(transistor, 1e-4, -0.2) == Approx(-0.20030043516482307).epsilon(1e-12));
    for (const CellLaw& law : {selector, transistor}) {
        CHECK(slope_of(law, 1e-4, 0.2) == Approx(0.2).epsilon(1e-12));  // g V_r
        // An access device takes nothing from a cell that hardly conducts.
        CHECK(slope_of(law, 0, -0.15) == -0.15);
        CHECK(slope_of(law, 1e-16, -0.15) == Approx(-0.15).epsilon(1e-6));
    }
    CHECK(slope_of(parse_cell_law("1t1r:vg=0.7,vth=0.5,beta=1m"), 9e-5, 3) == 0);  // saturated
}

TEST_CASE("a caller's law that does not say how it answers is refused by name") {
    const CellLaw law = CellLaw::custom(std::make_shared<Silent>());
    CHECK_THROWS_WITH_AS((void)slope_of(law, 1e-5, 0.1), doctest::Contains("silent"), InvalidInput);
}
