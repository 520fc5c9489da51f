// Neighbouring lines that touch: closed forms, and one engine against another.
#include <doctest/doctest.h>

#include "circuit/ideal_solver.hpp"
#include "circuit/power.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/nonlinear_solver.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;

namespace {

constexpr double g = 1e-4;

}  // namespace

TEST_CASE("two word lines that touch are a bridge of five resistances") {
    // (V1 - u1) / R = G1 u1 + (u1 - u2) / B, and likewise for u2: two equations by Cramer's rule.
    const double R = 500, B = 200, G1 = 3e-4, G2 = 1e-4, V1 = 0.2, V2 = -0.05;
    const CellMatrix cells = (CellMatrix(2, 1) << G1, G2).finished();
    const Crossbar array(cells, Wires{.driver = R, .bridges = {{Bridge::Lines::word, 0, 0, B}}});
    const double d1 = 1 / R + G1 + 1 / B;
    const double d2 = 1 / R + G2 + 1 / B;
    const double determinant = d1 * d2 - 1 / (B * B);
    const double u1 = (V1 / R * d2 + V2 / R / B) / determinant;
    const double u2 = (d1 * V2 / R + V1 / R / B) / determinant;
    const Eigen::VectorXd inputs = (Eigen::VectorXd(2) << V1, V2).finished();
    NodalSolver nodal;
    TransferSolver transfer;
    NonlinearSolver nonlinear;
    for (OperatingPointSolver* solver :
         {static_cast<OperatingPointSolver*>(&nodal), static_cast<OperatingPointSolver*>(&transfer),
          static_cast<OperatingPointSolver*>(&nonlinear)}) {
        CAPTURE(solver->name());
        const OperatingPoint point = solver->solve(array, inputs, Voltages::keep);
        CHECK(point.current(0, 0) == doctest::Approx(G1 * u1 + G2 * u2).epsilon(1e-12));
        CHECK(point.word_line_voltage[0](0, 0) == doctest::Approx(u1).epsilon(1e-12));
        CHECK(point.word_line_voltage[0](1, 0) == doctest::Approx(u2).epsilon(1e-12));
        CHECK((solver == &nonlinear || point.warnings.empty()));
    }
    const Eigen::MatrixXd T = transfer.transfer(array);
    CHECK(T(0, 0) == doctest::Approx((G1 * d2 + G2 / B) / R / determinant).epsilon(1e-12));
}

TEST_CASE("bit lines that touch share their currents by their read-out inputs") {
    // One cell feeds bit line 0; bit line 1 has none. Its current: a divider of S against B + S.
    const double S = 100, B = 50, V = 0.2;
    const CellMatrix cells = (CellMatrix(1, 2) << g, 0).finished();
    const Crossbar array(cells, Wires{.sense = S, .bridges = {{Bridge::Lines::bit, 0, 0, B}}});
    const double to_ground = 1 / (1 / S + 1 / (B + S));
    const double total = V / (1 / g + to_ground);
    const auto point =
        TransferSolver().solve(array, Eigen::VectorXd::Constant(1, V), Voltages::keep);
    CHECK(point.current(0, 0) == doctest::Approx(total * to_ground / S).epsilon(1e-12));
    CHECK(point.current(1, 0) == doctest::Approx(total * to_ground / (B + S)).epsilon(1e-12));
}

TEST_CASE("bridges between ideal sources and between ideal grounds change no column current") {
    const CellMatrix cells = (CellMatrix(2, 2) << g, 2 * g, 3 * g, 4 * g).finished();
    const Crossbar sound{cells};
    const Crossbar bridged(cells, Wires{.bridges = {{Bridge::Lines::word, 0, 1, 1.0},
                                                    {Bridge::Lines::bit, 1, 0, 1.0}}});
    const Eigen::VectorXd inputs = (Eigen::VectorXd(2) << 0.2, 0.1).finished();
    const auto expected = IdealSolver().solve(sound, inputs, Voltages::skip);
    for (const bool is_transfer : {false, true}) {
        NodalSolver nodal;
        TransferSolver transfer;
        OperatingPointSolver& solver =
            is_transfer ? static_cast<OperatingPointSolver&>(transfer) : nodal;
        const auto point = solver.solve(bridged, inputs, Voltages::skip);
        for (Index c = 0; c < 2; ++c)
            CHECK(point.current(c, 0) == doctest::Approx(expected.current(c, 0)).epsilon(1e-12));
    }
}

TEST_CASE("what a bridge takes is in the power of its array") {
    const double R = 10;
    const Crossbar array(CellMatrix::Constant(2, 1, g),
                         Wires{.driver = R, .bridges = {{Bridge::Lines::word, 0, 0, 5.0}}});
    const Eigen::VectorXd inputs = (Eigen::VectorXd(2) << 0.2, 0.0).finished();
    const auto point = NodalSolver().solve(array, inputs, Voltages::keep);
    const CellMatrix& word = point.word_line_voltage[0];
    const CellMatrix& bit = point.bit_line_voltage[0];
    const LineCurrents currents = line_currents(array, word, bit, inputs);
    const double through = (word(0, 0) - word(1, 0)) / 5.0;
    CHECK(currents.bridge == std::vector<double>{through});
    CHECK(currents.word_line(0, 0) == doctest::Approx((0.2 - word(0, 0)) / R).epsilon(1e-9));
    const ArrayPower power = array_power(array, word, bit, inputs, currents);
    CHECK(power.delivered == doctest::Approx(0.2 * (0.2 - word(0, 0)) / R).epsilon(1e-9));
    CHECK(power.dissipated() == doctest::Approx(power.delivered).epsilon(1e-9));
    CHECK(worst_word_line_segment(array, currents).name == "rwl_a_0_0");
}
