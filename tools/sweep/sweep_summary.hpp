#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/sweep_file.hpp"
#include "nn/statistics.hpp"
#include "tools/sweep/sweep_plan.hpp"

namespace kirchnet {

/// What the finished trials of one point say.
struct PointSummary {
    std::size_t point = 0;
    std::uint32_t trials = 0;
    Estimate accuracy;    ///< over chips and images, both drawn at random (of a detector: chips)
    Estimate over_chips;  ///< of these images alone
    double least = 0;     ///< worst chip
    double most = 0;      ///< best chip
    double seconds = 0;   ///< mean per trial
};

/// Two points, chip by chip and image by image.
struct PairSummary {
    std::size_t from = 0;
    std::size_t to = 0;
    std::uint32_t trials = 0;  ///< that both have
    Estimate change;           ///< of accuracy, from `from` to `to`
    double p = 1;              ///< two-sided, of no change
};

/// Answers about a record, whose units are sorted out once.
class SweepSummary {
  public:
    explicit SweepSummary(const SweepRecord& record);

    [[nodiscard]] const SweepRecord& record() const { return record_; }
    [[nodiscard]] std::uint32_t trials(std::size_t point) const;
    /// @throws InvalidInput  when the point has no finished trial
    [[nodiscard]] PointSummary summary(std::size_t point) const;
    /// Every point that has a finished trial.
    [[nodiscard]] std::vector<PointSummary> summaries() const;
    /// Interval over chips alone, which is cheap.
    [[nodiscard]] Estimate over_chips(std::size_t point) const;

    [[nodiscard]] PairSummary compare(std::size_t from, std::size_t to) const;
    /// All pairs that both have finished trials.
    [[nodiscard]] std::vector<PairSummary> compare(const PairedPoints& pair) const;

    /// The same point with other values of some axes, where there is one.
    [[nodiscard]] std::optional<std::size_t> partner(std::size_t point,
                                                     const AxisValues& values) const;
    [[nodiscard]] bool matches(std::size_t point, const AxisValues& values) const;
    [[nodiscard]] bool matches(std::size_t point, const AxisChoices& choices) const;
    /// Value of an axis as a number; `zeros` is the share of zero weights of the point's network.
    /// @throws InvalidInput  when it is no number
    [[nodiscard]] double number(std::size_t point, const std::string& axis) const;
    /// Values of all axes: `mapping = differential, faults.rate = 0.001`.
    [[nodiscard]] std::string name(std::size_t point) const;
    /// Accuracy that losses count from: of the same point without faults where the sweep has it,
    /// else of the software network.
    [[nodiscard]] double fault_free(std::size_t point) const;
    /// Score of every finished trial, by trial: NaN where one is missing.
    [[nodiscard]] std::vector<double> scores(std::size_t point) const;

  private:
    [[nodiscard]] Eigen::MatrixXd correctness(std::size_t point, std::uint32_t trials) const;

    const SweepRecord& record_;
    std::vector<std::vector<const SweepUnit*>> units_;  ///< per point, by trial; may hold null
};

/// Table of all points, and of the plan's pairs.
std::string summary_table(const SweepSummary& summary);
std::string pair_table(const SweepSummary& summary, const std::vector<PairedPoints>& pairs);
/// A probability for people: `< 1e-4`, `0.013`.
std::string p_text(double p);
/// What `--json` says of a sweep: every point with its estimates.
nlohmann::json summary_json(const SweepSummary& summary);
nlohmann::json estimate_json(const Estimate& estimate);

}  // namespace kirchnet
