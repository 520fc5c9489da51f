#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "circuit/characterised_cell.hpp"
#include "circuit/error.hpp"

using namespace kirchnet;
using doctest::Approx;

namespace {

using Curve = std::function<double(double state, double v)>;

/// States evenly spread over [0, 1], voltages over [-0.3, 0.3] V in steps of 5 mV.
CellSurface surface_of_curve(const Curve& curve, Eigen::Index states = 65) {
    CellSurface surface;
    surface.cell = {"c", ".subckt c a b w=0\n.ends c\n", {"a", "b"}, "a", "b", "", "w", 0};
    surface.state = Eigen::VectorXd::LinSpaced(states, 0, 1);
    surface.voltage.resize(121);
    for (Eigen::Index j = 0; j < 121; ++j)
        surface.voltage(j) = 0.2 * static_cast<double>(j - 60) / 40;
    surface.current.resize(states, 121);
    for (Eigen::Index k = 0; k < states; ++k)
        for (Eigen::Index j = 0; j < 121; ++j)
            surface.current(k, j) = curve(surface.state(k), surface.voltage(j));
    return surface;
}

double conductance(double w) {
    return 2e-6 * std::pow(100.0, w);
}

double sinh_cell(double w, double v) {
    return conductance(w) * 0.2 * std::sinh(4 * v) / std::sinh(0.8);
}

/// A diode-like cell whose curve changes with its state as well: strongly asymmetric.
double rectifier(double w, double v) {
    return conductance(w) * (std::exp(v / (0.08 + 0.02 * w)) - 1);
}

CellLaw law_of(CellSurface surface) {
    return CellLaw::custom(std::make_shared<SurfaceLaw>("table", std::move(surface)));
}

}  // namespace

TEST_CASE("a table over state and voltage gives a scaled curve between its points") {
    const CellLaw law = law_of(surface_of_curve(sinh_cell));
    CHECK(law.programmed_at() == 0.2);
    CHECK(law.reach() == 0.3);
    // Cubic splines in steps h of sinh(a v): (a h)^4 / 384 = 4e-10 of the curve.
    for (const double w : {0.003, 0.31, 0.77})
        for (const double v : {-0.2987, -0.1013, 0.0021, 0.0577, 0.2489}) {
            CAPTURE(v);
            CHECK(law.current(conductance(w), v) == Approx(sinh_cell(w, v)).epsilon(1e-8));
            const double slope = conductance(w) * 0.8 * std::cosh(4 * v) / std::sinh(0.8);
            CHECK(law.derivative(conductance(w), v) == Approx(slope).epsilon(1e-5));
        }
    CHECK(law.current(1e-5, 0.2) == Approx(2e-6).epsilon(1e-14));
    CHECK(law.current(1e-5, 0) == 0);
    CHECK(law.current(0, 0.1) == 0);
}

TEST_CASE("a table finds the state of a conductance by the inverse of its own states") {
    const auto surface = std::make_shared<SurfaceLaw>("table", surface_of_curve(sinh_cell));
    for (const double w : {0.0, 0.123, 0.5, 0.9876, 1.0})
        CHECK(surface->state_for(conductance(w)) == Approx(w).epsilon(1e-9));
    // A state that closes as it grows, as a gap does: states in the order of rising conductance.
    CellSurface gap = surface_of_curve([](double w, double v) { return sinh_cell(1 - w, v); });
    gap.state = gap.state.reverse().eval();
    gap.current = gap.current.colwise().reverse().eval();
    CHECK(SurfaceLaw("gap", gap).state_for(conductance(0.3)) == Approx(0.7).epsilon(1e-9));
}

