#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "circuit/error.hpp"
#include "circuit/random.hpp"
#include "nn/statistics.hpp"

using namespace kirchnet;

namespace {

Eigen::MatrixXd two_by_three() {
    return (Eigen::MatrixXd(2, 3) << 1, 2, 3, 2, 4, 9).finished();
}

}  // namespace

TEST_CASE("quantiles of Student's t are those of the tables") {
    // Closed forms: tan(pi (p - 1/2)) for one degree of freedom, x sqrt(2 / (1 - x^2)) with
    // x = 2 p - 1 for two.
    CHECK(student_t_quantile(0.975, 1) ==
          doctest::Approx(std::tan(0.475 * std::numbers::pi)).epsilon(1e-12));
    CHECK(student_t_quantile(0.975, 2) ==
          doctest::Approx(0.95 * std::sqrt(2 / (1 - 0.95 * 0.95))).epsilon(1e-12));
    // scipy.stats.t.ppf for 4, the usual tables for 99
    CHECK(student_t_quantile(0.975, 4) == doctest::Approx(2.7764451051977987).epsilon(1e-12));
    CHECK(student_t_quantile(0.975, 99) == doctest::Approx(1.98422).epsilon(3e-6));
    CHECK(student_t_quantile(0.025, 4) == doctest::Approx(-2.7764451051977987).epsilon(1e-12));
    CHECK_THROWS_AS((void)student_t_quantile(1, 4), InvalidInput);
    CHECK_THROWS_AS((void)student_t_quantile(0.5, 0), InvalidInput);
}

TEST_CASE("the interval of a share is Clopper and Pearson's") {
    // R: binom.test(8, 10), binom.test(0, 10)
    const Estimate eight = estimate_share(8, 10);
    CHECK(eight.mean == 0.8);
    CHECK(eight.low == doctest::Approx(0.4439045).epsilon(1e-6));
    CHECK(eight.high == doctest::Approx(0.9747893).epsilon(1e-6));
    CHECK(eight.standard_error == doctest::Approx(std::sqrt(0.8 * 0.2 / 9)));
    // 1 - (0.025)^(1/10) above, nothing below
    CHECK(estimate_share(0, 10).low == 0);
    CHECK(estimate_share(0, 10).high == doctest::Approx(0.3084971).epsilon(1e-6));
    CHECK(estimate_share(10, 10).low == doctest::Approx(1 - 0.3084971).epsilon(1e-6));
    CHECK(estimate_share(10, 10).high == 1);
    CHECK_THROWS_AS((void)estimate_share(3, 2), InvalidInput);
    CHECK_THROWS_AS((void)estimate_share(1, 1), InvalidInput);
}

TEST_CASE("one trial: the mean over images, by hand") {
    // 0 0 0 1: mean 1/4, variance 1/4, standard error 1/4; t of 3 degrees is 3.1824463 (tables)
    const Estimate found = estimate_mean((Eigen::MatrixXd(1, 4) << 0, 0, 0, 1).finished());
    CHECK(found.mean == 0.25);
    CHECK(found.standard_error == doctest::Approx(0.25));
    CHECK(found.degrees_of_freedom == 3);
    CHECK(found.low == doctest::Approx(0.25 - 0.25 * 3.182446305284263));
    CHECK(found.high == doctest::Approx(0.25 + 0.25 * 3.182446305284263));
}

TEST_CASE("several trials: the two-way crossed variance, by hand") {
    // Rows 1 2 3 and 2 4 9: trials 2 and 5, images 1.5, 3 and 6, mean 3.5.
    // MS_T = 3 (1.5^2 + 1.5^2) / 1 = 13.5, MS_I = 2 (2^2 + 0.5^2 + 2.5^2) / 2 = 10.5, and the rests
    // +-(1, 0.5, -1.5) give MS_R = 7 / 2. Over T N = 6: 2.25 + 1.75 - 7/12 = 41/12.
    const Estimate found = estimate_mean(two_by_three());
    CHECK(found.mean == doctest::Approx(3.5));
    CHECK(found.standard_error == doctest::Approx(std::sqrt(41.0 / 12)));
    // (41/12)^2 / (2.25^2 / 1 + 1.75^2 / 2 + (7/12)^2 / 2)
    CHECK(found.degrees_of_freedom ==
          doctest::Approx(41.0 * 41 / 144 / (5.0625 + 1.53125 + 49.0 / 288)));
}

TEST_CASE("trials or images alone set a floor to the variance") {
    // Rests larger than both effects: 1 -1 over -1 1 has no effect of trial or image at all.
    const Estimate none = estimate_mean((Eigen::MatrixXd(2, 2) << 1, -1, -1, 1).finished());
    CHECK(none.standard_error == 0);
    // Trials that repeat one another say nothing more than one of them.
    const Eigen::MatrixXd row = (Eigen::MatrixXd(1, 4) << 0, 0, 0, 1).finished();
    const Estimate once = estimate_mean(row);
    const Estimate thrice = estimate_mean(row.replicate(3, 1));
    CHECK(thrice.mean == once.mean);
    CHECK(thrice.standard_error == doctest::Approx(once.standard_error));
    CHECK(thrice.degrees_of_freedom == once.degrees_of_freedom);
    // Images that all say the same leave Student's t over trials: 1, 2, 3 have variance 1.
    const Estimate trials = estimate_mean((Eigen::MatrixXd(3, 2) << 1, 1, 2, 2, 3, 3).finished());
    CHECK(trials.standard_error == doctest::Approx(std::sqrt(1.0 / 3)));
    CHECK(trials.degrees_of_freedom == 2);
}

