#include "solver/transfer_solver.hpp"

#include <limits>

#include "circuit/elements.hpp"

namespace kirchnet {

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
        if (const auto warning = describe_cut_off(expand(crossbar)); !warning.empty())
            point.warnings.push_back(warning);
    }
    point.current = transfer(crossbar) * inputs;
    return point;
}

Eigen::MatrixXd TransferSolver::transfer_rows(const Crossbar& crossbar, Index bit_lines) {
    return nodal_.transfer_rows(crossbar, bit_lines);
}

}  // namespace kirchnet
