#include "tools/sweep/sweep_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "tools/output/output.hpp"

namespace kirchnet {
namespace {

const std::string rate_axis = "faults.rate";

std::string percent(double share, int decimals = 2) {
    return fmt::format("{:.{}f}", 100 * share, decimals);
}

std::string interval(const Estimate& estimate) {
    return fmt::format("{:.2f} .. {:.2f}", 100 * estimate.low, 100 * estimate.high);
}

}  // namespace

SweepSummary::SweepSummary(const SweepRecord& record)
    : record_(record), units_(record.points.size()) {
    for (const SweepUnit& unit : record.units) {
        auto& trials = units_[unit.point];
        if (trials.size() <= unit.trial) trials.resize(unit.trial + std::size_t{1}, nullptr);
        trials[unit.trial] = &unit;
    }
}

std::uint32_t SweepSummary::trials(std::size_t point) const {
    return static_cast<std::uint32_t>(
        std::count_if(units_[point].begin(), units_[point].end(), [](auto* u) { return u; }));
}

std::vector<double> SweepSummary::scores(std::size_t point) const {
    std::vector<double> scores;
    for (const SweepUnit* unit : units_[point])
        scores.push_back(unit == nullptr ? std::numeric_limits<double>::quiet_NaN() : unit->score);
    return scores;
}

Estimate SweepSummary::over_chips(std::size_t point) const {
    std::vector<double> finished;
    for (const SweepUnit* unit : units_[point])
        if (unit != nullptr) finished.push_back(unit->score);
    Estimate estimate = estimate_independent(
        Eigen::Map<const Eigen::VectorXd>(finished.data(), static_cast<Index>(finished.size())));
    // A score's interval ends where scores do.
    estimate.low = std::max(estimate.low, 0.0);
    estimate.high = std::min(estimate.high, 1.0);
    return estimate;
}

/// Of the finished ones among the first trials.
Eigen::MatrixXd SweepSummary::correctness(std::size_t point, std::uint32_t trials) const {
    Eigen::MatrixXd right(static_cast<Index>(trials), static_cast<Index>(record_.images));
    Index row = 0;
    for (const SweepUnit* unit : units_[point]) {
        if (unit == nullptr || row == right.rows()) continue;
        const auto bits = unpack_bits(unit->right, record_.images);
        for (Index image = 0; image < right.cols(); ++image)
            right(row, image) = bits[static_cast<std::size_t>(image)] ? 1 : 0;
        ++row;
    }
    return right;
}

PointSummary SweepSummary::summary(std::size_t point) const {
    PointSummary summary;
    summary.point = point;
    summary.trials = trials(point);
    if (summary.trials == 0)
        throw InvalidInput(name(point), "has no finished trial in this results file");
    summary.over_chips = over_chips(point);
    summary.least = std::numeric_limits<double>::infinity();
    summary.most = -summary.least;
    bool has_images = record_.images >= 2;
    for (const SweepUnit* unit : units_[point]) {
        if (unit == nullptr) continue;
        summary.least = std::min(summary.least, unit->score);
        summary.most = std::max(summary.most, unit->score);
        summary.seconds += (unit->operator_seconds + unit->inference_seconds) /
                           static_cast<double>(summary.trials);
        has_images = has_images && !unit->right.empty();
    }
    summary.accuracy =
        has_images ? estimate_accuracy(correctness(point, summary.trials)) : summary.over_chips;
    return summary;
}

std::vector<PointSummary> SweepSummary::summaries() const {
    std::vector<PointSummary> all;
    for (std::size_t point = 0; point < units_.size(); ++point)
        if (trials(point) > 0) all.push_back(summary(point));
    return all;
}

PairSummary SweepSummary::compare(std::size_t from, std::size_t to) const {
    // Points that are not random have one trial, which stands for all of the other's.
    const auto usable = [&](std::size_t a, std::size_t b) {
        return record_.points[a].is_random ? trials(a) : trials(b);
    };
    const std::uint32_t common = std::min(usable(from, to), usable(to, from));
    PairSummary pair{from, to, common, {}, 1};
    const auto rows = [&](std::size_t point) {
        return record_.points[point].is_random ? common : 1U;
    };
    if (record_.metric == "accuracy") {
        pair.change = estimate_change(correctness(from, rows(from)), correctness(to, rows(to)));
    } else {
        std::vector<double> changes;
        const auto before = scores(from);
        const auto after = scores(to);
        for (std::uint32_t t = 0; t < common; ++t)
            changes.push_back(after[std::min<std::size_t>(t, after.size() - 1)] -
                              before[std::min<std::size_t>(t, before.size() - 1)]);
        pair.change = estimate_independent(
            Eigen::Map<const Eigen::VectorXd>(changes.data(), static_cast<Index>(changes.size())));
    }
    pair.p = p_value(pair.change);
    return pair;
}

std::vector<PairSummary> SweepSummary::compare(const PairedPoints& pair) const {
    std::vector<PairSummary> pairs;
    for (std::size_t point = 0; point < units_.size(); ++point) {
        if (!matches(point, pair.from) || !matches(point, pair.where)) continue;
        const auto other = partner(point, pair.to);
        if (other && *other != point && trials(point) > 0 && trials(*other) > 0)
            pairs.push_back(compare(point, *other));
    }
    return pairs;
}

std::optional<std::size_t> SweepSummary::partner(std::size_t point,
                                                 const AxisValues& values) const {
    auto wanted = record_.points[point].values;
    for (const auto& [axis, value] : values) wanted[axis_index(record_.axes, axis)] = value;
    const auto found = std::find_if(record_.points.begin(), record_.points.end(),
                                    [&](const SweepPoint& p) { return p.values == wanted; });
    if (found == record_.points.end()) return std::nullopt;
    return static_cast<std::size_t>(found - record_.points.begin());
}

bool SweepSummary::matches(std::size_t point, const AxisValues& values) const {
    return std::all_of(values.begin(), values.end(), [&](const auto& wanted) {
        return record_.points[point].values[axis_index(record_.axes, wanted.first)] ==
               wanted.second;
    });
}

bool SweepSummary::matches(std::size_t point, const AxisChoices& choices) const {
    return std::all_of(choices.begin(), choices.end(), [&](const auto& wanted) {
        const auto& value = record_.points[point].values[axis_index(record_.axes, wanted.first)];
        return std::find(wanted.second.begin(), wanted.second.end(), value) != wanted.second.end();
    });
}

double SweepSummary::number(std::size_t point, const std::string& axis) const {
    if (axis == "zeros") return record_.networks[record_.points[point].network].zeros;
    const std::string& text = record_.points[point].values[axis_index(record_.axes, axis)];
    // An array counts by its word lines.
    return parse_quantity(axis == "array.size" ? text.substr(0, text.find('x')) : text, axis);
}

std::string SweepSummary::name(std::size_t point) const {
    std::string text;
    for (std::size_t axis = 0; axis < record_.axes.size(); ++axis)
        text += fmt::format("{}{} = {}", axis > 0 ? ", " : "", record_.axes[axis],
                            record_.points[point].values[axis]);
    return text.empty() ? "the only point" : text;
}

double SweepSummary::fault_free(std::size_t point) const {
    if (std::find(record_.axes.begin(), record_.axes.end(), rate_axis) != record_.axes.end())
        if (const auto other = partner(point, {{rate_axis, "0"}}); other && trials(*other) > 0)
            return over_chips(*other).mean;
    return record_.networks[record_.points[point].network].software_accuracy;
}

std::string summary_table(const SweepSummary& summary) {
    const SweepRecord& record = summary.record();
    std::vector<std::string> heading{"point"};
    heading.insert(heading.end(), record.axes.begin(), record.axes.end());
    for (const char* name : {"trials", "accuracy [%]", "95 %, chips and images", "95 %, chips",
                             "worst", "best", "s/trial"})
        heading.emplace_back(name);
    TextTable table(heading);
    for (const PointSummary& point : summary.summaries()) {
        std::vector<std::string> row{fmt::to_string(point.point)};
        const auto& values = record.points[point.point].values;
        row.insert(row.end(), values.begin(), values.end());
        row.push_back(fmt::to_string(point.trials));
        row.push_back(percent(point.accuracy.mean));
        row.push_back(interval(point.accuracy));
        row.push_back(interval(point.over_chips));
        row.push_back(percent(point.least));
        row.push_back(percent(point.most));
        row.push_back(fmt::format("{:.2f}", point.seconds));
        table.add(std::move(row));
    }
    return table.markdown();
}

std::string pair_table(const SweepSummary& summary, const std::vector<PairedPoints>& pairs) {
    std::string text;
    for (const PairedPoints& pair : pairs) {
        const auto results = summary.compare(pair);
        if (results.empty()) continue;
        TextTable table({"from", "to", "trials", "change [points]", "95 %", "p"});
        for (const PairSummary& result : results)
            table.add({summary.name(result.from), summary.name(result.to),
                       fmt::to_string(result.trials), percent(result.change.mean),
                       interval(result.change), p_text(result.p)});
        text += fmt::format("\n{}\n{}", pair.name, table.markdown());
    }
    return text;
}

std::string p_text(double p) {
    return p < 1e-4 ? "< 1e-4" : fmt::format("{:.2g}", p);
}

nlohmann::json estimate_json(const Estimate& estimate) {
    return {{"mean", estimate.mean}, {"low", estimate.low}, {"high", estimate.high}};
}

nlohmann::json summary_json(const SweepSummary& summary) {
    nlohmann::json points = nlohmann::json::array();
    for (const PointSummary& point : summary.summaries()) {
        nlohmann::json values;
        for (std::size_t axis = 0; axis < summary.record().axes.size(); ++axis)
            values[summary.record().axes[axis]] = summary.record().points[point.point].values[axis];
        points.push_back({{"point", point.point},
                          {"axes", values},
                          {"trials", point.trials},
                          {"accuracy", estimate_json(point.accuracy)},
                          {"over_chips", estimate_json(point.over_chips)},
                          {"worst", point.least},
                          {"best", point.most},
                          {"seconds_per_trial", point.seconds}});
    }
    return {{"name", summary.record().name},
            {"metric", summary.record().metric},
            {"complete", summary.record().complete},
            {"points", points}};
}

}  // namespace kirchnet
