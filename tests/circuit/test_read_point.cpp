#include <doctest/doctest.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/read_point.hpp"
#include "circuit/table_law.hpp"

using namespace kirchnet;

namespace {

/// g v + v^3: its cubic part does not scale with g.
class Unscaled final : public CustomCellLaw {
  public:
    [[nodiscard]] std::string name() const override { return "unscaled"; }
    void current(std::span<const double> g, std::span<const double> v,
                 std::span<double> i) const override {
        for (std::size_t k = 0; k < v.size(); ++k)
            i[k] = g[k] == 0 ? 0 : g[k] * v[k] + 1e-5 * v[k] * v[k] * v[k];
    }
    void derivative(std::span<const double> g, std::span<const double> v,
                    std::span<double> s) const override {
        for (std::size_t k = 0; k < v.size(); ++k) s[k] = g[k] == 0 ? 0 : g[k] + 3e-5 * v[k] * v[k];
    }
};

}  // namespace

TEST_CASE("a sinh cell programmed to G has slope G a V_r / sinh(a V_r) at 0 V") {
    // 0.8 / sinh(0.8), sinh(0.8) = 0.88810598218762300657 (mpmath, 20 digits)
    CHECK(slope_for_target(CellLaw::sinh(4), 1e-4, 0.2) ==
          doctest::Approx(1e-4 * 0.8 / 0.888105982187623).epsilon(1e-14));
    CHECK(slope_for_target(CellLaw(), 1e-4, 0.2) == 1e-4);
}

TEST_CASE("a programmed cell of any law carries its target's current at the read voltage") {
    const CellLaw table = CellLaw::custom(std::make_shared<TableLaw>(
        "bent", std::vector<CurveSample>{{0, 0}, {0.1, 1e-6}, {0.3, 9e-6}}));
    for (const CellLaw& law : {CellLaw::sinh(1e-6), CellLaw::sinh(4), CellLaw::sinh(20), table})
        for (const double v : {0.05, 0.2, 0.3})
            CHECK(law.current(slope_for_target(law, 3e-5, v), v) ==
                  doctest::Approx(3e-5 * v).epsilon(1e-12));
}

TEST_CASE("an array is programmed cell by cell, its faults and wires as they are") {
    CellMatrix intended(1, 2);
    intended << 1e-4, 2e-5;
    CellMatrix actual(1, 2);
    actual << 1e-4, 0;
    FaultMatrix faults(1, 2);
    faults << Fault::none, Fault::open;
    Wires wires;
    wires.driver = 7;
    const Crossbar target(intended, actual, faults, wires, ColumnPattern::all_b);
    const Crossbar array = exact_at(target, CellLaw::sinh(4), 0.2);
    CHECK(array.law() == CellLaw::sinh(4));
    CHECK(array.wires() == wires);
    CHECK(array.pattern() == ColumnPattern::all_b);
    CHECK(array.faults()(0, 1) == Fault::open);
    CHECK(array.conductance()(0, 1) == 0);
    CHECK(array.conductance()(0, 0) == slope_for_target(CellLaw::sinh(4), 1e-4, 0.2));
    CHECK(array.intended_conductance()(0, 1) == slope_for_target(CellLaw::sinh(4), 2e-5, 0.2));
    CHECK(exact_at(target, {}, 0.2) == target);
}

TEST_CASE("read points that no cell can be programmed by are refused") {
    const CellLaw short_table = CellLaw::custom(
        std::make_shared<TableLaw>("short", std::vector<CurveSample>{{0, 0}, {0.1, 1e-6}}));
    CHECK_THROWS_WITH_AS((void)slope_for_target(short_table, 1e-4, 0.2),
                         doctest::Contains("known up to 0.1 V"), InvalidInput);
    CHECK_THROWS_WITH_AS(
        (void)slope_for_target(CellLaw::custom(std::make_shared<Unscaled>()), 1e-4, 0.2),
        doctest::Contains("not proportional"), InvalidInput);
    CHECK_THROWS_AS((void)slope_for_target(CellLaw::sinh(4), 1e-4, 0), InvalidInput);
    CHECK_THROWS_AS((void)slope_for_target(CellLaw::sinh(4), 1e-4, NAN), InvalidInput);
    // sinh(2000) is no double.
    CHECK_THROWS_WITH_AS((void)slope_for_target(CellLaw::sinh(10000), 1e-4, 0.2),
                         doctest::Contains("programmed"), InvalidInput);
}
