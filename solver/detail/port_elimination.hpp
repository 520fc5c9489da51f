#pragma once

#include <vector>

#include "solver/detail/aligned_buffer.hpp"
#include "solver/detail/port_kernels.hpp"
#include "solver/detail/port_plan.hpp"

namespace kirchnet::detail {

/// Voltages of the nodes of a padded array, [padded rows × padded columns × inputs_at_once].
struct PaddedVoltages {
    std::vector<double> word;
    std::vector<double> bit;
};

/// Networks and factors of a plan's tiles, and the loops over them.
class PortElimination {
  public:
    /// Terminal voltages that go up and down the tree together.
    static constexpr std::size_t inputs_at_once = 8;

    /// @param keeps_all  false: a network lives until its parent is merged, and of the whole
    ///                   array's network only what joins left and bottom is formed
    PortElimination(PortPlan plan, const PortKernels& kernels, bool keeps_all);

    [[nodiscard]] const PortPlan& plan() const { return plan_; }
    [[nodiscard]] std::size_t doubles() const { return buffer_.size(); }

    /// All tiles.
    void reduce(const PaddedArray& array);
    /// The tiles that depend on the leaves marked. Needs all networks of the last reduction.
    /// @param is_changed  per leaf, in the order of the plan
    /// @return            how many leaves were reduced, whole batches
    std::size_t reduce_again(const PaddedArray& array, const std::vector<bool>& is_changed);

    /// Conductance between two blocks of the whole array's ports, row-major 8 × 8; the smaller
    /// number first.
    [[nodiscard]] const double* between(std::size_t row_block, std::size_t column_block) const;

    /// Voltages of all nodes from those of the whole array's ports. Needs all factors.
    /// @param ports  [ports × inputs_at_once]
    [[nodiscard]] PaddedVoltages voltages(const PaddedArray& array,
                                          const std::vector<double>& ports) const;

  private:
    void lay_out_everything();
    void lay_out_reusing();
    [[nodiscard]] std::size_t take(std::size_t doubles);
    [[nodiscard]] PortMerge describe_merge(std::size_t tile) const;
    [[nodiscard]] double* network(std::size_t tile) const {
        return buffer_.data() + network_[tile];
    }
    [[nodiscard]] std::size_t batches() const;
    [[nodiscard]] std::vector<LeafPlace> batch_places(std::size_t batch) const;
    [[nodiscard]] double* leaf_factor(std::size_t batch) const;
    void reduce_batch(const PaddedArray& array, std::size_t batch) const;
    void descend(std::size_t tile, std::vector<std::vector<double>>& ports) const;
    void restore_batch(const PaddedArray& array, std::size_t batch,
                       const std::vector<std::vector<double>>& ports,
                       PaddedVoltages& voltages) const;

    PortPlan plan_;
    const PortKernels& kernels_;
    bool keeps_all_;
    std::size_t size_ = 0;
    std::vector<std::size_t> network_;      ///< per tile, offset into the buffer
    std::vector<std::size_t> factor_;       ///< per tile
    std::vector<std::size_t> leaf_factor_;  ///< per batch of leaves; empty when none is kept
    std::vector<PortMerge> merges_;         ///< per tile; nothing in a leaf's
    AlignedBuffer buffer_;
};

}  // namespace kirchnet::detail
