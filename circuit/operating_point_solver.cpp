#include "circuit/operating_point_solver.hpp"

#include <fmt/format.h>

#include "circuit/error.hpp"

namespace kirchnet {

Eigen::MatrixXd OperatingPointSolver::transfer_rows(const Crossbar& crossbar, Index bit_lines) {
    require_linear_cells(crossbar, "a transfer matrix");
    const Index m = crossbar.shape().word_lines;
    return solve(crossbar, Eigen::MatrixXd::Identity(m, m), Voltages::skip)
        .current.topRows(bit_lines);
}

ArrayPorts OperatingPointSolver::ports(const Crossbar&) {
    throw InvalidInput(fmt::format("engine {}", name()),
                       "knows no admittances of arrays, which amplifiers of their own offset or of "
                       "a current-mode subtractor take; choose transfer or nodal");
}

void check_inputs(const Crossbar& crossbar, const Eigen::Ref<const Eigen::MatrixXd>& inputs) {
    if (inputs.rows() != crossbar.shape().word_lines)
        throw InvalidInput("read voltages",
                           fmt::format("{} values per input, but the array has {} word lines",
                                       inputs.rows(), crossbar.shape().word_lines));
    if (!inputs.allFinite()) throw InvalidInput("read voltages", "contain NaN or infinity");
}

void require_linear_cells(const Crossbar& crossbar, std::string_view who) {
    if (!crossbar.law().is_linear())
        throw InvalidInput("cell law " + to_string(crossbar.law()),
                           fmt::format("{} is for linear cells; solve this array with engine "
                                       "nonlinear or nodal",
                                       who));
}

}  // namespace kirchnet
