// Two-way crossed random effects, x_ti = m + trial_t + image_i + rest_ti, T trials and N images:
//   MS_T = N sum_t (x_t. - x..)^2 / (T - 1),  MS_I = T sum_i (x_.i - x..)^2 / (N - 1),
//   MS_R = sum_ti (x_ti - x_t. - x_.i + x..)^2 / ((T - 1)(N - 1)),
//   Var(x..) = (MS_T + MS_I - MS_R) / (T N)
// (Scheffe, The Analysis of Variance, 1959, chapter 7; Satterthwaite, Biometrics Bulletin 2, 1946).
#include "nn/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "circuit/error.hpp"
#include "circuit/geometry.hpp"

namespace kirchnet {
namespace {

/// A variance and how well it is known.
struct Variance {
    double value = 0;
    double degrees_of_freedom = 1;
};

/// Mean squares over T N, each with its degrees of freedom: what Var(x..) is made of.
struct MeanSquares {
    Variance trials;
    Variance images;
    Variance rest;
};

MeanSquares mean_squares(const Eigen::Ref<const Eigen::MatrixXd>& x) {
    const auto T = static_cast<double>(x.rows());
    const auto N = static_cast<double>(x.cols());
    const Eigen::VectorXd trial = x.rowwise().mean();
    const Eigen::RowVectorXd image = x.colwise().mean();
    const double mean = trial.mean();
    const Eigen::MatrixXd rest = ((x.colwise() - trial).rowwise() - image).array() + mean;
    return {{(trial.array() - mean).square().sum() / (T - 1) / T, T - 1},
            {(image.array() - mean).square().sum() / (N - 1) / N, N - 1},
            {rest.squaredNorm() / ((T - 1) * (N - 1)) / (T * N), (T - 1) * (N - 1)}};
}

/// Of the mean over one trial's images.
Variance over_images(const Eigen::Ref<const Eigen::MatrixXd>& x) {
    const auto N = static_cast<double>(x.cols());
    return {(x.array() - x.mean()).square().sum() / (N - 1) / N, N - 1};
}

/// Of the mean over trials and images. Neither trials nor images alone can promise less, so where
/// the difference falls below one of them, chance made the rest too large, and that one stands.
Variance over_both(const Eigen::Ref<const Eigen::MatrixXd>& x) {
    const auto [trials, images, rest] = mean_squares(x);
    const double sum = trials.value + images.value - rest.value;
    if (sum <= std::max(trials.value, images.value))
        return trials.value > images.value ? trials : images;
    const auto term = [](const Variance& v) { return v.value * v.value / v.degrees_of_freedom; };
    return {sum, sum * sum / (term(trials) + term(images) + term(rest))};
}

void check_confidence(double confidence) {
    if (!(confidence > 0 && confidence < 1))
        throw InvalidInput("confidence", fmt::format("{} is not between 0 and 1", confidence));
}

/// An interval ends where the quantity does.
Estimate within(Estimate estimate, double least, double most) {
    estimate.low = std::max(estimate.low, least);
    estimate.high = std::min(estimate.high, most);
    return estimate;
}

/// Trials of two arms, as many of both.
Index common_trials(Index before, Index after) {
    if (before != after && before != 1 && after != 1)
        throw InvalidInput(fmt::format("{} trials cannot be paired with {}", before, after));
    return std::max(before, after);
}

}  // namespace

double student_t_quantile(double probability, double degrees_of_freedom) {
    if (!(probability > 0 && probability < 1) || !(degrees_of_freedom > 0))
        throw InvalidInput("Student's t",
                           fmt::format("has no quantile {} for {} degrees of freedom", probability,
                                       degrees_of_freedom));
    return boost::math::quantile(boost::math::students_t(degrees_of_freedom), probability);
}

Estimate estimate_share(std::uint64_t successes, std::uint64_t samples, double confidence) {
    check_confidence(confidence);
    if (samples < 2 || successes > samples)
        throw InvalidInput(
            fmt::format("{} of {} samples are no share to estimate: it takes at "
                        "least two samples",
                        successes, samples));
    using boost::math::binomial;
    const auto k = static_cast<double>(successes);
    const auto n = static_cast<double>(samples);
    const double tail = (1 - confidence) / 2;
    const double share = k / n;
    return {share, std::sqrt(share * (1 - share) / (n - 1)), n - 1,
            binomial::find_lower_bound_on_p(n, k, tail),
            binomial::find_upper_bound_on_p(n, k, tail)};
}

Estimate estimate_mean(const Eigen::Ref<const Eigen::MatrixXd>& values, double confidence) {
    check_confidence(confidence);
    if (values.rows() < 1 || values.cols() < 2)
        throw InvalidInput(
            fmt::format("{} trials of {} images: a confidence interval takes a trial "
                        "and two images at least",
                        values.rows(), values.cols()));
    const Variance variance = values.rows() == 1 ? over_images(values) : over_both(values);
    Estimate estimate{values.mean(), std::sqrt(variance.value), variance.degrees_of_freedom, 0, 0};
    const double half = student_t_quantile((1 + confidence) / 2, estimate.degrees_of_freedom) *
                        estimate.standard_error;
    estimate.low = estimate.mean - half;
    estimate.high = estimate.mean + half;
    return estimate;
}

Eigen::MatrixXd correctness(const TrialPredictions& predicted,
                            const std::vector<std::int32_t>& labels) {
    Eigen::MatrixXd right(static_cast<Index>(predicted.size()), static_cast<Index>(labels.size()));
    for (std::size_t t = 0; t < predicted.size(); ++t) {
        if (predicted[t].size() != labels.size())
            throw InvalidInput(
                fmt::format("{} predictions for {} labels", predicted[t].size(), labels.size()));
        for (std::size_t i = 0; i < labels.size(); ++i)
            right(static_cast<Index>(t), static_cast<Index>(i)) =
                predicted[t][i] == labels[i] ? 1 : 0;
    }
    return right;
}

Estimate estimate_independent(const Eigen::Ref<const Eigen::VectorXd>& values, double confidence) {
    check_confidence(confidence);
    if (values.size() == 0) throw InvalidInput("there is no value to take the mean of");
    const double mean = values.mean();
    if (values.size() == 1) return {mean, 0, 0, mean, mean};
    const auto n = static_cast<double>(values.size());
    const double error = std::sqrt((values.array() - mean).square().sum() / (n - 1) / n);
    const double half = student_t_quantile((1 + confidence) / 2, n - 1) * error;
    return {mean, error, n - 1, mean - half, mean + half};
}

double p_value(const Estimate& estimate) {
    if (!(estimate.standard_error > 0)) return estimate.mean == 0 ? 1 : 0;
    const double t = std::abs(estimate.mean) / estimate.standard_error;
    return 2 * boost::math::cdf(boost::math::complement(
                   boost::math::students_t(estimate.degrees_of_freedom), t));
}

Estimate estimate_accuracy(const Eigen::Ref<const Eigen::MatrixXd>& right) {
    if (right.rows() != 1) return within(estimate_mean(right), 0, 1);
    return estimate_share(static_cast<std::uint64_t>(right.sum()),
                          static_cast<std::uint64_t>(right.cols()));
}

Estimate estimate_accuracy(const TrialPredictions& predicted,
                           const std::vector<std::int32_t>& labels) {
    return estimate_accuracy(correctness(predicted, labels));
}

Estimate estimate_change(const Eigen::Ref<const Eigen::MatrixXd>& before,
                         const Eigen::Ref<const Eigen::MatrixXd>& after) {
    const Index trials = common_trials(before.rows(), after.rows());
    return within(estimate_mean(after.replicate(trials / after.rows(), 1) -
                                before.replicate(trials / before.rows(), 1)),
                  -1, 1);
}

Estimate estimate_change(const TrialPredictions& before, const TrialPredictions& after,
                         const std::vector<std::int32_t>& labels) {
    return estimate_change(correctness(before, labels), correctness(after, labels));
}

}  // namespace kirchnet
