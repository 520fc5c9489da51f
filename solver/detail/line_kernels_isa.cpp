// Compiled once per instruction set (cmake/KirchnetTargets.cmake). Alternating line solves for
// nonlinear cells and their residual, docs/methods/nonlinear-cells.md, in its symbols:
//     (L_w + kappa G) x = source + kappa G u - I(u - w),   u' = u + omega (x - u)
//     (L_b + kappa G) w' = I(u - w) + kappa G (u' - u + w)
#include <type_traits>

#include "solver/detail/line_balance.hpp"
#include "solver/detail/line_kernels.hpp"
#include "solver/detail/line_laws.hpp"
#include "solver/detail/line_newton.hpp"

#define KIRCHNET_TEXT_OF(name) #name
#define KIRCHNET_TEXT(name) KIRCHNET_TEXT_OF(name)

namespace kirchnet::detail::KIRCHNET_ISA {

namespace {

/// Word lines in the order of a pass.
struct RowOrder {
    std::size_t rows;
    Direction direction;
    [[nodiscard]] std::size_t operator()(std::size_t k) const {
        return direction == downwards ? k : rows - 1 - k;
    }
};

/// What a pass carries from word line to word line.
struct PassRows {
    Lanes* bit_voltage;    ///< w of the word line before
    Lanes* current;        ///< only of laws in blocks
    Lanes* block_scratch;  ///< [2 × columns], only of laws in blocks
    const Lanes* zero;
    Lanes* eliminated;  ///< y of the word line at hand
};

/// Back substitution for one word line of bit-line voltages, into `rows.bit_voltage`.
void substitute_row(const LineFactors& factors, std::size_t row, std::size_t n, const Lanes* d,
                    Lanes* w) {
    const double* q = factors.inverse_pivot + row * n;
    const double* m = factors.coupling + row * n;
    for (std::size_t c = 0; c < n; ++c) w[c] = q[c] * d[c] + m[c] * w[c];
}

/// Right-hand side of one word line, eliminated to `rows.eliminated`; overwrites d by
/// I - kappa g v.
template <typename Law, BitContent content>
void eliminate_word_line(const LineGrid& grid, const Law& law_of_grid, const LineFactors& back,
                         std::size_t row, Lanes source, const Lanes* __restrict u,
                         Lanes* __restrict d, const PassRows& rows) {
    const Law law = law_of_grid;  // a copy that no store can alias stays in registers
    const double kappa = grid.slope;
    const std::size_t n = grid.columns;
    const double* __restrict g = grid.cell + row * n;
    const double* __restrict q = back.inverse_pivot + row * n;
    const double* __restrict mb = back.coupling + row * n;
    const double* __restrict m = grid.word.coupling + row * n;
    const double* wire = grid.word_wire + row * (n + 1);
    Lanes* __restrict w = rows.bit_voltage;
    const Lanes* __restrict block_current = rows.current;
    Lanes* __restrict eliminated_right = rows.eliminated;
    if constexpr (content == voltages)
        for (std::size_t c = 0; c < n; ++c) w[c] = d[c];
    else if constexpr (Law::in_blocks)
        substitute_row(back, row, n, d, w);
    if constexpr (Law::in_blocks) row_currents(law, g, u, w, rows.current, rows.block_scratch, n);
    Lanes y = wire[0] * source;
    double coupling = 1;
    for (std::size_t c = 0; c < n; ++c) {
        if constexpr (content == eliminated && !Law::in_blocks) w[c] = q[c] * d[c] + mb[c] * w[c];
        const Lanes v = u[c] - w[c];
        Lanes current;
        if constexpr (Law::in_blocks)
            current = block_current[c];
        else
            current = law.current(g[c], v);
        const double kappa_g = kappa * g[c];
        d[c] = current - kappa_g * v;
        Lanes right = kappa_g * u[c] - current;
        if (c + 1 == n) right += wire[n] * source;
        y = right + coupling * y;
        eliminated_right[c] = y;
        coupling = m[c];
    }
}

/// Voltages of one word line, and its part of the bit lines' elimination into d.
void finish_word_line(const LineGrid& grid, std::size_t row,
                      const double* __restrict forward_coupling, const Lanes* __restrict d_before,
                      const Lanes* __restrict y, Lanes omega, Lanes* __restrict u,
                      Lanes* __restrict d) {
    const double kappa = grid.slope;
    const std::size_t n = grid.columns;
    const double* __restrict g = grid.cell + row * n;
    const double* __restrict q = grid.word.inverse_pivot + row * n;
    const double* __restrict m = grid.word.coupling + row * n;
    Lanes x{};
    for (std::size_t c = n; c-- > 0;) {
        x = q[c] * y[c] + m[c] * x;
        const Lanes relaxed = u[c] + omega * (x - u[c]);
        u[c] = relaxed;
        d[c] = d[c] + (kappa * g[c]) * relaxed + forward_coupling[c] * d_before[c];
    }
}

template <typename Law, BitContent content>
void pass_as(const LineGrid& grid, const Law& law, const LineState& state, Direction direction) {
    const std::size_t n = grid.columns;
    const RowOrder order{grid.rows, direction};
    const LineFactors& back = grid.bit[direction == downwards ? upwards : downwards];
    const LineFactors& forward = grid.bit[direction];
    Lanes* scratch = as_lanes(state.scratch);
    const PassRows rows{scratch, scratch + n, scratch + 2 * n, scratch + 4 * n, scratch + 5 * n};
    for (std::size_t c = 0; c < n; ++c) rows.bit_voltage[c] = scratch[4 * n + c] = Lanes{};
    Lanes* source_current = as_lanes(state.source_current);
    const Lanes omega = *as_lanes(state.relaxation);
    const Lanes* d_before = rows.zero;
    const double* coupling = forward.coupling;
    for (std::size_t k = 0; k < grid.rows; ++k) {
        const std::size_t row = order(k);
        const Lanes source = as_lanes(state.source)[row];
        Lanes* u = as_lanes(state.word) + row * n;
        Lanes* d = as_lanes(state.bit) + row * n;
        eliminate_word_line<Law, content>(grid, law, back, row, source, u, d, rows);
        finish_word_line(grid, row, coupling, d_before, rows.eliminated, omega, u, d);
        const double* wire = grid.word_wire + row * (n + 1);
        source_current[row] = wire[0] * (source - u[0]) + wire[n] * (source - u[n - 1]);
        coupling = forward.coupling + row * n;
        d_before = d;
    }
}

double largest_of(Lanes x) {
    double result = x[0];
    for (std::size_t k = 1; k < lanes; ++k) result = x[k] > result ? x[k] : result;
    return result;
}

/// Node voltages lie between those of the terminals, once iterates have settled.
double voltage_range(const LineGrid& grid, const LineState& state) {
    const Lanes* source = as_lanes(state.source);
    Lanes highest{};
    Lanes lowest{};
    for (std::size_t r = 0; r < grid.rows; ++r) {
        highest = source[r] > highest ? source[r] : highest;
        lowest = source[r] < lowest ? source[r] : lowest;
    }
    return largest_of(highest - lowest);
}

void pass(const LineGrid& grid, const LineState& state, Direction direction, BitContent content) {
    with_law(grid.law, voltage_range(grid, state), [&](const auto& law) {
        using Law = std::decay_t<decltype(law)>;
        if (content == voltages)
            pass_as<Law, voltages>(grid, law, state, direction);
        else
            pass_as<Law, eliminated>(grid, law, state, direction);
    });
}

void finish(const LineGrid& grid, const LineState& state, Direction direction) {
    const std::size_t n = grid.columns;
    const RowOrder order{grid.rows, direction};
    const LineFactors& back = grid.bit[direction == downwards ? upwards : downwards];
    const Lanes* before = nullptr;
    for (std::size_t k = 0; k < grid.rows; ++k) {
        const std::size_t row = order(k);
        const double* q = back.inverse_pivot + row * n;
        const double* m = back.coupling + row * n;
        Lanes* d = as_lanes(state.bit) + row * n;
        for (std::size_t c = 0; c < n; ++c)
            d[c] = before == nullptr ? q[c] * d[c] : q[c] * d[c] + m[c] * before[c];
        before = d;
    }
}

/// What a residual adds up. A NaN anywhere shows in `missing`.
struct Sums {
    Lanes missing{};
    Lanes cells{};
    Lanes rounding{};
    Lanes largest{};
    Lanes branch{};
    Lanes voltage{};  ///< largest over a cell

