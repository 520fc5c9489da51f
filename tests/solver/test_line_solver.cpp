#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "circuit/error.hpp"
#include "circuit/instruction_set.hpp"
#include "nonlinear_arrays.hpp"
#include "random_arrays.hpp"
#include "solver/detail/line_kernels.hpp"
#include "solver/line_solver.hpp"
#include "solver/newton.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/nonlinear_solver.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;
using test::kirchhoff_residual;
using test::positive_inputs;
using test::series_current;
using test::sinh_array;

namespace {

/// Largest difference of a current relative to the largest current of its input.
double difference(const Eigen::MatrixXd& x, const Eigen::MatrixXd& y) {
    double worst = 0;
    for (Index k = 0; k < x.cols(); ++k) {
        const double here =
            (x.col(k) - y.col(k)).cwiseAbs().maxCoeff() / y.col(k).cwiseAbs().maxCoeff();
        if (!(here <= worst)) worst = here;
    }
    return worst;
}

Eigen::MatrixXd by_newton(const Crossbar& crossbar, const Eigen::MatrixXd& v) {
    NewtonSolver newton;
    return newton.solve(crossbar, v, Voltages::skip).current;
}

/// I = g (v + b v^3)
class CubicLaw final : public CustomCellLaw {
  public:
    [[nodiscard]] std::string name() const override { return "cubic"; }
    void current(std::span<const double> g, std::span<const double> v,
                 std::span<double> i) const override {
        for (std::size_t k = 0; k < v.size(); ++k) i[k] = g[k] * (v[k] + 8 * v[k] * v[k] * v[k]);
    }
    void derivative(std::span<const double> g, std::span<const double> v,
                    std::span<double> s) const override {
        for (std::size_t k = 0; k < v.size(); ++k) s[k] = g[k] * (1 + 24 * v[k] * v[k]);
    }
};

/// I = g b arsinh(v / b): saturates.
class ArsinhLaw final : public CustomCellLaw {
  public:
    [[nodiscard]] std::string name() const override { return "arsinh"; }
    void current(std::span<const double> g, std::span<const double> v,
                 std::span<double> i) const override {
        for (std::size_t k = 0; k < v.size(); ++k) i[k] = g[k] * 0.1 * std::asinh(v[k] / 0.1);
    }
    void derivative(std::span<const double> g, std::span<const double> v,
                    std::span<double> s) const override {
        for (std::size_t k = 0; k < v.size(); ++k) s[k] = g[k] / std::sqrt(1 + v[k] * v[k] / 0.01);
    }
};

}  // namespace

TEST_CASE("one sinh cell behind its wires, by line solves, carries what a scalar equation says") {
    Wires wires;
    wires.word_line_segment = 2000;
    wires.bit_line_segment = 3000;
    Eigen::MatrixXd v(1, 5);
    v << 0.2, -0.3, 1e-9, 0.0, 0.5;
    for (const double a : {0.5, 2.0, 12.0}) {
        CAPTURE(a);
        const Crossbar crossbar =
            Crossbar(CellMatrix::Constant(1, 1, 1e-4), wires).with_law(CellLaw::sinh(a));
        LineSolver solver;
        const auto point = solver.solve(crossbar, v, Voltages::keep);
        for (Index k = 0; k < v.cols(); ++k) {
            const double expected = series_current(1e-4, a, 5000, v(0, k));
            CHECK(point.current(0, k) == doctest::Approx(expected).epsilon(2e-9));
            CHECK(point.word_line_voltage[static_cast<std::size_t>(k)](0, 0) ==
                  doctest::Approx(v(0, k) - 2000 * expected).epsilon(1e-9));
        }
    }
}

