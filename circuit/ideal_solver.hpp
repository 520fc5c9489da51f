#pragma once

#include "circuit/operating_point_solver.hpp"

namespace kirchnet {

/// The idealised crossbar: no wires, I = Gᵀ V, or the sum of I(g, V) for other cell laws. Every
/// word-line node is at its source's voltage, every bit-line node at ground.
class IdealSolver final : public OperatingPointSolver {
  public:
    [[nodiscard]] std::string_view name() const override { return "ideal"; }
    [[nodiscard]] OperatingPoint solve(const Crossbar& crossbar,
                                       const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                       Voltages voltages) override;
    [[nodiscard]] Eigen::MatrixXd transfer_rows(const Crossbar& crossbar, Index bit_lines) override;
};

}  // namespace kirchnet
