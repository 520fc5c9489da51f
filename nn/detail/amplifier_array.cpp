// With y = A0 (V_os - v_-) the drive of each amplifier and v = f(y) its output, Kirchhoff's law at
// the inverting inputs, T V - Y v_- + g (v - v_-) + h (v_a - v_-) = 0, reads over g
//   R(y) = K y / (g A0) + f(y) + (h / g) f(y_a) - w = 0,    K = Y + diag(g + h),
//   w = (K V_os - T V) / g - (h / g) (outputs of other arrays).
// Within the swing the outputs are nearly the linear ones whatever the drive: chords in v with the
// factors of f' = 1, v <- v - J_1^-1 R, shrink errors by about K / (g A0 f') a pass. Elsewhere
// there are Newton steps in s = f(y) + y / A0, along which neither outputs nor inputs change by
// more than s does, however large A0 is: J = K / g du/ds + df/ds + (h / g) df_a/ds, u = y / A0.
// A step is halved until the sum of R^2 falls. Where no part of one is better, each amplifier in
// its turn goes where its own equation puts it (the off-diagonal entries of K are not positive, so
// sweeps converge by themselves), and Newton's method goes on from there.
#include "nn/detail/amplifier_array.hpp"

#include <fmt/format.h>

#include <cmath>

#include "circuit/amplifier_law.hpp"
#include "circuit/error.hpp"

