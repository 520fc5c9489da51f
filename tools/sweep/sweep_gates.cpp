#include "tools/sweep/sweep_gates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

constexpr int resamples = 1000;
constexpr std::uint64_t resampling_seed = 1;

/// One curve of losses: where, and what each chip scores there.
struct LossCurve {
    std::vector<double> x;
    std::vector<double> fault_free;
    std::vector<std::vector<double>> scores;  ///< [points][chips], finished ones
};

std::vector<std::size_t> points_along(const SweepSummary& summary, const AxisValues& values,
                                      const AxisChoices& where, const std::string& along) {
    std::vector<std::size_t> points;
    for (std::size_t i = 0; i < summary.record().points.size(); ++i)
        if (summary.trials(i) > 0 && summary.matches(i, values) && summary.matches(i, where))
            points.push_back(i);
    std::sort(points.begin(), points.end(), [&](std::size_t a, std::size_t b) {
        return summary.number(a, along) < summary.number(b, along);
    });
    return points;
}

LossCurve curve_of(const SweepSummary& summary, const AxisValues& values, const AxisChoices& where,
                   const std::string& along) {
    LossCurve curve;
    for (const std::size_t point : points_along(summary, values, where, along)) {
        if (!(summary.number(point, along) > 0)) continue;  // no place on a logarithmic axis
        std::vector<double> finished;
        for (const double score : summary.scores(point))
            if (!std::isnan(score)) finished.push_back(score);
        curve.x.push_back(summary.number(point, along));
        curve.fault_free.push_back(summary.fault_free(point));
        curve.scores.push_back(std::move(finished));
    }
    if (curve.x.empty()) throw InvalidInput("no finished points lie along " + along);
    for (std::size_t i = 1; i < curve.x.size(); ++i)
        if (curve.x[i] == curve.x[i - 1])
            throw InvalidInput(
                fmt::format("several points lie at {} = {}; choose by 'where'", along, curve.x[i]));
    return curve;
}

/// Mean losses of chosen chips; a chip's number counts modulo those a point has.
std::vector<double> losses_of(const LossCurve& curve, const std::vector<std::size_t>& chips) {
    std::vector<double> losses;
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
        const auto& scores = curve.scores[i];
        double sum = 0;
        for (const std::size_t chip : chips) sum += scores[chip % scores.size()];
        losses.push_back(curve.fault_free[i] - sum / static_cast<double>(chips.size()));
    }
    return losses;
}

/// Where the losses first cross `loss`, linear over log x; NaN where they do not.
double crossing(const std::vector<double>& x, const std::vector<double>& losses, double loss) {
    for (std::size_t i = 1; i < x.size(); ++i)
        if (losses[i - 1] < loss && losses[i] >= loss) {
            const double share = (loss - losses[i - 1]) / (losses[i] - losses[i - 1]);
            return std::exp(std::log(x[i - 1]) + share * (std::log(x[i]) - std::log(x[i - 1])));
        }
    return std::nan("");
}

std::vector<std::size_t> all_chips(const LossCurve& a, const LossCurve& b) {
    std::size_t most = 1;
    for (const auto* curve : {&a, &b})
        for (const auto& scores : curve->scores) most = std::max(most, scores.size());
    std::vector<std::size_t> chips(most);
    for (std::size_t i = 0; i < most; ++i) chips[i] = i;
    return chips;
}

GateResult check_pairs(const SweepSummary& summary, const GateSettings& gate) {
    GateResult result{gate.name, true, {}};
    const auto pairs = summary.compare(gate.pair);
    if (pairs.empty()) return {gate.name, false, {"no finished pair of points"}};
    for (const PairSummary& pair : pairs) {
        const bool holds = gate.kind == GateSettings::Kind::better
                               ? pair.change.mean > 0 && pair.p < gate.p
                               : pair.change.low <= 0 && pair.change.high >= 0;
        result.passed = result.passed && holds;
        result.lines.push_back(fmt::format(
            "{}: {} -> {}: {:+.2f} points (95 % {:+.2f} .. {:+.2f}, p = {:.2g}, {} trials)",
            holds ? "holds" : "FAILS", summary.name(pair.from), summary.name(pair.to),
            100 * pair.change.mean, 100 * pair.change.low, 100 * pair.change.high, pair.p,
            pair.trials));
    }
    return result;
}

GateResult check_iso_loss(const SweepSummary& summary, const GateSettings& gate) {
    const IsoLoss found = iso_loss(summary, gate.pair, gate.along, gate.loss);
    return {gate.name,
            found.ratio >= gate.at_least,
            {fmt::format("{:.3g} points are lost at {} = {:.3g} and {:.3g}: ratio {:.2f} (95 % "
                         "{:.2f} .. {:.2f}), asked for at least {:.3g}",
                         100 * gate.loss, gate.along, found.from, found.to, found.ratio, found.low,
                         found.high, gate.at_least)}};
}

