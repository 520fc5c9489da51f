#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "circuit/error.hpp"
#include "netlists/ngspice_solver.hpp"

using namespace kirchnet;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();

Crossbar example() {
    CellMatrix g(3, 2);
    g << 1e-4, 2e-5, 1e-6, 7e-5, 3e-5, 1e-4;
    Wires wires;
    wires.word_line_segment = 20.0;
    wires.bit_line_segment = 35.0;
    wires.driver = LineResistance(Eigen::VectorXd(Eigen::Vector3d(10, 0, 40)));
    wires.sense = 5.0;
    return Crossbar(g, wires);
}

/// Sum of currents leaving a bit-line node, from voltages alone.
double current_sum_at_bit_line_node(const Crossbar& x, const OperatingPoint& p, Index r, Index c) {
    const auto& wl = p.word_line_voltage[0];
    const auto& bl = p.bit_line_voltage[0];
    const double below = r + 1 < wl.rows() ? bl(r + 1, c) : 0.0;
    double sum = (bl(r, c) - wl(r, c)) * x.conductance()(r, c) +
                 (bl(r, c) - below) / x.bit_line_resistance(r, c);
    if (r > 0) sum += (bl(r, c) - bl(r - 1, c)) / x.bit_line_resistance(r - 1, c);
    return sum;
}

}  // namespace

TEST_CASE("a ladder down the bit line gives the current found on paper") {
    // Cells 1 ohm to 1 V, segments 1 ohm: 1 - 2 b0 + b1 = 0 and 1 + b0 - 3 b1 = 0, so b0 = 0.8,
    // b1 = 0.6, and 0.6 A leave each column.
    Wires wires;
    wires.bit_line_segment = 1.0;
    const Crossbar crossbar(CellMatrix::Ones(2, 2), wires);
    const auto point = NgspiceSolver().solve(crossbar, Eigen::MatrixXd::Ones(2, 1), Voltages::keep);
    CHECK(point.current(0, 0) == doctest::Approx(0.6).epsilon(1e-13));
    CHECK(point.current(1, 0) == doctest::Approx(0.6).epsilon(1e-13));
    REQUIRE(point.bit_line_voltage.size() == 1);
    CHECK(point.bit_line_voltage[0](0, 1) == doctest::Approx(0.8).epsilon(1e-13));
    CHECK(point.bit_line_voltage[0](1, 0) == doctest::Approx(0.6).epsilon(1e-13));
    CHECK(point.word_line_voltage[0](1, 1) == 1.0);  // merged with its source
    CHECK(std::isnan(point.residual));
    CHECK(point.warnings.empty());
}

TEST_CASE("a bit line sensed at the top, or at both ends, gives the currents found on paper") {
    // Cells 1 ohm to 1 V and to 0 V, segments 1 ohm.
    Wires wires;
    wires.bit_line_segment = 1.0;
    const auto solve = [&](SenseSide side) {
        wires.sense_at = side;
        return NgspiceSolver().solve(Crossbar(CellMatrix::Ones(2, 1), wires), Eigen::Vector2d(1, 0),
                                     Voltages::keep);
    };
    // 1 - 3 b0 + b1 = 0, b0 - 2 b1 = 0: b0 = 0.4, b1 = 0.2
    const auto top = solve(SenseSide::top);
    CHECK(top.current(0, 0) == doctest::Approx(0.4).epsilon(1e-13));
    CHECK(top.bit_line_voltage[0](1, 0) == doctest::Approx(0.2).epsilon(1e-13));
    // 1 - 3 b0 + b1 = 0, b0 - 3 b1 = 0: b0 = 3/8, b1 = 1/8; one virtual ground takes b0 + b1
    const auto both = solve(SenseSide::both);
    CHECK(both.current(0, 0) == doctest::Approx(0.5).epsilon(1e-13));
    CHECK(both.bit_line_voltage[0](0, 0) == doctest::Approx(0.375).epsilon(1e-13));
}

TEST_CASE("a word line driven from the right, or from both ends, gives the currents on paper") {
    // Cells 1 ohm to ground, segments 1 ohm, drivers of 1 ohm without end segments.
    Wires wires;
    wires.word_line_segment = 1.0;
    wires.driver = 1.0;
    wires.end_segments = false;
    const auto solve = [&](DriveSide drive) {
        wires.drive = drive;
        return NgspiceSolver().solve(Crossbar(CellMatrix::Ones(1, 2), wires),
                                     Eigen::VectorXd::Ones(1), Voltages::skip);
    };
    // 1 - 3 u1 + u0 = 0, u1 - 2 u0 = 0: u1 = 0.4, u0 = 0.2
    CHECK(solve(DriveSide::right).current(0, 0) == doctest::Approx(0.2).epsilon(1e-13));
    CHECK(solve(DriveSide::right).current(1, 0) == doctest::Approx(0.4).epsilon(1e-13));
    // 1 - 3 u0 + u1 = 0 and likewise: u0 = u1 = 0.5
    CHECK(solve(DriveSide::both).current(0, 0) == doctest::Approx(0.5).epsilon(1e-13));
    CHECK(solve(DriveSide::both).current(1, 0) == doctest::Approx(0.5).epsilon(1e-13));
}

