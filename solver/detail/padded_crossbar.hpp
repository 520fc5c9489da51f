#pragma once

#include "circuit/crossbar.hpp"
#include "solver/detail/aligned_buffer.hpp"
#include "solver/detail/port_kernels.hpp"
#include "solver/detail/port_plan.hpp"

namespace kirchnet::detail {

/// Which outer ports of the array are terminals.
OuterPorts outer_ports(const Crossbar& crossbar);

/// The rectangle a plan must cover: the cells, and a row or column of terminals where the top is
/// sensed or the right end driven.
ArrayShape covered_shape(const ArrayShape& shape, const OuterPorts& outer);

/// Whether lines meet at cells alone, without bridges, and no conductance is above 1e100 S.
bool is_in_reach(const Crossbar& crossbar);

/// Conductances of an array in whole leaves. Added word lines lie above the array and added bit
/// lines right of it, where lines end; nothing in them conducts. Zero resistance is a conductance
/// of 1e200 S: elimination without subtraction makes of that the merged net, to the last bit.
class PaddedCrossbar {
  public:
    explicit PaddedCrossbar(const PortPlan& plan);

    void fill(const Crossbar& crossbar);
    /// Cells alone, wires as they were.
    void fill_cells(const Crossbar& crossbar);

    [[nodiscard]] PaddedArray view() const;
    /// Padded row of a word line.
    [[nodiscard]] std::size_t row_of(Index word_line) const {
        return first_row_ + static_cast<std::size_t>(word_line);
    }

  private:
    void fill_word_line(const Crossbar& crossbar, Index r);
    void fill_bit_segments(const Crossbar& crossbar, Index r);
    void fill_terminals(const Crossbar& crossbar);

    OuterPorts outer_;
    std::size_t rows_;
    std::size_t stride_;
    std::size_t first_row_;  ///< of word line 0
    AlignedBuffer cell_;
    AlignedBuffer left_;
    AlignedBuffer below_;
};

}  // namespace kirchnet::detail
