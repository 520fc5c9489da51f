#pragma once

#include <memory>
#include <vector>

#include "circuit/operating_point_solver.hpp"
#include "solver/input_report.hpp"

namespace kirchnet {

struct NewtonSettings {
    int max_iterations = 200;
    double tolerance = 1e-9;  ///< on InputReport::residual; a last correction then polishes
    bool polish = true;       ///< false: stop at the tolerance, as a benchmark wants it
};

/// Newton's method on the nodal equations, each step solved by KLU: the judge of nonlinear cells.
/// Knows every circuit that `expand` describes. Steps are damped along the descent of the circuit's
/// co-content, a convex function, so that any odd monotone law converges from any input. Results of
/// an input do not depend on the others. One object serves one thread.
class NewtonSolver {
  public:
    explicit NewtonSolver(NewtonSettings settings = {});
    ~NewtonSolver();

    /// @param inputs   read voltages [V], [word_lines × batch], finite
    /// @return         NaN currents where an input did not converge, named in `warnings`
    /// @throws InvalidInput, SingularSystem  as OperatingPointSolver::solve states
    [[nodiscard]] OperatingPoint solve(const Crossbar& crossbar,
                                       const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                       Voltages voltages);

    /// The same by chords: factors of the ohmic array for all steps and blocks of eight inputs.
    /// For comparison; converges only while no cell's slope exceeds twice its conductance by much.
    [[nodiscard]] OperatingPoint solve_by_chords(const Crossbar& crossbar,
                                                 const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                                 Voltages voltages);

    /// One per input of the last batch.
    [[nodiscard]] const std::vector<InputReport>& reports() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kirchnet
