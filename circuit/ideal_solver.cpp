#include "circuit/ideal_solver.hpp"

namespace kirchnet {

OperatingPoint IdealSolver::solve(const Crossbar& crossbar,
                                  const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                  Voltages voltages) {
    check_inputs(crossbar, inputs);
    const auto& G = crossbar.conductance();
    OperatingPoint point;
    point.current = G.transpose() * inputs;
    if (voltages == Voltages::keep)
        for (Index k = 0; k < inputs.cols(); ++k) {
            point.word_line_voltage.emplace_back(inputs.col(k).replicate(1, G.cols()));
            point.bit_line_voltage.emplace_back(CellMatrix::Zero(G.rows(), G.cols()));
        }
    return point;
}

Eigen::MatrixXd IdealSolver::transfer_rows(const Crossbar& crossbar, Index bit_lines) {
    return crossbar.conductance().leftCols(bit_lines).transpose();
}

}  // namespace kirchnet
