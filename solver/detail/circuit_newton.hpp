#pragma once

#include <optional>

#include "solver/detail/circuit_equations.hpp"
#include "solver/klu_factorization.hpp"

namespace kirchnet::detail {

/// How far Newton steps go.
enum class Damping {
    monotone,  ///< no further than the next step gets smaller: for smooth laws
    none       ///< as far as values stay finite: laws with corners are solved piece by piece
};

/// Newton's method on the equations of a circuit, each step solved by KLU. Keeps the factors of the
/// last Jacobian. The equations outlive it.
class CircuitNewton {
  public:
    explicit CircuitNewton(const CircuitEquations& equations);

    /// Steps from where `unknowns` are. Converged: at every net the sum of currents is below
    /// `tolerance` times their absolute sum or below 1e-12 A, branches likewise with 1e-12 V.
    /// @return  whether they end on a solution
    bool find(PreciseVector& unknowns, const Conditions& conditions, int most_steps,
              double tolerance, Damping damping);
    /// Corrections by the last factors while each of them halves what is left.
    void polish(PreciseVector& unknowns, const Conditions& conditions);

    /// Undamped steps until one moves every voltage by less than `small` [V] only; where the
    /// circuit is linear, one step.
    /// @param keeps_factors  the Jacobian of these conditions is that of the last factors
    /// @return  whether that came true within `most_steps`
    bool correct(PreciseVector& unknowns, const Conditions& conditions, int most_steps,
                 double small, bool keeps_factors);
    /// x of J x = b, by the last factors.
    [[nodiscard]] Eigen::VectorXd solve(Eigen::VectorXd right_hand_side);

    [[nodiscard]] int steps() const { return steps_; }
    /// The equation furthest from holding after the last call.
    [[nodiscard]] Eigen::Index worst_row() const;
    [[nodiscard]] const Balance& balance() const { return balance_; }
    /// The unknown where elimination failed last, if it did in the last call.
    [[nodiscard]] std::optional<std::int32_t> singular() const { return singular_; }

  private:
    /// How far equation `row` is from holding, 1 being the tolerance.
    [[nodiscard]] double excess(const Balance& balance, Eigen::Index row, double tolerance) const;
    [[nodiscard]] double largest_excess(const Balance& balance, double tolerance) const;
    /// Largest change of a voltage [V].
    [[nodiscard]] double size_of(const Eigen::VectorXd& step) const;
    bool factorize();
    [[nodiscard]] Eigen::VectorXd newton_step(const Balance& balance);
    bool move(PreciseVector& unknowns, const Conditions& conditions, const Eigen::VectorXd& step,
              double tolerance, Damping damping);

    const CircuitEquations& equations_;
    KluFactorization factors_;
    bool is_factorized_ = false;
    bool is_linear_ = false;
    std::vector<double> slopes_;
    Balance balance_;
    std::optional<std::int32_t> singular_;
    int steps_ = 0;
};

}  // namespace kirchnet::detail
