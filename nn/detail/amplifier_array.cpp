// With y = A0 (V_os - v_-) the drive of each amplifier and v = f(y) its output, Kirchhoff's law at
// the inverting inputs, T V - Y v_- + g (v - v_-) + h (v_a - v_-) = 0, reads over g
//   R(y) = K y / (g A0) + f(y) + (h / g) f(y_a) - w = 0,    K = Y + diag(g + h),
//   w = (K V_os - T V) / g - (h / g) (outputs of other arrays).
// Within the swing the outputs are nearly the linear ones whatever the drive: chords in v with the
// factors of f' = 1, v <- v - J_1^-1 R, shrink errors by about K / (g A0 f') a pass. Elsewhere
// Newton steps with J = K / (g A0) + f' + (h / g) f'_a are damped until the sum of R^2 falls.
#include "nn/detail/amplifier_array.hpp"

#include <fmt/format.h>

#include <cmath>

#include "circuit/amplifier_law.hpp"
#include "circuit/error.hpp"

namespace kirchnet::detail {
namespace {

constexpr double tolerance = 1e-13;   // of w or the swing, whichever is larger
constexpr double within_swing = 0.9;  // outputs up to here are left to chords
constexpr double invertible = 0.99;   // of the swing: see `amplifier_drive`
constexpr double accepted = 1e-11;    // where rounding keeps Newton's method from the tolerance
constexpr double sufficient = 1e-4;   // of the fall that a whole step promises
constexpr int most_passes = 12;
constexpr int most_steps = 200;
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
    const Index n = load_.rows();
    linear_.compute(jacobian(Eigen::VectorXd::Ones(n)));
}

Eigen::MatrixXd AmplifierArray::jacobian(const Eigen::VectorXd& slope) const {
    Eigen::MatrixXd matrix = load_;
    matrix.diagonal() += slope;
    for (Index c = 0; c < slope.size(); ++c)
        if (const Index from = lines_.fed_by[static_cast<std::size_t>(c)]; from >= 0)
            matrix(c, from) += lines_.coupling(c) / lines_.feedback(c) * slope(from);
    return matrix;
}

Eigen::MatrixXd AmplifierArray::fed_inside(const Eigen::MatrixXd& output) const {
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(output.rows(), output.cols());
    for (Index c = 0; c < output.rows(); ++c)
        if (const Index from = lines_.fed_by[static_cast<std::size_t>(c)]; from >= 0)
            sum.row(c) = lines_.coupling(c) / lines_.feedback(c) * output.row(from);
    return sum;
}

AmplifierArray::State AmplifierArray::state_at(Eigen::VectorXd drive,
                                               const Eigen::VectorXd& wanted) const {
    State state{std::move(drive), {}, {}, {}};
    const Index n = wanted.size();
    state.output.resize(n);
    state.slope.resize(n);
    for (Index c = 0; c < n; ++c) {
        const AmplifierPoint point = amplifier_output(lines_.amplifier, state.drive(c));
        state.output(c) = point.output;
        state.slope(c) = point.slope;
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
        Eigen::PartialPivLU<Eigen::MatrixXd>(jacobian(state.slope)).solve(state.residual);
    const double before = state.residual.squaredNorm();
    double part = 1;
    for (int halving = 0; halving < most_halvings; ++halving, part /= 2) {
        State next = state_at(state.drive - part * step, wanted);
        if (next.residual.squaredNorm() < (1 - sufficient * part) * before) return next;
    }
    return std::nullopt;
}

void AmplifierArray::solve_alone(const Eigen::VectorXd& wanted, Index input,
                                 LineOutputs& outputs) const {
    const OpAmp& amplifier = lines_.amplifier;
    const double scale = scale_of(amplifier, wanted);
    const auto left = [&](const State& of) { return of.residual.cwiseAbs().maxCoeff() / scale; };
    State state = state_at(outputs.voltage.col(input).unaryExpr([&](double output) {
        return std::abs(output) < invertible * amplifier.swing ? amplifier_drive(amplifier, output)
                                                               : output;
    }),
                           wanted);
    int& steps = outputs.iterations[static_cast<std::size_t>(input)];
    for (int step = 0; step < most_steps && left(state) > tolerance; ++step, ++steps) {
        auto next = step_from(state, wanted);
        if (!next) break;
        state = std::move(*next);
    }
    if (!(left(state) <= accepted)) {
        Index line = 0;
        state.residual.cwiseAbs().maxCoeff(&line);
        throw NotConverged(fmt::format("inverting input of bit line {}", line),
                           fmt::format("Newton's method leaves {:.1e} of the largest voltage over "
                                       "the amplifiers' feedback",
                                       left(state)));
    }
    outputs.residual = std::max(outputs.residual, left(state));
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