TEST_CASE("Kirchhoff's current law holds at every bit-line node, and currents leave through it") {
    const Crossbar crossbar = example();
    const auto point =
        NgspiceSolver().solve(crossbar, Eigen::Vector3d(0.2, -0.1, 0.15), Voltages::keep);
    for (Index r = 0; r < 3; ++r)
        for (Index c = 0; c < 2; ++c)
            CHECK(std::abs(current_sum_at_bit_line_node(crossbar, point, r, c)) < 1e-17);
    for (Index c = 0; c < 2; ++c)
        CHECK(point.current(c, 0) ==
              doctest::Approx(point.bit_line_voltage[0](2, c) / (35.0 + 5.0)).epsilon(1e-12));
}

TEST_CASE("a batch answers each input by itself: superposition to the last digits") {
    const Crossbar crossbar = example();
    Eigen::MatrixXd inputs(3, 4);
    inputs << 0.2, 0, 0.2, 0, -0.1, 1.0 / 3, -0.1 + 1.0 / 3, 0, 0, -0.3, -0.3, 0;
    const auto point = NgspiceSolver().solve(crossbar, inputs, Voltages::skip);
    REQUIRE(point.current.cols() == 4);
    CHECK(point.word_line_voltage.empty());
    for (Index c = 0; c < 2; ++c) {
        const double sum = point.current(c, 0) + point.current(c, 1);
        CHECK(point.current(c, 2) == doctest::Approx(sum).epsilon(1e-12));
        CHECK(point.current(c, 3) == 0.0);
    }
    CHECK(point.current(0, 0) != doctest::Approx(point.current(0, 1)));
}

TEST_CASE("without any resistance there is no unknown net, and I = G' V") {
    CellMatrix g(2, 3);
    g << 1e-4, 2e-4, 0, 3e-4, 5e-5, 1e-6;
    const auto point =
        NgspiceSolver().solve(Crossbar(g), Eigen::Vector2d(0.2, -0.4), Voltages::keep);
    const Eigen::VectorXd expected = g.transpose() * Eigen::Vector2d(0.2, -0.4);
    for (Index c = 0; c < 3; ++c)
        CHECK(point.current(c, 0) == doctest::Approx(expected(c)).epsilon(1e-13));
    CHECK(point.word_line_voltage[0](1, 2) == -0.4);
    CHECK(point.bit_line_voltage[0](1, 2) == 0.0);
}

TEST_CASE("one cell of 1000 S between wires is a short") {
    Wires wires;
    wires.driver = 1.0;
    wires.sense = 2.0;
    const auto point = NgspiceSolver().solve(Crossbar(CellMatrix::Constant(1, 1, 1e3), wires),
                                             Eigen::MatrixXd::Constant(1, 1, 0.3), Voltages::skip);
    CHECK(point.current(0, 0) == doctest::Approx(0.3 / 3.001).epsilon(1e-13));
}

TEST_CASE("what is cut off reads NaN and is warned of, the rest is solved") {
    CellMatrix g(2, 1);
    g << 1.0, 0.0;
    Wires wires;
    wires.driver = LineResistance(Eigen::VectorXd(Eigen::Vector2d(1, open)));
    const auto point =
        NgspiceSolver().solve(Crossbar(g, wires), Eigen::Vector2d(1, 1), Voltages::keep);
    CHECK(point.current(0, 0) == doctest::Approx(0.5).epsilon(1e-13));
    CHECK(std::isnan(point.word_line_voltage[0](1, 0)));
    CHECK(point.word_line_voltage[0](0, 0) == doctest::Approx(0.5));
    REQUIRE(point.warnings.size() == 1);
    CHECK(point.warnings[0].find("wl_a_1_0") != std::string::npos);
}

TEST_CASE("an array of which nothing conducts carries no current") {
    Wires wires;
    wires.driver = open;
    wires.sense = open;
    const auto point = NgspiceSolver().solve(Crossbar(CellMatrix::Zero(2, 2), wires),
                                             Eigen::MatrixXd::Ones(2, 1), Voltages::keep);
    CHECK(point.current.cwiseAbs().maxCoeff() == 0);
    CHECK(point.word_line_voltage[0].array().isNaN().all());
}

TEST_CASE("an empty batch gives an empty answer, and wrong inputs are refused") {
    NgspiceSolver solver;
    const Crossbar crossbar = example();
    const auto point = solver.solve(crossbar, Eigen::MatrixXd(3, 0), Voltages::keep);
    CHECK(point.current.rows() == 2);
    CHECK(point.current.cols() == 0);
    CHECK_THROWS_AS(solver.solve(crossbar, Eigen::MatrixXd::Ones(2, 1), Voltages::skip),
                    InvalidInput);
    CHECK_THROWS_AS(solver.solve(crossbar, Eigen::MatrixXd::Constant(3, 1, open), Voltages::skip),
                    InvalidInput);
}

TEST_CASE("the transfer matrix comes from one solve per word line") {
    const Crossbar crossbar = example();
    NgspiceSolver solver;
    const Eigen::Vector3d v(0.2, -0.1, 0.15);
    const Eigen::VectorXd by_transfer = solver.transfer(crossbar) * v;
    const auto direct = solver.solve(crossbar, v, Voltages::skip);
    for (Index c = 0; c < 2; ++c)
        CHECK(by_transfer(c) == doctest::Approx(direct.current(c, 0)).epsilon(1e-12));
}

TEST_CASE("expected time follows what ngspice 39 was measured at: 7 s and 144 s") {
    CHECK(expected_ngspice_seconds({64, 64}) > 1);
    CHECK(expected_ngspice_seconds({128, 128}) / expected_ngspice_seconds({64, 64}) ==
          doctest::Approx(144.0 / 7).epsilon(0.02));
    CHECK(expected_ngspice_seconds({1, 1}) < 0.1);
}
