#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace kirchnet::detail {

/// A cell's law as plain numbers and pointers, for code compiled per instruction set.
struct LawView {
    enum Kind : int { ohmic, sinh, custom };
    using Block = void (*)(const void* context, const double* conductance, const double* voltage,
                           double* result, std::size_t size);
    Kind kind = ohmic;
    double factor = 0;              ///< a of sinh
    double series[8] = {};          ///< a^2k / (2k + 1)!, k = 1 to 8
    const void* context = nullptr;  ///< of a custom law
    Block current = nullptr;
    Block derivative = nullptr;
};

/// Up to these |a v| the series of sinh reaches the last bit: x^14 / 15! and x^18 / 19! are 1e-16.
inline constexpr double reach_of_6_terms = 0.52;
inline constexpr double reach_of_8_terms = 1.14;

/// Elimination of lines with constant conductances: y_k = x_k + m_(k-1) y_(k-1), then
/// u_k = q_k y_k + m_k u_(k+1).
struct LineFactors {
    const double* inverse_pivot;  ///< q
    const double* coupling;       ///< m, 0 at the last node eliminated
};

/// An array as the line method sees it. Matrices are row-major; one number serves all inputs.
struct LineGrid {
    std::size_t rows;     ///< word lines
    std::size_t columns;  ///< bit lines
    const double* cell;   ///< [rows × columns] S
    const double*
        word_wire;  ///< [rows × (columns + 1)] S, left of each node, then right of the last
    const double* bit_wire;  ///< [(rows + 1) × columns] S, above each node, then below the last
    LineFactors word;        ///< of L_word + slope * cell
    LineFactors bit[2];      ///< of L_bit + slope * cell: eliminated downwards, upwards
    double slope;            ///< kappa: a cell is taken for kappa * cell in the line solves
    LawView law;
};

/// `lanes` inputs side by side: every value below is `lanes` consecutive doubles, cache-line
/// aligned.
struct LineState {
    const double* source;      ///< [rows] V
    const double* relaxation;  ///< [1] omega: 1 takes word-line voltages as solved
    double* word;              ///< [rows × columns] V
    double* bit;             ///< [rows × columns] V, or eliminated right-hand sides between passes
    double* scratch;         ///< [scratch_rows × columns]
    double* source_current;  ///< [rows] A out of each source, at the last pass
    double* bit_current;     ///< [columns] A into each bit line, at the last residual
};
inline constexpr std::size_t scratch_rows = 6;

/// Which way the next pass runs, and whether `bit` holds voltages.
enum Direction : int { downwards = 0, upwards = 1 };
enum BitContent : int { voltages, eliminated };

/// Per lane [lanes]; sums over all nets or cells.
struct LineResidual {
    double* missing;       ///< |current that Kirchhoff's law misses|
    double* cell_current;  ///< |current|
    double* rounding;      ///< what rounding the voltages alone may cause
    double* largest;       ///< |missing| of one net
    double* branch;        ///< |current| of one branch, the largest
};

/// Work space of Newton-PCG: each [rows × columns × lanes].
struct NewtonSpace {
    double* slope;
    double* word_pivot;
    double* word_coupling;
    double* bit_pivot;
    double* bit_coupling;
    double* word_step;
    double* bit_step;
    double* rest;
    double* search;
    double* image;
    double* temporary;
};
inline constexpr std::size_t newton_arrays = 11;

struct NewtonLimits {
    double forcing;        ///< conjugate gradients reduce the residual to this part
    const double* target;  ///< [lanes] A, or to this much
    int inner_iterations;
    int halvings;
};

/// The line method's inner loops, compiled once per instruction set and chosen at run time.
struct LineKernels {
    std::string_view instruction_set;
    std::size_t lanes;
    /// One iteration: word lines, then bit lines up to back substitution.
    void (*pass)(const LineGrid&, const LineState&, Direction, BitContent);
    /// Back substitution that `pass` left open, in the direction of the pass that would follow.
    void (*finish)(const LineGrid&, const LineState&, Direction);
    /// Kirchhoff's law at every net for the voltages in `word` and `bit`; also `bit_current`.
    void (*residual)(const LineGrid&, const LineState&, const LineResidual&);
    /// One damped Newton step on `word` and `bit`; returns the iterations of conjugate gradients.
    int (*newton_step)(const LineGrid&, const LineState&, const NewtonSpace&, const NewtonLimits&);
    /// sinh and cosh of `size` numbers.
    void (*hyperbolic)(const double* x, double* sinh, double* cosh, std::size_t size);
};

/// The kernels of `best_instruction_set()`.
const LineKernels& line_kernels();

/// All kernels this processor runs, baseline first.
std::vector<const LineKernels*> available_line_kernels();

}  // namespace kirchnet::detail
