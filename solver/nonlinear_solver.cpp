#include "solver/nonlinear_solver.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kirchnet {
namespace {

std::string describe_second_try(std::size_t input, const InputReport& first,
                                const InputReport& second) {
    const std::string story = fmt::format(
        "input {}: the line method stopped at a residual of {:.1e} after {} line iterations and {} "
        "Newton steps",
        input, first.residual, first.line_iterations, first.newton_steps);
    if (second.converged)
        return story + fmt::format("; solved by Newton + KLU in {} steps", second.newton_steps);
    return story + fmt::format(", Newton + KLU at {:.1e}; its currents are NaN", second.residual);
}

}  // namespace

NonlinearSolver::NonlinearSolver(LineSettings line, NewtonSettings newton)
    : line_(line), newton_(newton) {}

OperatingPoint NonlinearSolver::solve(const Crossbar& crossbar,
                                      const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                      Voltages voltages) {
    check_inputs(crossbar, inputs);
    if (const auto obstacle = line_.obstacle(crossbar)) {
        OperatingPoint point = newton_.solve(crossbar, inputs, voltages);
        reports_ = newton_.reports();
        point.iterations = iterations_of(reports_);
        point.warnings.push_back("the array " + *obstacle + ": solved by Newton + KLU");
        return point;
    }
    OperatingPoint point = line_.solve(crossbar, inputs, voltages);
    reports_ = line_.reports();
    const auto converged = [](const InputReport& report) { return report.converged; };
    if (!std::all_of(reports_.begin(), reports_.end(), converged))
        solve_again(crossbar, inputs, voltages, point);
    point.iterations = iterations_of(reports_);
    return point;
}

/// Newton + KLU for the inputs that have not converged.
void NonlinearSolver::solve_again(const Crossbar& crossbar,
                                  const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                  Voltages voltages, OperatingPoint& point) {
    point.warnings.clear();
    for (std::size_t k = 0; k < reports_.size(); ++k) {
        if (reports_[k].converged) continue;
        const auto column = static_cast<Index>(k);
        const OperatingPoint again = newton_.solve(crossbar, inputs.col(column), voltages);
        InputReport second = newton_.reports().front();
        point.warnings.push_back(describe_second_try(k, reports_[k], second));
        second.line_iterations = reports_[k].line_iterations;
        reports_[k] = second;
        point.current.col(column) = again.current;
        point.residual = std::max(point.residual, again.residual);
        if (voltages != Voltages::keep) continue;
        point.word_line_voltage[k] = again.word_line_voltage.front();
        point.bit_line_voltage[k] = again.bit_line_voltage.front();
    }
}

Eigen::MatrixXd NonlinearSolver::transfer_rows(const Crossbar& crossbar, Index bit_lines) {
    require_linear_cells(crossbar, "a transfer matrix");
    return OperatingPointSolver::transfer_rows(crossbar, bit_lines);
}

}  // namespace kirchnet
