// Newton + KLU, the line method and ngspice's own Newton on behavioural sources.
#include <doctest/doctest.h>

#include "circuit/characterised_cell.hpp"
#include "circuit/table_law.hpp"
#include "netlists/characterise.hpp"
#include "netlists/ngspice_solver.hpp"
#include "nonlinear_laws.hpp"
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

TEST_CASE("Newton on KLU, line solves and ngspice agree on cells of two devices and of users") {
    CharacteriseSettings settings;
    settings.first_state = 0;
    const auto own =
        characterise(read_user_cell(".subckt own te be w=0\nrs te x 100\n"
                                    "bx x be i={1e-7*10^(3*w)}*(exp(v(x,be)/0.15)-1)\n.ends own\n",
                                    "own.cir", {"own", {"te", "be"}, "w", 0}),
                     settings);
    const std::vector<CellLaw> laws{
        parse_cell_law("stanford"),
        parse_cell_law("1s1r"),
        parse_cell_law("1s1r:is=1e-8,vs=0.012"),
        parse_cell_law("1t1r:beta=2e-2"),
        parse_cell_law("1t1r:vg=0.75,beta=4e-2"),
        CellLaw::custom(std::make_shared<SurfaceLaw>("byo", own.surface))};
    for (const CellLaw& law : laws) {
        double worst_line = 0;
        double worst_ngspice = 0;
        for (std::uint64_t number = 0; number < 8; ++number) {
            CAPTURE(to_string(law));
            CAPTURE(number);
            const Crossbar crossbar = test::within(test::random_crossbar(number), law);
            const auto inputs = test::random_inputs(number, crossbar.shape().word_lines, 2);
            NodalSolver nodal;
            NonlinearSolver nonlinear;
            NgspiceSolver ngspice;
            const auto judge = nodal.solve(crossbar, inputs, Voltages::skip);
            const double line =
                difference(nonlinear.solve(crossbar, inputs, Voltages::skip), judge);
            const double deck = difference(ngspice.solve(crossbar, inputs, Voltages::skip), judge);
            CHECK(line <= 1e-8);
            CHECK(deck <= 1e-6);
            worst_line = std::max(worst_line, line);
            worst_ngspice = std::max(worst_ngspice, deck);
        }
        MESSAGE(to_string(law), ": line solves ", worst_line, ", ngspice ", worst_ngspice);
    }
}
