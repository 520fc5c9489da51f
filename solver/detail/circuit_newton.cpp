// J(x) dx = -F(x),  x += t dx. t halves until the next correction on the same factors is smaller,
//     |J(x)^-1 F(x + t dx)| <= (1 - t/4) |dx|,
// the natural monotonicity test, which no scaling of equations changes (P. Deuflhard, "Newton
// Methods for Nonlinear Problems", Springer 2004, section 3.3). Norms are over voltages: currents
// of branches follow from them.
#include "solver/detail/circuit_newton.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kirchnet::detail {
namespace {

using Index = Eigen::Index;

constexpr double small_current = 1e-12;  // [A]
constexpr double small_voltage = 1e-12;  // [V]
constexpr int most_halvings = 12;
constexpr int most_corrections = 6;
// A sum of currents in doubles is not better than this.
constexpr double rounding = 1e-16;

}  // namespace

CircuitNewton::CircuitNewton(const CircuitEquations& equations)
    : equations_(equations),
      factors_(KluSettings{.block_triangular = true, .scales_rows = true}),
      is_linear_(equations.circuit().is_linear()) {
    if (equations.size() > 0) factors_.analyze(equations.column_start(), equations.row());
}

double CircuitNewton::excess(const Balance& balance, Index row, double tolerance) const {
    const double floor = row < equations_.voltages() ? small_current : small_voltage;
    const double allowed = std::max(tolerance * balance.magnitude(row), floor);
    const auto missing = static_cast<double>(std::abs(balance.residual(row)));
    return std::isfinite(missing) ? missing / allowed : std::numeric_limits<double>::infinity();
}

double CircuitNewton::largest_excess(const Balance& balance, double tolerance) const {
    double largest = 0;
    for (Index row = 0; row < balance.residual.size(); ++row)
        largest = std::max(largest, excess(balance, row, tolerance));
    return largest;
}

Index CircuitNewton::worst_row() const {
    Index worst = 0;
    for (Index row = 1; row < balance_.residual.size(); ++row)
        if (excess(balance_, row, 0) > excess(balance_, worst, 0)) worst = row;
    return worst;
}

double CircuitNewton::size_of(const Eigen::VectorXd& step) const {
    double largest = 0;
    for (Index net = 0; net < equations_.voltages(); ++net)
        if (!(std::abs(step(net)) <= largest)) largest = std::abs(step(net));  // keeps a NaN
    return largest;
}

bool CircuitNewton::factorize() {
    singular_ = is_factorized_ ? factors_.refactorize(slopes_) : factors_.factorize(slopes_);
    is_factorized_ = !singular_;
    return is_factorized_;
}

Eigen::VectorXd CircuitNewton::solve(Eigen::VectorXd right_hand_side) {
    factors_.solve(right_hand_side);
    return right_hand_side;
}

Eigen::VectorXd CircuitNewton::newton_step(const Balance& balance) {
    return solve((-balance.residual).cast<double>());
}

/// unknowns += t step, and the balance there.
bool CircuitNewton::move(PreciseVector& unknowns, const Conditions& conditions,
                         const Eigen::VectorXd& step, double tolerance, Damping damping) {
    const double length = size_of(step);
    const bool is_monotone = damping == Damping::monotone && !is_linear_;
    double t = 2;
    for (int halving = 0; halving <= most_halvings; ++halving) {
        t /= 2;
        const PreciseVector trial = unknowns + Precise{t} * step.cast<Precise>();
        Balance there;
        equations_.evaluate(trial, conditions, there, nullptr);
        const bool holds = largest_excess(there, tolerance) <= 1;
        if (!holds && !there.residual.allFinite()) continue;
        if (!holds && is_monotone && size_of(newton_step(there)) > (1 - t / 4) * length) continue;
        unknowns = trial;
        balance_ = std::move(there);
        return true;
    }
    return false;
}

bool CircuitNewton::find(PreciseVector& unknowns, const Conditions& conditions, int most_steps,
                         double tolerance, Damping damping) {
    singular_.reset();
    is_factorized_ = false;  // the result must not depend on what was solved before
    if (equations_.size() == 0) return true;
    for (int step = 0; step < most_steps; ++step) {
        equations_.evaluate(unknowns, conditions, balance_, &slopes_);
        if (step > 0 && largest_excess(balance_, tolerance) <= 1) return true;
        if (!factorize()) return false;
        ++steps_;
        const Eigen::VectorXd change = newton_step(balance_);
        if (!change.allFinite() || !move(unknowns, conditions, change, tolerance, damping))
            return false;
    }
    return largest_excess(balance_, tolerance) <= 1;
}

void CircuitNewton::polish(PreciseVector& unknowns, const Conditions& conditions) {
    if (!is_factorized_) return;
    const auto missing = [&](const Balance& balance) {
        double largest = 0;
        for (Index row = 0; row < balance.residual.size(); ++row)
            if (balance.magnitude(row) > 0)
                largest = std::max(largest, static_cast<double>(std::abs(balance.residual(row))) /
                                                balance.magnitude(row));
        return largest;
    };
    double before = missing(balance_);
    for (int i = 0; i < most_corrections && before > rounding; ++i) {
        const PreciseVector trial = unknowns + newton_step(balance_).cast<Precise>();
        Balance there;
        equations_.evaluate(trial, conditions, there, nullptr);
        const double after = missing(there);
        if (!(after < before)) return;
        unknowns = trial;
        balance_ = std::move(there);
        if (after > before / 2) return;
        before = after;
    }
}

bool CircuitNewton::correct(PreciseVector& unknowns, const Conditions& conditions, int most_steps,
                            double small, bool keeps_factors) {
    singular_.reset();
    if (equations_.size() == 0) return true;
    for (int step = 0; step < most_steps; ++step) {
        const bool keeps = is_linear_ && keeps_factors && is_factorized_;
        equations_.evaluate(unknowns, conditions, balance_, keeps ? nullptr : &slopes_);
        if (!keeps && !factorize()) return false;
        ++steps_;
        const Eigen::VectorXd change = newton_step(balance_);
        if (!change.allFinite()) return false;
        unknowns += change.cast<Precise>();
        if (is_linear_ || size_of(change) <= small) return true;
    }
    return false;
}

}  // namespace kirchnet::detail
