// Compiled once per instruction set (cmake/KirchnetTargets.cmake). One step of Newton-PCG for
// nonlinear cells, docs/methods/nonlinear-cells.md:
//     J = [A, -S; -S, B],   S = dI/dv, A = L_w + S, B = L_b + S.
// The word lines are eliminated exactly; conjugate gradients solve (B - S A^-1 S) dw = r with B as
// preconditioner.
#include "solver/detail/line_balance.hpp"
#include "solver/detail/line_laws.hpp"
#include "solver/detail/line_newton.hpp"

namespace kirchnet::detail::KIRCHNET_ISA {

namespace {

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

}  // namespace

int newton_step(const LineGrid& grid, const LineState& state, const NewtonSpace& space,
                const NewtonLimits& limits) {
    return with_law(grid.law, any_voltage,
                    [&](const auto& law) { return Newton(grid, state, space).step(law, limits); });
}

}  // namespace kirchnet::detail::KIRCHNET_ISA
