// Newton + KLU, the line method and ngspice's own Newton on behavioural sources.
#include <doctest/doctest.h>

#include "circuit/table_law.hpp"
#include "netlists/ngspice_solver.hpp"
#include "random_crossbars.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/nonlinear_solver.hpp"

using namespace kirchnet;

namespace {

/// Largest difference of a current relative to the largest one of its input.
double difference(const OperatingPoint& x, const OperatingPoint& y) {
    double worst = 0;
    for (Index k = 0; k < x.current.cols(); ++k) {
        const double largest = y.current.col(k).cwiseAbs().maxCoeff();
        const double apart = (x.current.col(k) - y.current.col(k)).cwiseAbs().maxCoeff();
        if (const double here = largest > 0 ? apart / largest : apart; !(here <= worst))
            worst = here;
    }
    return worst;
}

}  // namespace

TEST_CASE("Newton on KLU, line solves and ngspice agree on cells of a table with corners") {
    const CellLaw law = CellLaw::custom(std::make_shared<TableLaw>(
        "corners", std::vector<CurveSample>{
                       {0, 0}, {0.03, 3e-7}, {0.07, 1.1e-6}, {0.12, 1.5e-6}, {0.3, 9e-6}}));
    for (std::uint64_t number = 0; number < 8; ++number) {
        CAPTURE(number);
        const Crossbar crossbar = test::random_crossbar(number).with_law(law);
        const auto inputs = test::random_inputs(number, crossbar.shape().word_lines, 2);
        NodalSolver nodal;
        NonlinearSolver nonlinear;
        NgspiceSolver ngspice;
        const auto judge = nodal.solve(crossbar, inputs, Voltages::skip);
        CHECK(difference(nonlinear.solve(crossbar, inputs, Voltages::skip), judge) <= 1e-8);
        CHECK(difference(ngspice.solve(crossbar, inputs, Voltages::skip), judge) <= 1e-6);
    }
}

TEST_CASE("Newton on KLU, line solves and ngspice agree on sinh cells") {
    for (std::uint64_t number = 0; number < 12; ++number) {
        CAPTURE(number);
        const Crossbar crossbar =
            test::random_crossbar(number).with_law(CellLaw::sinh(number % 2 == 0 ? 2 : 6));
        const auto inputs = test::random_inputs(number, crossbar.shape().word_lines, 2);
        NodalSolver nodal;
        NonlinearSolver nonlinear;
        NgspiceSolver ngspice;
        const auto judge = nodal.solve(crossbar, inputs, Voltages::skip);
        CHECK(difference(nonlinear.solve(crossbar, inputs, Voltages::skip), judge) <= 1e-8);
        // The project's definition of agreement of nonlinear circuits.
        CHECK(difference(ngspice.solve(crossbar, inputs, Voltages::skip), judge) <= 1e-6);
    }
}
