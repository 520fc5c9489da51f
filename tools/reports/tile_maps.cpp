#include "tools/reports/tile_maps.hpp"

#include "solver/transfer_solver.hpp"

namespace kirchnet {

CellMatrix ir_drop(const Crossbar& array, Index used_word_lines, double read_voltage) {
    Eigen::MatrixXd inputs = Eigen::MatrixXd::Zero(array.shape().word_lines, 1);
    inputs.topRows(used_word_lines).setConstant(read_voltage);
    const OperatingPoint point = TransferSolver().solve(array, inputs, Voltages::keep);
    CellMatrix drop = point.bit_line_voltage.front() - point.word_line_voltage.front();
    drop.colwise() += inputs.col(0);
    return drop;
}

}  // namespace kirchnet
