#pragma once

#include <Eigen/LU>
#include <optional>
#include <vector>

#include "circuit/operating_point_solver.hpp"
#include "circuit/readout.hpp"

namespace kirchnet::detail {

/// What stands behind the bit lines of one array, a value per bit line.
struct LineAmplifiers {
    OpAmp amplifier;            ///< gain, swing and its limit, of all
    Eigen::VectorXd feedback;   ///< 1 / R_f [S]
    Eigen::VectorXd offset;     ///< [V]
    Eigen::VectorXd coupling;   ///< 1 / R_x [S] of what feeds a bit line's input; 0: nothing
    std::vector<Index> fed_by;  ///< the bit line whose output does; -1: none of this array
};

/// Outputs of an array's amplifiers for a batch of inputs.
struct LineOutputs {
    Eigen::MatrixXd voltage;      ///< v_o [V], [bit lines × inputs]
    Eigen::MatrixXd slope;        ///< of each amplifier, as in `AmplifierPoint`
    std::vector<int> iterations;  ///< per input: passes and Newton steps
    double residual = 0;  ///< largest sum of currents at an inverting input, relative to the
                          ///< largest current there
};

/// The amplifiers of one array of linear cells, coupled through it, with their swing. Inputs within
/// the swing share the factors of the linear equations; for others the Jacobian is factorised.
class AmplifierArray {
  public:
    /// @param rows  word lines that are driven; the others are at 0 V
    AmplifierArray(const ArrayPorts& ports, Index rows, LineAmplifiers lines);

    /// @param voltages  read voltages [V], [rows × inputs]
    /// @param fed       outputs of other arrays' amplifiers that feed a bit line [V],
    ///                  [bit lines × inputs]; empty: none do
    /// @throws NotConverged  where Newton's method finds no operating point
    [[nodiscard]] LineOutputs solve(const Eigen::MatrixXd& voltages,
                                    const Eigen::MatrixXd& fed) const;

  private:
    /// Where the amplifiers stand for one input.
    struct State {
        Eigen::VectorXd place;        ///< s = f(y) + y / A0 [V]
        Eigen::VectorXd drive;        ///< y [V]
        Eigen::VectorXd output;       ///< f(y) [V]
        Eigen::VectorXd slope;        ///< f'(y)
        Eigen::VectorXd along_drive;  ///< dy / ds
        Eigen::VectorXd residual;     ///< [V]
    };
    /// What outputs [bit lines × any] of this array feed to bit lines of it, over 1 / R_f [V].
    [[nodiscard]] Eigen::MatrixXd fed_inside(const Eigen::MatrixXd& output) const;
    /// dR/dv + dR/dy for these slopes of both along one variable per amplifier.
    [[nodiscard]] Eigen::MatrixXd jacobian(const Eigen::VectorXd& of_output,
                                           const Eigen::VectorXd& of_drive) const;
    [[nodiscard]] State state_at(Eigen::VectorXd place, const Eigen::VectorXd& wanted) const;
    /// Passes over the whole batch. @return  per input, whether that solved it
    std::vector<bool> solve_within(const Eigen::MatrixXd& wanted, LineOutputs& outputs) const;
    /// From the linear solution in `outputs`.
    void solve_alone(const Eigen::VectorXd& wanted, Index input, LineOutputs& outputs) const;
    /// Damped Newton steps, added to `steps`, to where they end.
    [[nodiscard]] State newton(State state, const Eigen::VectorXd& wanted, int& steps) const;
    /// The state at the end of a damped step. @return  nothing where no part of it is better
    [[nodiscard]] std::optional<State> step_from(const State& state,
                                                 const Eigen::VectorXd& wanted) const;
    /// Each amplifier in its turn where its own equation puts it.
    [[nodiscard]] State sweep(State state, const Eigen::VectorXd& wanted) const;
    [[nodiscard]] double left(const State& state, const Eigen::VectorXd& wanted) const;

    LineAmplifiers lines_;
    Eigen::MatrixXd load_;      ///< diag(1 / g) K / A0
    Eigen::MatrixXd drive_;     ///< diag(1 / g) T, [bit lines × rows]
    Eigen::VectorXd constant_;  ///< diag(1 / g) K V_os [V]
    Eigen::PartialPivLU<Eigen::MatrixXd> linear_;
};

}  // namespace kirchnet::detail
