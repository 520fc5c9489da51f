#pragma once

#include <vector>

#include "circuit/crossbar.hpp"
#include "solver/detail/line_kernels.hpp"

namespace kirchnet::detail {

/// Wire conductances of an array [S], 0 where open, infinite where merged.
struct WireConductances {
    std::vector<double> word;  ///< [word_lines × (bit_lines + 1)]
    std::vector<double> bit;   ///< [(word_lines + 1) × bit_lines]
    std::size_t rows;
    std::size_t columns;

    explicit WireConductances(const Crossbar& crossbar);
    [[nodiscard]] bool has_merged() const;
    /// Whether a wire between two nodes, or every end of a line, is open.
    [[nodiscard]] bool has_open() const;
};

/// Owner of what a LineGrid points to: wires, and the factors of all lines for one slope.
class FactorizedLines {
  public:
    /// @param crossbar  outlives this object; without merged or cut-off nets
    /// @param slope     kappa: what a cell counts for in the line solves, as a multiple
    FactorizedLines(const Crossbar& crossbar, WireConductances wires, double slope);

    [[nodiscard]] LineGrid grid() const;

  private:
    struct Factors {
        std::vector<double> inverse_pivot;
        std::vector<double> coupling;
        explicit Factors(std::size_t size) : inverse_pivot(size), coupling(size) {}
        [[nodiscard]] LineFactors view() const { return {inverse_pivot.data(), coupling.data()}; }
    };
    void factor_word_lines();
    void factor_bit_lines(Direction direction);

    const Crossbar& crossbar_;
    WireConductances wires_;
    double slope_;
    std::size_t rows_;
    std::size_t columns_;
    Factors word_;
    Factors down_;
    Factors up_;
};

LawView view_of(const CellLaw& law);

}  // namespace kirchnet::detail
