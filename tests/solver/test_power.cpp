#include <doctest/doctest.h>

#include "circuit/power.hpp"
#include "random_arrays.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/nonlinear_solver.hpp"
#include "solver/port_tree.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

/// Every random array's lines have some resistance, so that nothing is undetermined.
Crossbar determined_array(Dice& dice) {
    return random_array(dice, {.largest = 9, .zero_resistances = false, .shorts = false});
}

}  // namespace

TEST_CASE("power in is power dissipated, and currents are those of the terminals") {
    Dice dice(7);
    NodalSolver solver;
    for (int trial = 0; trial < 60; ++trial) {
        CAPTURE(trial);
        const Crossbar crossbar = determined_array(dice);
        const Eigen::MatrixXd inputs = random_inputs(dice, crossbar.shape().word_lines, 2);
        const OperatingPoint point = solver.solve(crossbar, inputs, Voltages::keep);
        PortTree tree(Retain::everything);
        REQUIRE(tree.reduce(crossbar));
        const Eigen::MatrixXd sources = tree.source_currents(inputs);
        for (Index k = 0; k < inputs.cols(); ++k) {
            const auto& word = point.word_line_voltage[static_cast<std::size_t>(k)];
            const auto& bit = point.bit_line_voltage[static_cast<std::size_t>(k)];
            const LineCurrents currents = line_currents(crossbar, word, bit, inputs.col(k));
            const ArrayPower power = array_power(crossbar, word, bit, inputs.col(k), currents);
            const double scale = inputs.col(k).cwiseAbs().dot(sources.col(k).cwiseAbs());
            CHECK(std::abs(power.delivered - power.dissipated()) <= 1e-11 * scale);
            CHECK(std::abs(power.delivered - inputs.col(k).dot(sources.col(k))) <= 1e-11 * scale);
            // Word lines draw through their driven ends, bit lines give at their sensed ends.
            const Wires& wires = crossbar.wires();
            Eigen::VectorXd drawn = currents.right_end;
            if (wires.drives_left()) drawn += currents.word_line.col(0);
            Eigen::VectorXd given = currents.top_end;
            if (wires.senses_bottom()) given += currents.bit_line.bottomRows(1).transpose();
            const double largest = sources.col(k).cwiseAbs().sum();
            CHECK((drawn - sources.col(k)).cwiseAbs().maxCoeff() <= 1e-11 * largest);
            CHECK((given - point.current.col(k)).cwiseAbs().maxCoeff() <= 1e-11 * largest);
        }
    }
}

TEST_CASE("power of nonlinear cells balances too") {
    Dice dice(8);
    NonlinearSolver solver;
    for (int trial = 0; trial < 10; ++trial) {
        CAPTURE(trial);
        const Crossbar crossbar = determined_array(dice).with_law(CellLaw::sinh(2));
        const Eigen::MatrixXd inputs = random_inputs(dice, crossbar.shape().word_lines, 1);
        const OperatingPoint point = solver.solve(crossbar, inputs, Voltages::keep);
        const auto& word = point.word_line_voltage.front();
        const auto& bit = point.bit_line_voltage.front();
        const LineCurrents currents = line_currents(crossbar, word, bit, inputs.col(0));
        const ArrayPower power = array_power(crossbar, word, bit, inputs.col(0), currents);
        const double scale = inputs.col(0).cwiseAbs().dot(currents.cell.rowwise().sum().cwiseAbs());
        CHECK(std::abs(power.delivered - power.dissipated()) <= 1e-8 * scale);
    }
}
