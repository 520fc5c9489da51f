// Kirchhoff's law along a word line, on vector lanes. For sources compiled once per instruction set
// alone.
#pragma once

#include "solver/detail/lanes.hpp"
#include "solver/detail/line_kernels.hpp"

namespace kirchnet::detail::KIRCHNET_ISA {

inline Lanes* as_lanes(double* x) {
    return reinterpret_cast<Lanes*>(x);
}
inline const Lanes* as_lanes(const double* x) {
    return reinterpret_cast<const Lanes*>(x);
}

inline bool any(Bits mask) {
    for (std::size_t k = 0; k < lanes; ++k)
        if (mask[k] != 0) return true;
    return false;
}

/// The wires and neighbours of one word line's nets.
struct RowBalance {
    std::size_t n;
    const double* __restrict wire;   ///< of the word line
    const double* __restrict above;  ///< of the bit lines
    const double* __restrict below;
    Lanes source;
    const Lanes* __restrict u;
    const Lanes* __restrict w;
    const Lanes* __restrict w_above;  ///< zeros at the first word line
    const Lanes* __restrict w_below;  ///< zeros at the last

    /// @param zero  [columns]
    RowBalance(const LineGrid& grid, const LineState& state, std::size_t row, const Lanes* zero)
        : n(grid.columns),
          wire(grid.word_wire + row * (n + 1)),
          above(grid.bit_wire + row * n),
          below(above + n),
          source(as_lanes(state.source)[row]),
          u(as_lanes(state.word) + row * n),
          w(as_lanes(state.bit) + row * n),
          w_above(row == 0 ? zero : w - n),
          w_below(row + 1 == grid.rows ? zero : w + n) {}

    [[nodiscard]] Lanes from_left(std::size_t c) const {
        return wire[c] * ((c == 0 ? source : u[c - 1]) - u[c]);
    }
    [[nodiscard]] Lanes from_right(std::size_t c) const {
        return wire[c + 1] * ((c + 1 == n ? source : u[c + 1]) - u[c]);
    }
    [[nodiscard]] Lanes from_above(std::size_t c) const { return above[c] * (w_above[c] - w[c]); }
    [[nodiscard]] Lanes from_below(std::size_t c) const { return below[c] * (w_below[c] - w[c]); }
    [[nodiscard]] Lanes into_word(std::size_t c, Lanes current) const {
        return (from_left(c) + from_right(c)) - current;
    }
    [[nodiscard]] Lanes into_bit(std::size_t c, Lanes current) const {
        return (from_above(c) + from_below(c)) + current;
    }
};

/// A row of zeros in the scratch space, behind what `row_currents` uses.
inline const Lanes* zero_row(const LineGrid& grid, const LineState& state) {
    Lanes* zero = as_lanes(state.scratch) + 3 * grid.columns;
    for (std::size_t c = 0; c < grid.columns; ++c) zero[c] = Lanes{};
    return zero;
}

}  // namespace kirchnet::detail::KIRCHNET_ISA
