#pragma once

#include <optional>

#include "circuit/operating_point_solver.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/port_tree.hpp"

namespace kirchnet {

struct TransferSettings {
    /// For a series of arrays that differ in a few cells, as Monte Carlo over fault maps has them:
    /// keeps the merge tree (20 MB at 128 x 128), so that an array close to the last one costs only
    /// the branches above changed cells. The same bits either way.
    bool keeps_tree = false;
};

/// The engine for many inputs: T once per array by port merging, then a matrix product per batch.
/// Describes every array of linear cells whose conductances stay below 1e100 S; those go to the
/// nodal equations, with a warning. One object serves one thread.
class TransferSolver final : public OperatingPointSolver {
  public:
    explicit TransferSolver(TransferSettings settings = {}) : settings_(settings) {}

    [[nodiscard]] std::string_view name() const override { return "transfer"; }
    [[nodiscard]] OperatingPoint solve(const Crossbar& crossbar,
                                       const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                       Voltages voltages) override;
    [[nodiscard]] Eigen::MatrixXd transfer_rows(const Crossbar& crossbar, Index bit_lines) override;
    [[nodiscard]] ArrayPorts ports(const Crossbar& crossbar) override;

  private:
    [[nodiscard]] bool is_worth_keeping(const Crossbar& crossbar) const;
    /// Nothing where the array is beyond port merging.
    [[nodiscard]] std::optional<Eigen::MatrixXd> find_transfer(const Crossbar& crossbar,
                                                               Index bit_lines);
    [[nodiscard]] OperatingPoint solve_by_nodal(const Crossbar& crossbar,
                                                const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                                Voltages voltages);
    /// Of the array that `kept_` has reduced.
    void keep_voltages(const Crossbar& crossbar, const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                       OperatingPoint& point) const;

    TransferSettings settings_;
    PortTree whole_{Retain::transfer};
    PortTree kept_{Retain::everything};
    NodalSolver nodal_;
};

}  // namespace kirchnet
