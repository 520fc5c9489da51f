#pragma once

#include "solver/nodal_solver.hpp"
#include "solver/port_tree.hpp"

namespace kirchnet {

/// The engine for many inputs: T once per array, then a matrix product per batch. Node voltages,
/// which T does not hold, come from the nodal equations.
class TransferSolver final : public OperatingPointSolver {
  public:
    [[nodiscard]] std::string_view name() const override { return "transfer"; }
    [[nodiscard]] OperatingPoint solve(const Crossbar& crossbar,
                                       const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                       Voltages voltages) override;
    [[nodiscard]] Eigen::MatrixXd transfer_rows(const Crossbar& crossbar,
                                                Index bit_lines) override;

  private:
    PortTree tree_;
    NodalSolver nodal_;
};

}  // namespace kirchnet