GateResult check_interior_minimum(const SweepSummary& summary, const GateSettings& gate) {
    const auto points = points_along(summary, gate.pair.from, gate.pair.where, gate.along);
    if (points.size() < 3) return {gate.name, false, {"fewer than three finished points"}};
    GateResult result{gate.name, false, {}};
    std::size_t least = 0;
    std::vector<double> losses;
    for (const std::size_t point : points) {
        const Estimate chips = summary.over_chips(point);
        losses.push_back(summary.fault_free(point) - chips.mean);
        if (losses.back() < losses[least]) least = losses.size() - 1;
        result.lines.push_back(fmt::format(
            "{} = {:.3g}: {:.2f} points lost (95 % over chips +-{:.2f})", gate.along,
            summary.number(point, gate.along), 100 * losses.back(), 50 * (chips.high - chips.low)));
    }
    result.passed = least > 0 && least + 1 < points.size();
    result.lines.push_back(
        fmt::format("least at {} = {:.3g}", gate.along, summary.number(points[least], gate.along)));
    return result;
}

/// `from` against every point that differs from it in the axes of `from` alone.
GateResult check_worst(const SweepSummary& summary, const GateSettings& gate) {
    GateResult result{gate.name, true, {}};
    for (std::size_t i = 0; i < summary.record().points.size(); ++i) {
        if (!summary.matches(i, gate.pair.from) || !summary.matches(i, gate.pair.where) ||
            summary.trials(i) == 0)
            continue;
        for (std::size_t j = 0; j < summary.record().points.size(); ++j) {
            if (summary.matches(j, gate.pair.from) || summary.trials(j) == 0 ||
                summary.partner(j, gate.pair.from) != i)
                continue;
            const PairSummary pair = summary.compare(i, j);
            const bool holds = pair.change.mean > 0 && pair.p < gate.p;
            result.passed = result.passed && holds;
            result.lines.push_back(fmt::format("{}: {} is {:.2f} points below {} (p = {:.2g})",
                                               holds ? "holds" : "FAILS", summary.name(i),
                                               100 * pair.change.mean, summary.name(j), pair.p));
        }
    }
    if (result.lines.empty()) return {gate.name, false, {"no finished pair of points"}};
    return result;
}

}  // namespace

IsoLoss iso_loss(const SweepSummary& summary, const PairedPoints& pair, const std::string& along,
                 double loss) {
    const LossCurve from = curve_of(summary, pair.from, pair.where, along);
    const LossCurve to = curve_of(summary, pair.to, pair.where, along);
    std::vector<std::size_t> chips = all_chips(from, to);
    IsoLoss result;
    result.from = crossing(from.x, losses_of(from, chips), loss);
    result.to = crossing(to.x, losses_of(to, chips), loss);
    if (std::isnan(result.from) || std::isnan(result.to))
        throw InvalidInput(fmt::format("the {} curve does not cross a loss of {} within the sweep",
                                       std::isnan(result.from) ? "first" : "second", loss));
    result.ratio = result.to / result.from;
    std::mt19937_64 random(resampling_seed);
    std::vector<double> ratios;
    const std::size_t count = chips.size();
    for (int i = 0; i < resamples; ++i) {
        for (std::size_t& chip : chips) chip = random() % count;
        const double ratio = crossing(to.x, losses_of(to, chips), loss) /
                             crossing(from.x, losses_of(from, chips), loss);
        if (std::isfinite(ratio)) ratios.push_back(ratio);
    }
    std::sort(ratios.begin(), ratios.end());
    const auto at = [&](double share) {
        return ratios.empty() ? result.ratio
                              : ratios[static_cast<std::size_t>(
                                    share * static_cast<double>(ratios.size() - 1))];
    };
    result.low = at(0.025);
    result.high = at(0.975);
    return result;
}

GateResult check_gate(const SweepSummary& summary, const GateSettings& gate) {
    try {
        switch (gate.kind) {
            case GateSettings::Kind::better:
            case GateSettings::Kind::equal:
                return check_pairs(summary, gate);
            case GateSettings::Kind::iso_loss:
                return check_iso_loss(summary, gate);
            case GateSettings::Kind::interior_minimum:
                return check_interior_minimum(summary, gate);
            case GateSettings::Kind::worst:
                break;
        }
        return check_worst(summary, gate);
    } catch (const InvalidInput& error) {
        return {gate.name, false, {error.what()}};
    }
}

}  // namespace kirchnet
