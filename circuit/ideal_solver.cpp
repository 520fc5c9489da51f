#include "circuit/ideal_solver.hpp"

namespace kirchnet {
namespace {

Eigen::MatrixXd nonlinear_currents(const Crossbar& crossbar,
                                   const Eigen::Ref<const Eigen::MatrixXd>& inputs) {
    const auto& G = crossbar.conductance();
    Eigen::MatrixXd current = Eigen::MatrixXd::Zero(G.cols(), inputs.cols());
    for (Index k = 0; k < inputs.cols(); ++k)
        for (Index r = 0; r < G.rows(); ++r)
            for (Index c = 0; c < G.cols(); ++c)
                current(c, k) += crossbar.law().current(G(r, c), inputs(r, k));
    return current;
}

}  // namespace

OperatingPoint IdealSolver::solve(const Crossbar& crossbar,
                                  const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                  Voltages voltages) {
    check_inputs(crossbar, inputs);
    const auto& G = crossbar.conductance();
    OperatingPoint point;
    point.current =
        crossbar.law().is_linear() ? G.transpose() * inputs : nonlinear_currents(crossbar, inputs);
    if (voltages == Voltages::keep)
        for (Index k = 0; k < inputs.cols(); ++k) {
            point.word_line_voltage.emplace_back(inputs.col(k).replicate(1, G.cols()));
            point.bit_line_voltage.emplace_back(CellMatrix::Zero(G.rows(), G.cols()));
        }
    return point;
}

Eigen::MatrixXd IdealSolver::transfer_rows(const Crossbar& crossbar, Index bit_lines) {
    require_linear_cells(crossbar, "a transfer matrix");
    return crossbar.conductance().leftCols(bit_lines).transpose();
}

}  // namespace kirchnet
