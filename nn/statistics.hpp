#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

namespace kirchnet {

/// A mean with what is known of its error; docs/methods/statistics.md derives it.
struct Estimate {
    double mean = 0;
    double standard_error = 0;
    double degrees_of_freedom = 0;  ///< of Student's t
    double low = 0;                 ///< confidence interval
    double high = 0;
};

inline constexpr double usual_confidence = 0.95;

/// The value that Student's t stays below with `probability`.
/// @throws InvalidInput  unless 0 < probability < 1 and degrees_of_freedom > 0
double student_t_quantile(double probability, double degrees_of_freedom);

/// Confidence interval of a probability of which `successes` of `samples` independent draws speak:
/// Clopper and Pearson, Biometrika 26, 1934. Standard error and degrees of freedom are those of the
/// mean of such draws.
/// @throws InvalidInput  unless 0 <= successes <= samples and samples >= 2
Estimate estimate_share(std::uint64_t successes, std::uint64_t samples,
                        double confidence = usual_confidence);

/// Mean of values that depend on a trial and on an image, both drawn at random: the variance of
/// the mean is that of the two-way crossed model, its interval Student's with Satterthwaite's
/// degrees of freedom. With one trial, the interval speaks of images alone.
/// @param values  [trials × images]
/// @throws InvalidInput  unless there are at least two images and a trial
Estimate estimate_mean(const Eigen::Ref<const Eigen::MatrixXd>& values,
                       double confidence = usual_confidence);

/// Mean of independent values, such as the scores of chips on one set of images; Student's
/// interval. A single value has no interval: it is `low` and `high` itself.
/// @throws InvalidInput  when there is no value
Estimate estimate_independent(const Eigen::Ref<const Eigen::VectorXd>& values,
                              double confidence = usual_confidence);

/// Two-sided probability that a mean this far from 0 or farther is found where the true mean is 0.
/// Without any error known: 1 for a mean of 0, else 0.
double p_value(const Estimate& estimate);

/// Predicted classes of the images, one row per trial.
using TrialPredictions = std::vector<std::vector<std::int32_t>>;

/// 1 where the class is right, else 0: [trials × images].
/// @throws InvalidInput  when a trial has another number of images than there are labels
Eigen::MatrixXd correctness(const TrialPredictions& predicted,
                            const std::vector<std::int32_t>& labels);

/// Accuracy, 0 to 1: `estimate_share` of a single trial, else `estimate_mean`, its interval within
/// 0 and 1.
Estimate estimate_accuracy(const TrialPredictions& predicted,
                           const std::vector<std::int32_t>& labels);

/// The same of `correctness`, [trials × images].
Estimate estimate_accuracy(const Eigen::Ref<const Eigen::MatrixXd>& right);

/// Change of accuracy from `before` to `after`, paired by trial and image. Where one of them has a
/// single trial, it is the same in all trials of the other. Its interval is within -1 and 1.
/// @throws InvalidInput  when both have several trials, but not equally many
Estimate estimate_change(const TrialPredictions& before, const TrialPredictions& after,
                         const std::vector<std::int32_t>& labels);
/// The same of `correctness`, [trials × images].
Estimate estimate_change(const Eigen::Ref<const Eigen::MatrixXd>& before,
                         const Eigen::Ref<const Eigen::MatrixXd>& after);

}  // namespace kirchnet
