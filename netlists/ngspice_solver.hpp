#pragma once

#include "circuit/operating_point_solver.hpp"
#include "netlists/ngspice_settings.hpp"

namespace kirchnet {

/// The independent witness: the flat deck, run by the ngspice shared library in a helper process
/// of its own, one circuit per process.
class NgspiceSolver final : public OperatingPointSolver {
  public:
    explicit NgspiceSolver(NgspiceSettings settings = {});

    [[nodiscard]] std::string_view name() const override { return "ngspice"; }
    /// @throws NgspiceError  when ngspice refuses the deck, dies or exceeds its time limit
    [[nodiscard]] OperatingPoint solve(const Crossbar& crossbar,
                                       const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                       Voltages voltages) override;

  private:
    NgspiceSettings settings_;
};

/// Seconds one operating point of this shape is expected to take in ngspice 39 (Sparse 1.3).
double expected_ngspice_seconds(const ArrayShape& shape);

}  // namespace kirchnet