TEST_CASE("line solves agree with Newton and KLU for every shape and any number of inputs") {
    for (const auto& [m, n] :
         {std::pair<Index, Index>{1, 1}, {1, 9}, {9, 1}, {5, 3}, {17, 31}, {40, 24}})
        for (const Index batch : {1, 2, 7, 8, 9, 19}) {
            CAPTURE(m);
            CAPTURE(n);
            CAPTURE(batch);
            const Crossbar crossbar = sinh_array({.word_lines = m, .bit_lines = n, .factor = 3});
            const Eigen::MatrixXd v = positive_inputs(m, batch, 0.3);
            LineSolver solver;
            const auto point = solver.solve(crossbar, v, Voltages::skip);
            CHECK(point.current.cols() == batch);
            CHECK(difference(point.current, by_newton(crossbar, v)) < 2e-9);
            CHECK(point.residual < 1e-9);
            for (const auto& report : solver.reports()) {
                CHECK(report.converged);
                CHECK(report.method == SolveMethod::line);
                CHECK(report.residual <= 1e-9);
            }
        }
}

TEST_CASE("random arrays with open wires, shorts and any driven ends agree with Newton and KLU") {
    test::Dice dice(3);
    int solved = 0;
    for (int trial = 0; trial < 200; ++trial) {
        const Crossbar crossbar =
            test::random_array(dice, {.zero_resistances = false, .shorts = trial % 2 == 0})
                .with_law(CellLaw::sinh(dice.log_uniform(0.1, 8)));
        const Eigen::MatrixXd v = test::random_inputs(dice, crossbar.shape().word_lines, 3);
        LineSolver solver;
        if (solver.obstacle(crossbar)) continue;
        ++solved;
        CAPTURE(trial);
        const auto point = solver.solve(crossbar, v, Voltages::keep);
        NewtonSolver newton;
        const auto expected = newton.solve(crossbar, v, Voltages::skip);
        for (Index k = 0; k < 3; ++k) {
            const auto at = static_cast<std::size_t>(k);
            if (!solver.reports()[at].converged) continue;
            // The bound: all terminal currents together are off by no more than the residual
            // times the cell currents, which a column's share of a current loop may exceed.
            CHECK(kirchhoff_residual(crossbar, v.col(k), point.word_line_voltage[at],
                                     point.bit_line_voltage[at]) < 1e-7);
        }
        NonlinearSolver engine;
        const auto found = engine.solve(crossbar, v, Voltages::skip);
        CHECK(found.current.allFinite());
        CHECK((found.current - expected.current).cwiseAbs().maxCoeff() <=
              1e-7 * expected.current.cwiseAbs().maxCoeff() + 1e-18);
    }
    CHECK(solved > 60);
}

TEST_CASE("reported node voltages satisfy Kirchhoff's law by an independent sum") {
    const Crossbar crossbar = sinh_array({.word_lines = 30, .bit_lines = 21, .segment = 10});
    const Eigen::MatrixXd v = positive_inputs(30, 3);
    LineSolver solver;
    const auto point = solver.solve(crossbar, v, Voltages::keep);
    for (std::size_t k = 0; k < 3; ++k)
        CHECK(kirchhoff_residual(crossbar, v.col(static_cast<Index>(k)), point.word_line_voltage[k],
                                 point.bit_line_voltage[k]) < 1e-9);
}

TEST_CASE("opposite inputs give exactly opposite currents") {
    const Crossbar crossbar = sinh_array({.word_lines = 20, .bit_lines = 13, .factor = 3});
    const Eigen::MatrixXd v = positive_inputs(20, 8, 0.3).array() - 0.1;
    LineSolver solver;
    const Eigen::MatrixXd plus = solver.solve(crossbar, v, Voltages::skip).current;
    CHECK(plus == -solver.solve(crossbar, -v, Voltages::skip).current);
}

TEST_CASE("sinh cells of a vanishing factor, and linear cells, give the ohmic currents") {
    const Crossbar sinh = sinh_array({.word_lines = 24, .bit_lines = 24, .factor = 1e-6});
    const Crossbar ohmic = sinh.with_law({});
    const Eigen::MatrixXd v = positive_inputs(24, 8);
    NodalSolver nodal;
    const Eigen::MatrixXd expected = nodal.solve(ohmic, v, Voltages::skip).current;
    LineSolver solver;
    CHECK(difference(solver.solve(sinh, v, Voltages::skip).current, expected) < 1e-9);
    CHECK(difference(solver.solve(ohmic, v, Voltages::skip).current, expected) < 1e-9);
}