TEST_CASE("a rectifying cell, whose curve changes with its state, is a general monotone law") {
    const CellSurface surface = surface_of_curve(rectifier);
    const CellLaw law = law_of(surface);
    for (const double w : {0.1045, 0.5027})
        for (const double v : {-0.2513, -0.0321, 0.1234, 0.2871}) {
            const double g = rectifier(w, 0.2) / 0.2;
            CHECK(law.current(g, v) == Approx(rectifier(w, v)).epsilon(2e-7));
        }
    const auto asymmetry = surface.asymmetry();
    CHECK(asymmetry.voltage == Approx(0.3));
    CHECK(asymmetry.share > 0.9);
    CHECK(surface_of_curve(sinh_cell).asymmetry().share < 1e-14);
}

TEST_CASE("beyond its voltages a table goes on with its last slope, and its conductances end") {
    const CellLaw law = law_of(surface_of_curve(sinh_cell));
    const double slope = law.derivative(1e-5, 0.3);
    CHECK(law.current(1e-5, 0.5) == Approx(law.current(1e-5, 0.3) + 0.2 * slope).epsilon(1e-12));
    CHECK(law.conductances().least == Approx(2e-6));
    CHECK(law.conductances().most == Approx(2e-4));
}

TEST_CASE("a table answers to its conductance along its states") {
    const auto slope_of = [](const CellLaw& law, double g, double v) {
        double slope = 0;
        conductance_slope(law, {&g, 1}, {&v, 1}, {&slope, 1});
        return slope;
    };
    const CellLaw scaled = law_of(surface_of_curve(sinh_cell));
    for (const double g : {0.0, 2.1e-6, 1e-5, 1.9e-4})  // a cell of 0 S by the least state's curve
        CHECK(slope_of(scaled, g, 0.11) ==
              Approx(0.2 * std::sinh(0.44) / std::sinh(0.8)).epsilon(1e-8));
    const CellLaw law = law_of(surface_of_curve(rectifier));
    for (const double w : {0.1045, 0.5027})
        for (const double v : {-0.2513, -0.0321, 0.1234, 0.2, 0.2871}) {
            CAPTURE(v);
            // dI/dg = (dI/dw) / (dg/dw).
            const auto along_w = [w](double at) {
                const double s = 0.08 + 0.02 * w;
                const double e = std::exp(at / s);
                return conductance(w) * (std::log(100.0) * (e - 1) - 0.02 * at / (s * s) * e);
            };
            // A cubic spline's slopes: (h^3) of the curve's fourth derivative, some 1e-5.
            CHECK(slope_of(law, rectifier(w, 0.2) / 0.2, v) ==
                  Approx(along_w(v) / (along_w(0.2) / 0.2)).epsilon(1e-5));
        }
    // Beyond its voltages the answer belongs to the lines that go on there.
    const double g = 1e-4, h = 1e-3 * g;
    for (const double v : {-0.4, 0.4})
        CHECK(slope_of(law, g, v) ==
              Approx((law.current(g + h, v) - law.current(g - h, v)) / (2 * h)).epsilon(1e-5));
}

TEST_CASE("tables that are no cell are refused with their numbers") {
    CHECK_THROWS_WITH_AS((void)SurfaceLaw("bad", surface_of_curve([](double w, double v) {
                                              return conductance(w) * (v - 6 * v * v * v);
                                          })),
                         doctest::Contains("negative slope from"), InvalidInput);
    CHECK_THROWS_WITH_AS((void)SurfaceLaw("bad", surface_of_curve([](double w, double v) {
                                              return conductance(w) * (v + 1e-3);
                                          })),
                         doctest::Contains("at 0 V"), InvalidInput);
    CHECK_THROWS_WITH_AS(
        (void)SurfaceLaw("bad", surface_of_curve([](double, double v) { return 1e-5 * v; })),
        doctest::Contains("does not rise at state"), InvalidInput);
    CellSurface shifted = surface_of_curve(sinh_cell);
    shifted.read_voltage = 0.2001;
    CHECK_THROWS_WITH_AS((void)SurfaceLaw("bad", shifted), doctest::Contains("not among"),
                         InvalidInput);
}