    void add_row(const RowBalance& row_of_grid, const Lanes* __restrict current,
                 Lanes* __restrict bit_current) {
        const RowBalance row = row_of_grid;
        Sums sums = *this;
        for (std::size_t c = 0; c < row.n; ++c) {
            const Lanes at_word = magnitude(row.into_word(c, current[c]));
            const Lanes at_bit = magnitude(row.into_bit(c, current[c]));
            sums.missing += at_word + at_bit;
            sums.largest = larger(larger(at_word, at_bit), sums.largest);
            const Lanes size = magnitude(current[c]);
            sums.cells += size;
            const Lanes wires = larger(magnitude(row.from_left(c)), magnitude(row.from_below(c)));
            sums.branch = larger(larger(size, wires), sums.branch);
            sums.rounding += (row.wire[c] + row.wire[c + 1]) * magnitude(row.u[c]) +
                             (row.above[c] + row.below[c]) * magnitude(row.w[c]);
            sums.voltage = larger(magnitude(row.u[c] - row.w[c]), sums.voltage);
            bit_current[c] += current[c];
        }
        *this = sums;
    }
};

template <typename Law>
Sums sum_residuals(const LineGrid& grid, const Law& law, const LineState& state) {
    const std::size_t n = grid.columns;
    const Lanes* zero = zero_row(grid, state);
    Lanes* current = as_lanes(state.scratch);
    Lanes* bit_current = as_lanes(state.bit_current);
    for (std::size_t c = 0; c < n; ++c) bit_current[c] = Lanes{};
    Sums sums;
    for (std::size_t r = 0; r < grid.rows; ++r) {
        const RowBalance row(grid, state, r, zero);
        row_currents(law, grid.cell + r * n, row.u, row.w, current, current + n, n);
        sums.add_row(row, current, bit_current);
    }
    return sums;
}

/// By the series only where every cell proves to be within its reach.
void residual(const LineGrid& grid, const LineState& state, const LineResidual& result) {
    constexpr double epsilon = 2.220446049250313e-16;
    const auto sum = [&](double voltage) {
        return with_law(grid.law, voltage,
                        [&](const auto& law) { return sum_residuals(grid, law, state); });
    };
    const double expected = voltage_range(grid, state);
    Sums sums = sum(expected);
    if (any(~(sums.voltage <= expected))) sums = sum(any_voltage);
    *as_lanes(result.missing) = sums.missing;
    *as_lanes(result.cell_current) = sums.cells;
    *as_lanes(result.rounding) = epsilon * sums.rounding;
    *as_lanes(result.largest) = sums.largest;
    *as_lanes(result.branch) = sums.branch;
}

void hyperbolic(const double* x, double* sinh, double* cosh, std::size_t size) {
    for (std::size_t first = 0; first < size; first += lanes) {
        const std::size_t count = size - first < lanes ? size - first : lanes;
        Lanes argument{};
        for (std::size_t k = 0; k < count; ++k) argument[k] = x[first + k];
        const Lanes s = sinh_any(argument);
        const Lanes c = cosh_any(argument);
        for (std::size_t k = 0; k < count; ++k) {
            sinh[first + k] = s[k];
            cosh[first + k] = c[k];
        }
    }
}

}  // namespace

extern const LineKernels line_kernels;
constinit const LineKernels line_kernels{
    KIRCHNET_TEXT(KIRCHNET_ISA), lanes, pass, finish, residual, newton_step, hyperbolic};

}  // namespace kirchnet::detail::KIRCHNET_ISA
