#include <doctest/doctest.h>

#include <cmath>

#include "circuit/error.hpp"
#include "dense_oracle.hpp"
#include "nonlinear_arrays.hpp"
#include "random_arrays.hpp"
#include "solver/newton.hpp"
#include "solver/nodal_solver.hpp"

using namespace kirchnet;
using test::series_current;

namespace {

Eigen::MatrixXd column(std::initializer_list<double> values) {
    Eigen::MatrixXd result(static_cast<Index>(values.size()), 1);
    Index r = 0;
    for (const double v : values) result(r++, 0) = v;
    return result;
}

}  // namespace

TEST_CASE("one sinh cell in series with its wires carries what a scalar equation says") {
    Wires wires;
    wires.word_line_segment = 1000;
    wires.bit_line_segment = 3000;
    wires.driver = 500;
    wires.sense = 500;
    // Worked by hand: v + R g sinh(a v) / a = V with R = 5000, g = 1e-4, a = 2.
    for (const double a : {0.5, 2.0, 40.0})
        for (const double V : {1e-6, 0.2, -0.7, 5.0}) {
            CAPTURE(a);
            CAPTURE(V);
            const Crossbar crossbar =
                Crossbar(CellMatrix::Constant(1, 1, 1e-4), wires).with_law(CellLaw::sinh(a));
            NewtonSolver solver;
            const auto point = solver.solve(crossbar, column({V}), Voltages::keep);
            const double expected = series_current(1e-4, a, 5000, V);
            CHECK(point.current(0, 0) == doctest::Approx(expected).epsilon(1e-12));
            CHECK(point.word_line_voltage[0](0, 0) ==
                  doctest::Approx(V - 1500 * expected).epsilon(1e-12));
            CHECK(solver.reports().front().converged);
        }
}

TEST_CASE("nothing but merged wires leaves the cell its source's whole voltage") {
    const Crossbar crossbar = Crossbar(CellMatrix::Constant(2, 2, 1e-5)).with_law(CellLaw::sinh(2));
    NewtonSolver solver;
    const auto point = solver.solve(crossbar, column({0.2, 0.1}), Voltages::skip);
    CHECK(point.current(0, 0) ==
          doctest::Approx(1e-5 * (std::sinh(0.4) + std::sinh(0.2)) / 2).epsilon(1e-14));
    CHECK(point.warnings.empty());
}

TEST_CASE("sinh cells become ohmic as their factor vanishes") {
    test::Dice dice(11);
    for (int trial = 0; trial < 30; ++trial) {
        const Crossbar ohmic = test::random_array(dice, {.shorts = false});
        const Eigen::MatrixXd v = test::random_inputs(dice, ohmic.shape().word_lines, 2);
        const Eigen::MatrixXd expected = test::dense_currents(ohmic, v);
        NewtonSolver solver;
        const auto point = solver.solve(ohmic.with_law(CellLaw::sinh(1e-6)), v, Voltages::skip);
        // sinh(x) / x - 1 = x^2 / 6 < 1e-12 at 2 V; what is left is rounding of the comparison.
        CHECK((point.current - expected).cwiseAbs().maxCoeff() <=
              1e-10 * expected.cwiseAbs().maxCoeff());
    }
}

TEST_CASE("Kirchhoff's law holds at every net of random nonlinear arrays") {
    test::Dice dice(5);
    for (int trial = 0; trial < 60; ++trial) {
        const double a = dice.log_uniform(0.1, 20);
        const Crossbar crossbar =
            test::random_array(dice, {.shorts = trial % 3 == 0}).with_law(CellLaw::sinh(a));
        const Eigen::MatrixXd v = test::random_inputs(dice, crossbar.shape().word_lines, 2);
        NewtonSolver solver;
        const auto point = solver.solve(crossbar, v, Voltages::keep);
        CAPTURE(trial);
        for (const auto& report : solver.reports()) CHECK(report.converged);
        for (std::size_t k = 0; k < 2; ++k)
            CHECK(test::kirchhoff_residual(crossbar, v.col(static_cast<Index>(k)),
                                           point.word_line_voltage[k],
                                           point.bit_line_voltage[k]) < 1e-9);
    }
}