TEST_CASE("a caller's law converges by line solves, steep or saturating") {
    const Eigen::MatrixXd v = positive_inputs(20, 5, 0.3);
    const std::vector<std::shared_ptr<const CustomCellLaw>> laws{std::make_shared<CubicLaw>(),
                                                                 std::make_shared<ArsinhLaw>()};
    for (const auto& law : laws) {
        const Crossbar crossbar = sinh_array({.word_lines = 20, .bit_lines = 15, .segment = 10})
                                      .with_law(CellLaw::custom(law));
        LineSolver solver;
        const auto point = solver.solve(crossbar, v, Voltages::skip);
        CHECK(solver.reports().front().converged);
        CHECK(difference(point.current, by_newton(crossbar, v)) < 2e-9);
    }
}

TEST_CASE("where line solves stall, Newton with conjugate gradients converges") {
    struct Hard {
        const char* name;
        test::SinhArray array;
    };
    const Hard cases[] = {
        {"100 ohm, all on", {48, 48, 100, 2, 1e-4, 1e-4}},
        {"10 ohm, 5 % stuck on", {48, 48, 10, 2, 1e-6, 1e-4, 0.05}},
        {"100 ohm, 5 % stuck on", {48, 48, 100, 2, 1e-6, 1e-4, 0.05}},
        {"strong law", {48, 48, 10, 20, 1e-6, 1e-4}},
    };
    for (const Hard& hard : cases) {
        CAPTURE(hard.name);
        const Crossbar crossbar = sinh_array(hard.array);
        const Eigen::MatrixXd v = positive_inputs(48, 5, 0.3);
        // Small arrays stall late: wait for less than on large ones.
        LineSolver solver(LineSettings{.stall_iterations = 10});
        const auto point = solver.solve(crossbar, v, Voltages::skip);
        for (const auto& report : solver.reports()) {
            CHECK(report.converged);
            CHECK(report.method == SolveMethod::newton_pcg);
            CHECK(report.inner_iterations > 0);
        }
        CHECK(difference(point.current, by_newton(crossbar, v)) < 2e-9);
    }
}

TEST_CASE("Newton with conjugate gradients is damped where sinh overflows at the inputs") {
    const Crossbar crossbar =
        sinh_array({.word_lines = 4, .bit_lines = 4, .segment = 100, .factor = 400});
    const Eigen::MatrixXd v = positive_inputs(4, 2, 4.0);  // sinh(1600) is infinite
    NonlinearSolver solver;
    const auto point = solver.solve(crossbar, v, Voltages::skip);
    CHECK(difference(point.current, by_newton(crossbar, v)) < 1e-8);
}

TEST_CASE("an input that does not converge is reported and its currents are NaN, others stand") {
    const Crossbar crossbar = sinh_array({.word_lines = 8, .bit_lines = 8, .factor = 30});
    Eigen::MatrixXd v = positive_inputs(8, 2);
    v.col(0) *= 1e-6;
    v.col(1) *= 10;
    LineSolver solver(LineSettings{.max_newton_steps = 2});
    const auto point = solver.solve(crossbar, v, Voltages::keep);
    CHECK(solver.reports()[0].converged);
    CHECK_FALSE(solver.reports()[1].converged);
    CHECK(solver.reports()[1].residual > 1e-9);
    CHECK(point.current.col(0).allFinite());
    CHECK(point.current.col(1).array().isNaN().all());
    CHECK(point.bit_line_voltage[1].array().isNaN().all());
    REQUIRE(point.warnings.size() == 1);
    CHECK(point.warnings[0].find("input 1") != std::string::npos);
}

