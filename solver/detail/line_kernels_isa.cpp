// Compiled once per instruction set (cmake/KirchnetTargets.cmake). Alternating line solves and
// Newton-PCG for nonlinear cells, docs/methods/nonlinear-cells.md, in its symbols:
//     (L_w + kappa G) x = source + kappa G u - I(u - w),   u' = u + omega (x - u)
//     (L_b + kappa G) w' = I(u - w) + kappa G (u' - u + w)
#include <type_traits>

#include "solver/detail/lanes.hpp"
#include "solver/detail/line_kernels.hpp"

#define KIRCHNET_TEXT_OF(name) #name
#define KIRCHNET_TEXT(name) KIRCHNET_TEXT_OF(name)

namespace kirchnet::detail::KIRCHNET_ISA {
namespace {

Lanes* as_lanes(double* x) {
    return reinterpret_cast<Lanes*>(x);
}
const Lanes* as_lanes(const double* x) {
    return reinterpret_cast<const Lanes*>(x);
}

constexpr double any_voltage = __builtin_inf();

bool any(Bits mask) {
    for (std::size_t k = 0; k < lanes; ++k)
        if (mask[k] != 0) return true;
    return false;
}

/// g v
struct Ohmic {
    static constexpr bool in_blocks = false;
    explicit Ohmic(const LawView&) {}
    Lanes current(double g, Lanes v) const { return g * v; }
    Lanes slope(double g, Lanes) const { return broadcast(g); }
};

/// g sinh(a v) / a while |a v| is within the reach of so many terms
template <int terms>
struct SinhNear {
    static constexpr bool in_blocks = false;
    explicit SinhNear(const LawView& law) : law_(law) {}
    Lanes current(double g, Lanes v) const { return g * sinh_near<terms>(v, law_.series); }
    Lanes slope(double g, Lanes v) const { return g * cosh_any(law_.factor * v); }

  private:
    const LawView law_;
};

/// g sinh(a v) / a for any v
struct SinhAny {
    static constexpr bool in_blocks = false;
    explicit SinhAny(const LawView& law) : a_(law.factor), inverse_a_(1 / law.factor) {}
    Lanes current(double g, Lanes v) const {
        const Lanes i = (g * inverse_a_) * sinh_any(a_ * v);
        return g == 0 ? Lanes{} : i;  // also where sinh overflows
    }
    Lanes slope(double g, Lanes v) const { return g == 0 ? Lanes{} : g * cosh_any(a_ * v); }

  private:
    double a_;
    double inverse_a_;
};

/// A caller's law, evaluated a word line at a time.
struct InBlocks {
    static constexpr bool in_blocks = true;
    explicit InBlocks(const LawView& law) : law_(law) {}
    /// @param conductance  scratch for the cells' conductances, repeated per lane
    void current(const double* g, Lanes* conductance, const Lanes* v, Lanes* i,
                 std::size_t n) const {
        for (std::size_t c = 0; c < n; ++c) conductance[c] = broadcast(g[c]);
        law_.current(law_.context, reinterpret_cast<const double*>(conductance),
                     reinterpret_cast<const double*>(v), reinterpret_cast<double*>(i), n * lanes);
    }
    void slope(const double* g, Lanes* conductance, const Lanes* v, Lanes* s, std::size_t n) const {
        for (std::size_t c = 0; c < n; ++c) conductance[c] = broadcast(g[c]);
        law_.derivative(law_.context, reinterpret_cast<const double*>(conductance),
                        reinterpret_cast<const double*>(v), reinterpret_cast<double*>(s),
                        n * lanes);
    }

