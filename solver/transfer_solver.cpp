#include "solver/transfer_solver.hpp"

#include <limits>

#include "circuit/elements.hpp"

namespace kirchnet {
namespace {

/// With every segment connecting, each node reaches a terminal along its own line.
bool may_be_cut_off(const Wires& wires) {
    const auto has_open = [](const LineResistance& resistance) {
        return resistance.values().array().isInf().any();
    };
    return has_open(wires.word_line_segment) || has_open(wires.bit_line_segment) ||
           has_open(wires.driver) || has_open(wires.sense);
}

}  // namespace

OperatingPoint TransferSolver::solve(const Crossbar& crossbar,
                                     const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                     Voltages voltages) {
    check_inputs(crossbar, inputs);
    OperatingPoint point;
    if (voltages == Voltages::keep) {
        point = nodal_.solve(crossbar, inputs, voltages);
    } else {
        // T alone cannot tell Kirchhoff's residual.
        point.residual = std::numeric_limits<double>::quiet_NaN();
        if (may_be_cut_off(crossbar.wires()))
            if (const auto warning = describe_cut_off(expand(crossbar)); !warning.empty())
                point.warnings.push_back(warning);
    }
    point.current = transfer(crossbar) * inputs;
    return point;
}

Eigen::MatrixXd TransferSolver::transfer_rows(const Crossbar& crossbar, Index bit_lines) {
    if (tree_.reduce(crossbar)) return tree_.transfer_rows(bit_lines);
    return nodal_.transfer_rows(crossbar, bit_lines);
}

}  // namespace kirchnet