TEST_CASE("intervals hold what they promise: 95 % of 2,000 experiments with known effects") {
    // x = trial + image + rest, standard deviations 1, 3 and 2, 5 trials of 20 images, mean 0.
    int covered = 0;
    constexpr int experiments = 2000;
    for (std::uint64_t e = 0; e < experiments; ++e) {
        Eigen::MatrixXd x(5, 20);
        for (Eigen::Index t = 0; t < 5; ++t)
            for (Eigen::Index i = 0; i < 20; ++i) {
                const auto key = [](Eigen::Index n) { return static_cast<std::uint64_t>(n); };
                x(t, i) = keyed_normals(e, 1, {key(t), 0, 0, 0})[0] +
                          3 * keyed_normals(e, 2, {key(i), 0, 0, 0})[0] +
                          2 * keyed_normals(e, 3, {key(t), key(i), 0, 0})[0];
            }
        const Estimate found = estimate_mean(x);
        covered += found.low <= 0 && 0 <= found.high ? 1 : 0;
    }
    // Five standard errors of a share of 0.95 are 2.4 points, Satterthwaite's approximation is
    // known to be right within about one.
    CHECK(covered > experiments * (0.95 - 0.034));
    CHECK(covered < experiments * (0.95 + 0.034));
}

TEST_CASE("accuracies and their changes are paired by trial and image") {
    const std::vector<std::int32_t> labels{0, 1, 2, 3};
    const TrialPredictions before{{0, 1, 2, 0}};               // three right
    const TrialPredictions after{{0, 1, 0, 0}, {0, 1, 2, 3}};  // two, and four
    CHECK(estimate_accuracy(before, labels).mean == 0.75);
    CHECK(estimate_accuracy(before, labels).low == estimate_share(3, 4).low);
    CHECK(estimate_accuracy(after, labels).mean == 0.75);
    // Student's interval of one degree of freedom is far wider than accuracies can be.
    CHECK(estimate_accuracy(after, labels).low == 0);
    CHECK(estimate_accuracy(after, labels).high == 1);
    const Estimate change = estimate_change(before, after, labels);
    const Estimate by_hand =
        estimate_mean((Eigen::MatrixXd(2, 4) << 0, 0, -1, 0, 0, 0, 0, 1).finished());
    CHECK(change.low == -1);
    CHECK(by_hand.low < -1);
    CHECK(change.mean == 0);
    CHECK(change.standard_error == by_hand.standard_error);
    CHECK(estimate_change(after, before, labels).mean == 0);
    const Estimate nothing = estimate_change(before, before, labels);
    CHECK(nothing.low == 0);
    CHECK(nothing.high == 0);
}

TEST_CASE("independent values and the probability of a mean by chance") {
    // 1, 2, 3: mean 2, s = 1, standard error 1/sqrt(3); t_0.975(2) = 4.30265.
    const Estimate mean = estimate_independent(Eigen::Vector3d(1, 2, 3));
    CHECK(mean.mean == 2);
    CHECK(mean.high == doctest::Approx(2 + 4.30265 / std::sqrt(3.0)).epsilon(1e-6));
    const Estimate single = estimate_independent(Eigen::VectorXd::Constant(1, 5.0));
    CHECK(single.low == 5);
    CHECK(single.high == 5);
    CHECK_THROWS_AS((void)estimate_independent(Eigen::VectorXd()), InvalidInput);
    // Student's t of two degrees of freedom has the closed form
    // P(|T| > t) = 1 - t / sqrt(2 + t^2); here t = 2 sqrt(3).
    const double t = 2 * std::sqrt(3.0);
    CHECK(p_value(mean) == doctest::Approx(1 - t / std::sqrt(2 + t * t)).epsilon(1e-9));
    CHECK(p_value(single) == 0);
    CHECK(p_value(Estimate{}) == 1);
}

TEST_CASE("what cannot be estimated is refused") {
    CHECK_THROWS_AS((void)estimate_mean(Eigen::MatrixXd::Zero(3, 1)), InvalidInput);
    CHECK_THROWS_AS((void)estimate_mean(Eigen::MatrixXd::Zero(0, 4)), InvalidInput);
    CHECK_THROWS_AS((void)estimate_mean(two_by_three(), 1.0), InvalidInput);
    CHECK_THROWS_AS((void)correctness({{0, 1}}, {0}), InvalidInput);
    CHECK_THROWS_AS((void)estimate_change({{0, 1}, {0, 1}}, {{0, 1}, {0, 1}, {0, 1}}, {0, 1}),
                    InvalidInput);
}