TEST_CASE("the engine solves such inputs by Newton and KLU and says so") {
    const Crossbar crossbar = sinh_array({.word_lines = 8, .bit_lines = 8, .factor = 30});
    Eigen::MatrixXd v = positive_inputs(8, 2);
    v.col(0) *= 1e-6;
    v.col(1) *= 5;
    NonlinearSolver solver(LineSettings{.max_newton_steps = 2});
    const auto point = solver.solve(crossbar, v, Voltages::keep);
    CHECK(solver.reports()[1].method == SolveMethod::newton_klu);
    CHECK(solver.reports()[1].converged);
    CHECK(difference(point.current, by_newton(crossbar, v)) < 1e-9);
    CHECK(point.word_line_voltage[1].allFinite());
    REQUIRE(point.warnings.size() == 1);
    CHECK(point.warnings[0].find("Newton + KLU") != std::string::npos);
}

TEST_CASE("the engine leaves merged and cut-off nets to Newton and KLU and says so") {
    Wires merged;
    merged.word_line_segment = 2;  // bit lines are one node each
    const Eigen::MatrixXd v = positive_inputs(3, 2);
    const Crossbar ohmic(CellMatrix::Constant(3, 3, 1e-5), merged);
    const Crossbar crossbar = ohmic.with_law(CellLaw::sinh(2));
    LineSolver line;
    CHECK(line.obstacle(crossbar).has_value());
    CHECK_THROWS_AS((void)line.solve(crossbar, v, Voltages::skip), InvalidInput);
    NonlinearSolver solver;
    const auto point = solver.solve(crossbar, v, Voltages::skip);
    CHECK(point.current == by_newton(crossbar, v));
    REQUIRE_FALSE(point.warnings.empty());
    CHECK(point.warnings.back().find("merged") != std::string::npos);
}

TEST_CASE("an open wire is no obstacle while every net reaches a terminal") {
    Wires wires;
    CellMatrix segment = CellMatrix::Constant(4, 4, 2.0);
    segment(1, 2) = std::numeric_limits<double>::infinity();
    wires.word_line_segment = LineResistance(segment);
    wires.bit_line_segment = 2;
    const Crossbar crossbar =
        Crossbar(CellMatrix::Constant(4, 4, 1e-4), wires).with_law(CellLaw::sinh(2));
    const Eigen::MatrixXd v = positive_inputs(4, 3);
    LineSolver solver;
    CHECK_FALSE(solver.obstacle(crossbar).has_value());
    CHECK(difference(solver.solve(crossbar, v, Voltages::skip).current, by_newton(crossbar, v)) <
          1e-9);
}

TEST_CASE("arrays without inputs, without conductance and without voltage have no current") {
    LineSolver solver;
    const Crossbar dark = sinh_array({}).with_law(CellLaw::sinh(3));
    CHECK(solver.solve(dark, Eigen::MatrixXd::Zero(8, 3), Voltages::skip).current ==
          Eigen::MatrixXd::Zero(8, 3));
    CHECK(solver.solve(dark, Eigen::MatrixXd(8, 0), Voltages::skip).current.cols() == 0);
    Wires wires;
    wires.word_line_segment = 2;
    wires.bit_line_segment = 2;
    const Crossbar empty = Crossbar(CellMatrix::Zero(5, 6), wires).with_law(CellLaw::sinh(2));
    CHECK(solver.solve(empty, positive_inputs(5, 2), Voltages::skip).current ==
          Eigen::MatrixXd::Zero(6, 2));
}

