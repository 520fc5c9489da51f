// Adjoint sensitivities against difference quotients of ngspice's currents.
#include <doctest/doctest.h>

#include <algorithm>

#include "netlists/ngspice_solver.hpp"
#include "nonlinear_laws.hpp"
#include "random_crossbars.hpp"
#include "solver/sensitivity.hpp"

using namespace kirchnet;

namespace {

/// 6 × 5 cells of the law behind wires, driven and sensed ends by number, up to two bridges.
Crossbar bridged_array(std::uint64_t number, const CellLaw& law) {
    const Crossbar drawn = test::random_crossbar(number);
    const auto [least, most] = law.conductances();
    CellMatrix g(6, 5);
    for (Index i = 0; i < g.size(); ++i) {
        const double there = drawn.conductance().data()[i % drawn.conductance().size()];
        g.data()[i] = std::clamp(there * (1 + 0.1 * static_cast<double>(i)), std::max(1e-6, least),
                                 std::min(1e-3, 0.8 * most));
    }
    Wires wires{.word_line_segment = 20, .bit_line_segment = 30, .driver = 100, .sense = 50};
    wires.drive = DriveSide(number % 3);
    wires.sense_at = SenseSide(number / 3 % 3);
    if (number % 4 != 0) wires.bridges.push_back({Bridge::Lines::bit, 2, 1, 10});
    if (number % 4 > 1) wires.bridges.push_back({Bridge::Lines::word, 3, 0, 100});
    return Crossbar(g, wires).with_law(law);
}

/// Currents of ngspice with one cell's conductance times a factor.
Eigen::VectorXd currents(const Crossbar& crossbar, const Eigen::VectorXd& inputs, Index r, Index c,
                         double factor) {
    CellMatrix g = crossbar.conductance();
    g(r, c) *= factor;
    return NgspiceSolver()
        .solve(Crossbar(g, crossbar.wires()).with_law(crossbar.law()), inputs, Voltages::skip)
        .current;
}

/// Central, of fourth order in the step.
Eigen::VectorXd quotient(const Crossbar& crossbar, const Eigen::VectorXd& inputs, Index r,
                         Index c) {
    constexpr double h = 1e-2;
    const auto at = [&](double step) { return currents(crossbar, inputs, r, c, 1 + step); };
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) /
           (12 * h * crossbar.conductance()(r, c));
}

/// Largest difference relative to the cell's largest answer among all bit lines.
double worst_difference(const Crossbar& crossbar, const Eigen::VectorXd& inputs) {
    const auto point = NodalSolver().solve(crossbar, inputs, Voltages::keep);
    const auto found =
        SensitivitySolver(crossbar, point.word_line_voltage[0], point.bit_line_voltage[0])
            .of_bit_lines({0, 1, 2, 3, 4});
    double worst = 0;
    for (const auto& [r, c] : {std::pair<Index, Index>{0, 4}, {2, 1}, {3, 2}}) {
        const Eigen::VectorXd expected = quotient(crossbar, inputs, r, c);
        const double largest = expected.cwiseAbs().maxCoeff();
        for (std::size_t k = 0; k < found.size(); ++k)
            worst = std::max(worst,
                             std::abs(found[k](r, c) - expected(static_cast<Index>(k))) / largest);
    }
    return worst;
}

std::vector<CellLaw> all_laws() {
    std::vector<CellLaw> laws = test::nonlinear_laws();
    laws.emplace_back();
    laws.push_back(parse_cell_law("1t1r:vg=0.75,beta=4e-2"));  // near saturation
    return laws;
}

}  // namespace

TEST_CASE("sensitivities are difference quotients of ngspice, for every law, side and bridge") {
    for (const CellLaw& law : all_laws()) {
        double worst = 0;
        for (std::uint64_t number = 0; number < 9; ++number) {
            CAPTURE(to_string(law));
            CAPTURE(number);
            const double here =
                worst_difference(bridged_array(number, law), test::random_inputs(number, 6, 1));
            // h^4 = 1e-8 of the quotient, and its currents are known to 1e-10 of themselves, in
            // which a step of 1 % of one cell's current hardly shows.
            CHECK(here <= 1e-7);
            worst = std::max(worst, here);
        }
        MESSAGE(to_string(law), ": ", worst);
    }
}

TEST_CASE("every crossbar that has an operating point has sensitivities, by either road") {
    for (const CellLaw& law : all_laws())
        for (std::uint64_t number = 0; number < 60; ++number) {
            CAPTURE(to_string(law));
            CAPTURE(number);
            const Crossbar crossbar = test::within(test::random_crossbar(number), law);
            const Eigen::VectorXd inputs =
                test::random_inputs(number, crossbar.shape().word_lines, 1);
            const auto point = NodalSolver().solve(crossbar, inputs, Voltages::keep);
            const auto by = [&](AdjointRoad road) {
                return SensitivitySolver(crossbar, point.word_line_voltage[0],
                                         point.bit_line_voltage[0], road)
                    .of_own_bit_lines();
            };
            const CellMatrix nodal = by(AdjointRoad::nodal);
            const CellMatrix fastest = by(AdjointRoad::fastest);
            const double largest = nodal.cwiseAbs().maxCoeff();
            CHECK((fastest - nodal).cwiseAbs().maxCoeff() <= 1e-9 * largest);
        }
}
