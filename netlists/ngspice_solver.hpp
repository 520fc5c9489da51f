#pragma once

#include <filesystem>

#include "circuit/operating_point_solver.hpp"

namespace kirchnet {

struct NgspiceSettings {
    std::filesystem::path helper;  ///< the `kirchnet-ngspice` program; empty: beside this program,
                                   ///< or where KIRCHNET_NGSPICE points
    double time_limit_s = 600;     ///< per circuit; the helper is killed after it
};

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