TEST_CASE("opposite inputs give opposite currents") {
    test::Dice dice(17);
    const Crossbar crossbar = test::random_array(dice, {}).with_law(CellLaw::sinh(5));
    const Eigen::MatrixXd v = test::random_inputs(dice, crossbar.shape().word_lines, 3);
    NewtonSolver solver;
    const auto plus = solver.solve(crossbar, v, Voltages::skip).current;
    const auto minus = solver.solve(crossbar, -v, Voltages::skip).current;
    CHECK((plus + minus).cwiseAbs().maxCoeff() <= 1e-14 * plus.cwiseAbs().maxCoeff());
}

TEST_CASE("damped steps converge where sinh overflows at the inputs") {
    Wires wires;
    wires.word_line_segment = 100;
    wires.bit_line_segment = 100;
    const Crossbar crossbar =
        Crossbar(CellMatrix::Constant(3, 3, 1e-5), wires).with_law(CellLaw::sinh(400));
    NewtonSolver solver;
    const auto v = column({5, 4, -3});  // sinh(2000) is infinite
    const auto point = solver.solve(crossbar, v, Voltages::keep);
    REQUIRE(solver.reports().front().converged);
    CHECK(test::kirchhoff_residual(crossbar, v.col(0), point.word_line_voltage[0],
                                   point.bit_line_voltage[0]) < 1e-9);
}

TEST_CASE("chords on the ohmic array's factors agree with Newton") {
    const Crossbar crossbar = test::sinh_array({.word_lines = 12, .bit_lines = 9});
    const Eigen::MatrixXd v = test::positive_inputs(12, 11);
    NewtonSolver solver;
    const auto newton = solver.solve(crossbar, v, Voltages::skip);
    const auto chords = solver.solve_by_chords(crossbar, v, Voltages::skip);
    CHECK(solver.reports().back().method == SolveMethod::chord_klu);
    CHECK((chords.current - newton.current).cwiseAbs().maxCoeff() <=
          1e-8 * newton.current.cwiseAbs().maxCoeff());
}

TEST_CASE("an input that does not converge is named and its currents are NaN") {
    const Crossbar crossbar = test::sinh_array({.factor = 30});
    NewtonSolver solver(NewtonSettings{.max_iterations = 3});
    Eigen::MatrixXd v = test::positive_inputs(crossbar.shape().word_lines, 2);
    v.col(1) *= 10;
    v.col(0) *= 1e-3;
    const auto point = solver.solve(crossbar, v, Voltages::keep);
    CHECK(solver.reports()[0].converged);
    CHECK_FALSE(solver.reports()[1].converged);
    CHECK(point.current.col(0).allFinite());
    CHECK(point.current.col(1).array().isNaN().all());
    CHECK(point.word_line_voltage[1].array().isNaN().all());
    REQUIRE(point.warnings.size() == 1);
    CHECK(point.warnings[0].find("input 1") != std::string::npos);
}

TEST_CASE("the nodal engine solves nonlinear cells by Newton and has no transfer matrix for them") {
    const Crossbar crossbar = test::sinh_array({});
    const Eigen::MatrixXd v = test::positive_inputs(crossbar.shape().word_lines, 2);
    NodalSolver nodal;
    NewtonSolver newton;
    CHECK(nodal.solve(crossbar, v, Voltages::skip).current ==
          newton.solve(crossbar, v, Voltages::skip).current);
    CHECK_THROWS_WITH_AS((void)nodal.transfer(crossbar), doctest::Contains("sinh"), InvalidInput);
}

TEST_CASE("inputs of another number of word lines, or not finite, are refused") {
    const Crossbar crossbar = test::sinh_array({});
    NewtonSolver solver;
    CHECK_THROWS_AS((void)solver.solve(crossbar, Eigen::MatrixXd::Zero(1, 1), Voltages::skip),
                    InvalidInput);
    Eigen::MatrixXd v = test::positive_inputs(crossbar.shape().word_lines, 1);
    v(0, 0) = std::nan("");
    CHECK_THROWS_AS((void)solver.solve(crossbar, v, Voltages::skip), InvalidInput);
}
