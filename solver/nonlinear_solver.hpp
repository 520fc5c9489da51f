#pragma once

#include "solver/line_solver.hpp"
#include "solver/newton.hpp"

namespace kirchnet {

/// The engine for cells that are not ohmic: line solves for batches, Newton + KLU for arrays and
/// inputs that those cannot do, said in `warnings`. One object serves one thread.
class NonlinearSolver final : public OperatingPointSolver {
  public:
    explicit NonlinearSolver(LineSettings line = {}, NewtonSettings newton = {});

    [[nodiscard]] std::string_view name() const override { return "nonlinear"; }
    /// @return  NaN currents where an input did not converge by any method; see `reports`
    [[nodiscard]] OperatingPoint solve(const Crossbar& crossbar,
                                       const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                       Voltages voltages) override;
    /// @throws InvalidInput  unless the cells are linear
    [[nodiscard]] Eigen::MatrixXd transfer_rows(const Crossbar& crossbar, Index bit_lines) override;

    /// One per input of the last batch.
    [[nodiscard]] const std::vector<InputReport>& reports() const { return reports_; }

  private:
    void solve_again(const Crossbar& crossbar, const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                     Voltages voltages, OperatingPoint& point);

    LineSolver line_;
    NewtonSolver newton_;
    std::vector<InputReport> reports_;
};

}  // namespace kirchnet