  private:
    const LawView law_;
};

/// Currents of one word line's cells.
template <typename Law>
void row_currents(const Law& law_of_grid, const double* __restrict g, const Lanes* __restrict u,
                  const Lanes* __restrict w, Lanes* __restrict current, Lanes* scratch,
                  std::size_t n) {
    const Law law = law_of_grid;
    if constexpr (Law::in_blocks) {
        for (std::size_t c = 0; c < n; ++c) current[c] = u[c] - w[c];
        Lanes* v = scratch + n;
        for (std::size_t c = 0; c < n; ++c) v[c] = current[c];
        law.current(g, scratch, v, current, n);
    } else {
        for (std::size_t c = 0; c < n; ++c) current[c] = law.current(g[c], u[c] - w[c]);
    }
}

template <typename Law>
void row_slopes(const Law& law, const double* g, const Lanes* u, const Lanes* w, Lanes* slope,
                Lanes* scratch, std::size_t n) {
    if constexpr (Law::in_blocks) {
        Lanes* v = scratch + n;
        for (std::size_t c = 0; c < n; ++c) v[c] = u[c] - w[c];
        law.slope(g, scratch, v, slope, n);
    } else {
        for (std::size_t c = 0; c < n; ++c) slope[c] = law.slope(g[c], u[c] - w[c]);
    }
}

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

/// Calls `run` with the law's own type.
/// @param voltage  that no cell exceeds
template <typename Run>
auto with_law(const LawView& law, double voltage, Run run) {
    switch (law.kind) {
        case LawView::ohmic:
            return run(Ohmic(law));
        case LawView::sinh:
            if (law.factor * voltage <= reach_of_6_terms) return run(SinhNear<6>(law));
            if (law.factor * voltage <= reach_of_8_terms) return run(SinhNear<8>(law));
            return run(SinhAny(law));
        case LawView::custom:
            break;
    }
    return run(InBlocks(law));
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
const Lanes* zero_row(const LineGrid& grid, const LineState& state) {
    Lanes* zero = as_lanes(state.scratch) + 3 * grid.columns;
    for (std::size_t c = 0; c < grid.columns; ++c) zero[c] = Lanes{};
    return zero;
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

// ---- Newton: J = [A, -S; -S, B] with S = dI/dv, A = L_w + S, B = L_b + S. The word lines are
// eliminated exactly, conjugate gradients solve (B - S A^-1 S) dw = r with B as preconditioner.

class Newton {
  public:
    Newton(const LineGrid& grid, const LineState& state, const NewtonSpace& space)
        : grid_(grid),
          state_(state),
          size_(grid.rows * grid.columns),
          slope_(as_lanes(space.slope)),
          word_pivot_(as_lanes(space.word_pivot)),
          word_coupling_(as_lanes(space.word_coupling)),
          bit_pivot_(as_lanes(space.bit_pivot)),
          bit_coupling_(as_lanes(space.bit_coupling)),
          word_step_(as_lanes(space.word_step)),
          bit_step_(as_lanes(space.bit_step)),
          rest_(as_lanes(space.rest)),
          search_(as_lanes(space.search)),
          image_(as_lanes(space.image)),
          temporary_(as_lanes(space.temporary)) {}

    template <typename Law>
    int step(const Law& law, const NewtonLimits& limits) {
        linearise(law);
        factor_word_lines();
        factor_bit_lines();
        right_hand_side();
        const int iterations = conjugate_gradients(limits);
        find_word_step();
        move(law, limits.halvings);
        return iterations;
    }

  private:
    /// Inflow into word-line nets to `word_step_`, into bit-line nets to `rest_`; slopes.
    template <typename Law>
    void linearise(const Law& law) {
        const std::size_t n = grid_.columns;
        const Lanes* zero = zero_row(grid_, state_);
        Lanes* current = as_lanes(state_.scratch);
        for (std::size_t r = 0; r < grid_.rows; ++r) {
            const double* g = grid_.cell + r * n;
            const RowBalance row(grid_, state_, r, zero);
            row_currents(law, g, row.u, row.w, current, current + n, n);
            row_slopes(law, g, row.u, row.w, slope_ + r * n, current + n, n);
            for (std::size_t c = 0; c < n; ++c) {
                word_step_[r * n + c] = row.into_word(c, current[c]);
                rest_[r * n + c] = row.into_bit(c, current[c]);
            }
        }
    }

    /// Pivots as sums of positive terms: `leak` is what leads from a node to anywhere but onwards.
    void factor_word_lines() {
        const std::size_t n = grid_.columns;
        for (std::size_t row = 0; row < grid_.rows; ++row) {
            const double* wire = grid_.word_wire + row * (n + 1);
            Lanes leak = broadcast(wire[0]);
            for (std::size_t c = 0; c < n; ++c) {
                const std::size_t at = row * n + c;
                leak += slope_[at];
                if (c + 1 == n) leak += wire[n];
                const double onwards = c + 1 < n ? wire[c + 1] : 0;
                word_pivot_[at] = 1 / (leak + onwards);
                word_coupling_[at] = onwards * word_pivot_[at];
                leak = leak * word_coupling_[at];
            }
        }
    }

    void factor_bit_lines() {
        const std::size_t n = grid_.columns;
        Lanes* leak = as_lanes(state_.scratch);
        for (std::size_t c = 0; c < n; ++c) leak[c] = broadcast(grid_.bit_wire[c]);
        for (std::size_t row = 0; row < grid_.rows; ++row) {
            const double* below = grid_.bit_wire + (row + 1) * n;
            const bool is_last = row + 1 == grid_.rows;
            for (std::size_t c = 0; c < n; ++c) {
                const std::size_t at = row * n + c;
                leak[c] += slope_[at];
                if (is_last) leak[c] += below[c];
                const double onwards = is_last ? 0 : below[c];
                bit_pivot_[at] = 1 / (leak[c] + onwards);
                bit_coupling_[at] = onwards * bit_pivot_[at];
                leak[c] = leak[c] * bit_coupling_[at];
            }
        }
    }

    void solve_word_lines(Lanes* x) const {
        const std::size_t n = grid_.columns;
        for (std::size_t row = 0; row < grid_.rows; ++row) {
            Lanes* y = x + row * n;
            const Lanes* q = word_pivot_ + row * n;
            const Lanes* m = word_coupling_ + row * n;
            for (std::size_t c = 1; c < n; ++c) y[c] += m[c - 1] * y[c - 1];
            Lanes next{};
            for (std::size_t c = n; c-- > 0;) y[c] = next = q[c] * y[c] + m[c] * next;
        }
    }

    void solve_bit_lines(const Lanes* right, Lanes* x) const {
        const std::size_t n = grid_.columns;
        for (std::size_t at = 0; at < n; ++at) x[at] = right[at];
        for (std::size_t at = n; at < size_; ++at)
            x[at] = right[at] + bit_coupling_[at - n] * x[at - n];
        for (std::size_t at = size_; at-- > size_ - n;) x[at] = bit_pivot_[at] * x[at];
        for (std::size_t at = size_ - n; at-- > 0;)
            x[at] = bit_pivot_[at] * x[at] + bit_coupling_[at] * x[at + n];
    }

    /// r = (inflow of bit lines) + S A^-1 (inflow of word lines)
    void right_hand_side() {
        for (std::size_t at = 0; at < size_; ++at) temporary_[at] = word_step_[at];
        solve_word_lines(temporary_);
        for (std::size_t at = 0; at < size_; ++at) {
            rest_[at] += slope_[at] * temporary_[at];
            bit_step_[at] = Lanes{};
        }
    }

    /// image = (B - S A^-1 S) search; returns search . image
    Lanes apply() {
        const std::size_t n = grid_.columns;
        for (std::size_t at = 0; at < size_; ++at) temporary_[at] = slope_[at] * search_[at];
        solve_word_lines(temporary_);
        Lanes product{};
        for (std::size_t row = 0; row < grid_.rows; ++row) {
            const double* above = grid_.bit_wire + row * n;
            const double* below = above + n;
            for (std::size_t c = 0; c < n; ++c) {
                const std::size_t at = row * n + c;
                const Lanes p = search_[at];
                const Lanes up = row == 0 ? Lanes{} : search_[at - n];
                const Lanes down = row + 1 == grid_.rows ? Lanes{} : search_[at + n];
                image_[at] =
                    above[c] * (p - up) + below[c] * (p - down) + slope_[at] * (p - temporary_[at]);
                product += p * image_[at];
            }
        }
        return product;
    }

    Lanes rest_size() const {
        Lanes sum{};
        for (std::size_t at = 0; at < size_; ++at) sum += magnitude(rest_[at]);
        return sum;
    }

    /// Each lane stops for itself: its steps are zero from then on.
    int conjugate_gradients(const NewtonLimits& limits) {
        const Lanes target = as_lanes(limits.target)[0];
        const Lanes part = limits.forcing * rest_size();
        const Lanes goal = part > target ? part : target;
        Bits active = rest_size() > goal;
        Lanes old_product = broadcast(1);
        int iterations = 0;
        for (; iterations < limits.inner_iterations && any(active); ++iterations) {
            solve_bit_lines(rest_, temporary_);
            Lanes product{};
            for (std::size_t at = 0; at < size_; ++at) product += rest_[at] * temporary_[at];
            const Lanes ratio = iterations == 0 ? Lanes{} : product / old_product;
            const Lanes keep = active ? ratio : Lanes{};
            for (std::size_t at = 0; at < size_; ++at)
                search_[at] =
                    iterations == 0 ? temporary_[at] : temporary_[at] + keep * search_[at];
            const Lanes curvature = apply();
            const Bits usable = active & (curvature > Lanes{});
            const Lanes length = usable ? product / curvature : Lanes{};
            Lanes size{};
            for (std::size_t at = 0; at < size_; ++at) {
                bit_step_[at] += length * search_[at];
                rest_[at] -= length * image_[at];
                size += magnitude(rest_[at]);
            }
            old_product = product;
            active = usable & (size > goal);
        }
        return iterations;
    }

    /// du = A^-1 (inflow + S dw)
    void find_word_step() {
        for (std::size_t at = 0; at < size_; ++at) {
            temporary_[at] = word_step_[at];  // the inflow, for the line search
            word_step_[at] += slope_[at] * bit_step_[at];
        }
        solve_word_lines(word_step_);
    }

    /// Inflow times step: by how much the co-content falls along the step, at u + t du.
    template <typename Law>
    Lanes descent(const Law& law) {
        const std::size_t n = grid_.columns;
        const Lanes* zero = zero_row(grid_, state_);
        Lanes* current = as_lanes(state_.scratch);
        Lanes sum{};
        for (std::size_t r = 0; r < grid_.rows; ++r) {
            const RowBalance row(grid_, state_, r, zero);
            row_currents(law, grid_.cell + r * n, row.u, row.w, current, current + n, n);
            for (std::size_t c = 0; c < n; ++c)
                sum += word_step_[r * n + c] * row.into_word(c, current[c]) +
                       bit_step_[r * n + c] * row.into_bit(c, current[c]);
        }
        return sum;
    }

    void add_steps(Lanes length) {
        Lanes* u = as_lanes(state_.word);
        Lanes* w = as_lanes(state_.bit);
        for (std::size_t at = 0; at < size_; ++at) {
            u[at] += length * word_step_[at];
            w[at] += length * bit_step_[at];
        }
    }

    /// u += t du with t = 1, 1/2, 1/4, ... per lane, until the descent has not turned into more
    /// than half as much ascent.
    template <typename Law>
    void move(const Law& law, int halvings) {
        const Lanes before = descent(law);
        Lanes length = broadcast(1);
        add_steps(length);
        for (int k = 0; k < halvings; ++k) {
            const Bits enough = descent(law) >= -0.5 * before;
            if (!any(~enough)) return;
            const Lanes back = enough ? Lanes{} : -0.5 * length;
            add_steps(back);
            length += back;
        }
    }

    const LineGrid& grid_;
    const LineState& state_;
    std::size_t size_;
    Lanes* slope_;
    Lanes* word_pivot_;
    Lanes* word_coupling_;
    Lanes* bit_pivot_;
    Lanes* bit_coupling_;
    Lanes* word_step_;
    Lanes* bit_step_;
    Lanes* rest_;
    Lanes* search_;
    Lanes* image_;
    Lanes* temporary_;
};

int newton_step(const LineGrid& grid, const LineState& state, const NewtonSpace& space,
                const NewtonLimits& limits) {
    return with_law(grid.law, any_voltage,
                    [&](const auto& law) { return Newton(grid, state, space).step(law, limits); });
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
