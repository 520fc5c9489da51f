// Cell laws on vector lanes. For sources compiled once per instruction set alone.
#pragma once

#include "solver/detail/lanes.hpp"
#include "solver/detail/line_kernels.hpp"

namespace kirchnet::detail::KIRCHNET_ISA {

inline constexpr double any_voltage = __builtin_inf();

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

}  // namespace kirchnet::detail::KIRCHNET_ISA