TEST_CASE("every instruction set finds the same currents") {
    const Crossbar arrays[] = {
        sinh_array({.word_lines = 33, .bit_lines = 20, .segment = 10, .factor = 3}),
        sinh_array({.word_lines = 33, .bit_lines = 20, .segment = 100, .stuck_on = 0.05}),
        sinh_array({.word_lines = 33, .bit_lines = 20})
            .with_law(CellLaw::custom(std::make_shared<CubicLaw>()))};
    const Eigen::MatrixXd v = positive_inputs(33, 11);
    for (const Crossbar& crossbar : arrays) {
        // Far below the tolerance, so that what is left is arithmetic, not iteration.
        const LineSettings settings{.tolerance = 1e-12,
                                    .instruction_set = InstructionSet::baseline};
        LineSolver reference(settings);
        const Eigen::MatrixXd expected = reference.solve(crossbar, v, Voltages::skip).current;
        for (const InstructionSet set : available_instruction_sets()) {
            CAPTURE(to_string(set));
            LineSettings other = settings;
            other.instruction_set = set;
            LineSolver solver(other);
            CHECK(difference(solver.solve(crossbar, v, Voltages::skip).current, expected) < 1e-11);
        }
    }
}

TEST_CASE("vectorised sinh and cosh are right to four units in the last place") {
    std::vector<double> x{0.0,  -0.0, 1e-300, 1e-20, -1e-8, 0.52,  1.0,   1.0000001,
                          1.14, -2.5, 20.0,   -37.0, 300.0, 700.0, 710.4, -710.4};
    test::Dice dice(9);
    for (int k = 0; k < 20000; ++k)
        x.push_back((dice.chance(0.5) ? 1 : -1) * dice.log_uniform(1e-6, 700));
    constexpr double ulp = std::numeric_limits<double>::epsilon();
    for (const auto* kernels : detail::available_line_kernels()) {
        CAPTURE(kernels->instruction_set);
        std::vector<double> sinh(x.size());
        std::vector<double> cosh(x.size());
        kernels->hyperbolic(x.data(), sinh.data(), cosh.data(), x.size());
        double worst = 0;
        for (std::size_t k = 0; k < x.size(); ++k) {
            const auto exact = static_cast<long double>(x[k]);
            const auto s = static_cast<double>(std::sinh(exact));
            const auto c = static_cast<double>(std::cosh(exact));
            if (s != 0) worst = std::max(worst, std::abs(sinh[k] - s) / std::abs(s));
            if (s == 0) CHECK(sinh[k] == 0);
            worst = std::max(worst, std::abs(cosh[k] - c) / c);
        }
        CHECK(worst <= 4 * ulp);
        const double beyond[] = {720.0, -720.0, std::numeric_limits<double>::infinity()};
        kernels->hyperbolic(beyond, sinh.data(), cosh.data(), 3);
        CHECK(sinh[0] == std::numeric_limits<double>::infinity());
        CHECK(sinh[1] == -std::numeric_limits<double>::infinity());
        CHECK(cosh[2] == std::numeric_limits<double>::infinity());
    }
}

TEST_CASE("a batch's results do not depend on what was solved before") {
    const Crossbar one = sinh_array({.word_lines = 12, .bit_lines = 12});
    const Crossbar two = sinh_array({.word_lines = 12, .bit_lines = 12, .segment = 10, .seed = 2});
    const Eigen::MatrixXd v = positive_inputs(12, 9);
    LineSolver fresh;
    LineSolver used;
    (void)used.solve(two, v, Voltages::skip);
    const Eigen::MatrixXd expected = fresh.solve(one, v, Voltages::skip).current;
    CHECK(used.solve(one, v, Voltages::skip).current == expected);
    CHECK(used.solve(one, v, Voltages::skip).current == expected);
}

TEST_CASE("nonlinear cells have no transfer matrix, and the transfer engine refuses them") {
    const Crossbar crossbar = sinh_array({});
    NonlinearSolver nonlinear;
    TransferSolver transfer;
    CHECK_THROWS_WITH_AS((void)nonlinear.transfer(crossbar), doctest::Contains("linear cells"),
                         InvalidInput);
    CHECK_THROWS_AS((void)transfer.transfer(crossbar), InvalidInput);
    CHECK_THROWS_WITH_AS((void)transfer.solve(crossbar, positive_inputs(8, 1), Voltages::skip),
                         doctest::Contains("engine transfer"), InvalidInput);
}