namespace kirchnet::detail {
namespace {

constexpr double tolerance = 1e-13;   // of w or the swing, whichever is larger
constexpr double within_swing = 0.9;  // outputs up to here are left to chords
constexpr double accepted = 1e-11;    // where rounding keeps Newton's method from the tolerance
constexpr double sufficient = 1e-4;   // of the fall that a whole step promises
constexpr int most_passes = 12;
constexpr int most_steps = 200;
constexpr int most_rounds = 50;
constexpr int sweeps_of_round = 20;
constexpr int most_halvings = 50;

double scale_of(const OpAmp& amplifier, const Eigen::VectorXd& wanted) {
    return std::max(amplifier.swing, wanted.cwiseAbs().maxCoeff());
}

/// The largest number of an input.
double largest(const Eigen::MatrixXd& values, Index input) {
    return values.col(input).cwiseAbs().maxCoeff();
}

}  // namespace

AmplifierArray::AmplifierArray(const ArrayPorts& ports, Index rows, LineAmplifiers lines)
    : lines_(std::move(lines)) {
    const Eigen::VectorXd over = lines_.feedback.cwiseInverse();
    Eigen::MatrixXd K = ports.sense_admittance;
    K.diagonal() += lines_.feedback + lines_.coupling;
    load_ = over.asDiagonal() * K / lines_.amplifier.gain;
    constant_ = over.asDiagonal() * (K * lines_.offset);
    drive_ = over.asDiagonal() * ports.transfer.leftCols(rows);
    const Eigen::VectorXd ones = Eigen::VectorXd::Ones(load_.rows());
    linear_.compute(jacobian(ones, ones));
}

Eigen::MatrixXd AmplifierArray::jacobian(const Eigen::VectorXd& of_output,
                                         const Eigen::VectorXd& of_drive) const {
    Eigen::MatrixXd matrix = load_ * of_drive.asDiagonal();
    matrix.diagonal() += of_output;
    for (Index c = 0; c < of_output.size(); ++c)
        if (const Index from = lines_.fed_by[static_cast<std::size_t>(c)]; from >= 0)
            matrix(c, from) += lines_.coupling(c) / lines_.feedback(c) * of_output(from);
    return matrix;
}

Eigen::MatrixXd AmplifierArray::fed_inside(const Eigen::MatrixXd& output) const {
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(output.rows(), output.cols());
    for (Index c = 0; c < output.rows(); ++c)
        if (const Index from = lines_.fed_by[static_cast<std::size_t>(c)]; from >= 0)
            sum.row(c) = lines_.coupling(c) / lines_.feedback(c) * output.row(from);
    return sum;
}

AmplifierArray::State AmplifierArray::state_at(Eigen::VectorXd place,
                                               const Eigen::VectorXd& wanted) const {
    const Index n = wanted.size();
    const double per_gain = 1 / lines_.amplifier.gain;
    State state{std::move(place),   Eigen::VectorXd(n), Eigen::VectorXd(n),
                Eigen::VectorXd(n), Eigen::VectorXd(n), {}};
    for (Index c = 0; c < n; ++c) {
        state.drive(c) = loaded_drive(lines_.amplifier, per_gain, state.place(c));
        const AmplifierPoint point = amplifier_output(lines_.amplifier, state.drive(c));
        state.output(c) = point.output;
        state.slope(c) = point.slope;
        state.along_drive(c) = 1 / (point.slope + per_gain);
    }
    state.residual = load_ * state.drive + state.output + fed_inside(state.output) - wanted;
    return state;
}

std::vector<bool> AmplifierArray::solve_within(const Eigen::MatrixXd& wanted,
                                               LineOutputs& outputs) const {
    const OpAmp& amplifier = lines_.amplifier;
    const double reach = within_swing * amplifier.swing;
    std::vector<bool> done(static_cast<std::size_t>(wanted.cols()), false);
    Eigen::MatrixXd v = outputs.voltage;
    bool is_more = true;
    for (int pass = 1; is_more && pass <= most_passes; ++pass) {
        const Eigen::MatrixXd drive = v.unaryExpr([&](double output) {
            return std::abs(output) < reach ? amplifier_drive(amplifier, output) : output;
        });
        const Eigen::MatrixXd residual = load_ * drive + v + fed_inside(v) - wanted;
        const Eigen::MatrixXd step = linear_.solve(residual);
        is_more = false;
        for (Index i = 0; i < v.cols(); ++i) {
            const auto at = static_cast<std::size_t>(i);
            if (done[at] || !(largest(v, i) < reach)) continue;
            const double left = largest(residual, i) / scale_of(amplifier, wanted.col(i));
            outputs.iterations[at] = pass;
            done[at] = left <= tolerance;
            if (done[at]) {
                outputs.voltage.col(i) = v.col(i);
                outputs.residual = std::max(outputs.residual, left);
            } else {
                v.col(i) -= step.col(i);
                is_more = true;
            }
        }
    }
    return done;
}

std::optional<AmplifierArray::State> AmplifierArray::step_from(
    const State& state, const Eigen::VectorXd& wanted) const {
    const Eigen::VectorXd step =
        Eigen::PartialPivLU<Eigen::MatrixXd>(
            jacobian(state.slope.cwiseProduct(state.along_drive), state.along_drive))
            .solve(state.residual);
    const double before = state.residual.squaredNorm();
    double part = 1;
    for (int halving = 0; halving < most_halvings; ++halving, part /= 2) {
        State next = state_at(state.place - part * step, wanted);
        if (next.residual.squaredNorm() < (1 - sufficient * part) * before) return next;
    }
    return std::nullopt;
}

AmplifierArray::State AmplifierArray::newton(State state, const Eigen::VectorXd& wanted,
                                             int& steps) const {
    for (int step = 0; step < most_steps && left(state, wanted) > tolerance; ++step, ++steps) {
        auto next = step_from(state, wanted);
        if (!next) break;
        state = std::move(*next);
    }
    return state;
}

AmplifierArray::State AmplifierArray::sweep(State state, const Eigen::VectorXd& wanted) const {
    const double per_gain = 1 / lines_.amplifier.gain;
    for (Index c = 0; c < wanted.size(); ++c) {
        double own = wanted(c) - load_.row(c).dot(state.drive) + load_(c, c) * state.drive(c);
        if (const Index from = lines_.fed_by[static_cast<std::size_t>(c)]; from >= 0)
            own -= lines_.coupling(c) / lines_.feedback(c) * state.output(from);
        state.drive(c) = loaded_drive(lines_.amplifier, load_(c, c), own);
        state.output(c) = amplifier_output(lines_.amplifier, state.drive(c)).output;
    }
    return state_at(state.output + per_gain * state.drive, wanted);
}

double AmplifierArray::left(const State& state, const Eigen::VectorXd& wanted) const {
    return state.residual.cwiseAbs().maxCoeff() / scale_of(lines_.amplifier, wanted);
}

void AmplifierArray::solve_alone(const Eigen::VectorXd& wanted, Index input,
                                 LineOutputs& outputs) const {
    int& steps = outputs.iterations[static_cast<std::size_t>(input)];
    State state = newton(state_at(outputs.voltage.col(input), wanted), wanted, steps);
    for (int round = 0; round < most_rounds && !(left(state, wanted) <= accepted); ++round) {
        for (int i = 0; i < sweeps_of_round; ++i, ++steps) state = sweep(std::move(state), wanted);
        state = newton(std::move(state), wanted, steps);
    }
    if (!(left(state, wanted) <= accepted)) {
        Index line = 0;
        state.residual.cwiseAbs().maxCoeff(&line);
        throw NotConverged(fmt::format("inverting input of bit line {}", line),
                           fmt::format("Newton's method leaves {:.1e} of the largest voltage over "
                                       "the amplifiers' feedback",
                                       left(state, wanted)));
    }
    outputs.residual = std::max(outputs.residual, left(state, wanted));
    outputs.voltage.col(input) = state.output;
    outputs.slope.col(input) = state.slope;
}

LineOutputs AmplifierArray::solve(const Eigen::MatrixXd& voltages,
                                  const Eigen::MatrixXd& fed) const {
    Eigen::MatrixXd wanted = (-drive_ * voltages).colwise() + constant_;
    if (fed.size() > 0)
        wanted -= (lines_.coupling.cwiseQuotient(lines_.feedback)).asDiagonal() * fed;
    LineOutputs outputs;
    outputs.voltage = linear_.solve(wanted);
    outputs.slope.resize(wanted.rows(), wanted.cols());
    outputs.iterations.assign(static_cast<std::size_t>(wanted.cols()), 0);
    const std::vector<bool> done = solve_within(wanted, outputs);
    for (Index i = 0; i < wanted.cols(); ++i) {
        if (!done[static_cast<std::size_t>(i)])
            solve_alone(wanted.col(i), i, outputs);
        else
            outputs.slope.col(i) = outputs.voltage.col(i).unaryExpr([&](double output) {
                return amplifier_output(lines_.amplifier, amplifier_drive(lines_.amplifier, output))
                    .slope;
            });
    }
    return outputs;
}

}  // namespace kirchnet::detail
