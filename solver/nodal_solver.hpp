#pragma once

#include <memory>

#include "circuit/operating_point_solver.hpp"
#include "solver/newton.hpp"

namespace kirchnet {

/// The reference engine: nodal equations of the whole array, solved directly by KLU. Keeps the
/// symbolic analysis while the pattern stands, so a series of arrays of one shape is only
/// refactorised; an array equal to the last one is not even that. Nonlinear cells are left to
/// `NewtonSolver`. One object serves one thread.
class NodalSolver final : public OperatingPointSolver {
  public:
    NodalSolver();
    ~NodalSolver() override;

    [[nodiscard]] std::string_view name() const override { return "nodal"; }
    [[nodiscard]] OperatingPoint solve(const Crossbar& crossbar,
                                       const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                       Voltages voltages) override;
    /// T by one adjoint solve per bit line.
    [[nodiscard]] Eigen::MatrixXd transfer_rows(const Crossbar& crossbar, Index bit_lines) override;
    [[nodiscard]] ArrayPorts ports(const Crossbar& crossbar) override;

    /// Linear cells with the sources at 0 V, and 1 V on one virtual ground at a time: the adjoint
    /// of what that bit line's current is.
    /// @param bit_lines  whose ground, each in the array
    /// @return  an operating point for each, voltages kept
    /// @throws InvalidInput, SingularSystem  as `solve`; also where the cells are not linear
    [[nodiscard]] OperatingPoint solve_from_grounds(const Crossbar& crossbar,
                                                    const std::vector<Index>& bit_lines);

    /// How much rounding grows in the last array solved: the largest, over its nets, of
    /// L^-1 diag(L) 1, which is at least half of Skeel's condition number; 0 without unknown nets.
    [[nodiscard]] double condition() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
    NewtonSolver newton_;
};

}  // namespace kirchnet
