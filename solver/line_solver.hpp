#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "circuit/instruction_set.hpp"
#include "circuit/operating_point_solver.hpp"
#include "solver/input_report.hpp"

namespace kirchnet {

struct LineSettings {
    double tolerance = 1e-9;  ///< on InputReport::residual
    int max_line_iterations = 500;
    int stall_iterations =
        60;  ///< when more than this many are still to come, Newton-PCG takes over
    int max_newton_steps = 200;
    int max_inner_iterations = 1000;  ///< of conjugate gradients, per Newton step
    std::optional<InstructionSet> instruction_set = {};  ///< the best one unless set
};

/// Alternating line solves for nonlinear cells, one input per vector lane: word lines and bit lines
/// are tridiagonal systems with the same scalar factors for all inputs. Ends on Kirchhoff's
/// residual alone. Where it stalls, Newton's method with conjugate gradients takes over,
/// preconditioned by the bit lines (docs/methods/nonlinear-cells.md). One object serves one thread.
class LineSolver {
  public:
    explicit LineSolver(LineSettings settings = {});
    ~LineSolver();

    /// Why this method cannot describe an array: nets merged by 0 ohm, or cut off; nothing where it
    /// can.
    [[nodiscard]] std::optional<std::string> obstacle(const Crossbar& crossbar) const;

    /// @param inputs   read voltages [V], [word_lines × batch], finite
    /// @return         NaN currents and voltages where an input did not converge
    /// @throws InvalidInput  where there is an obstacle, or as OperatingPointSolver::solve states
    [[nodiscard]] OperatingPoint solve(const Crossbar& crossbar,
                                       const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                       Voltages voltages);

    /// One per input of the last batch.
    [[nodiscard]] const std::vector<InputReport>& reports() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kirchnet
