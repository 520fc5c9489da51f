#include "tools/output/plots/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

double round_step(double step) {
    const double power = std::pow(10, std::floor(std::log10(step)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (factor * power >= step * (1 - 1e-9)) return factor * power;
    return 10 * power;
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int wanted) {
    if (!(high > low)) return {low};
    const double step = round_step((high - low) / wanted);
    std::vector<double> ticks;
    const double slack = 1e-9 * step;  // a tick on the edge belongs to the axis
    for (double i = std::ceil((low - slack) / step); i * step <= high + slack; ++i)
        ticks.push_back(i == 0 ? 0 : i * step);
    return ticks;
}

double round_up(double value) {
    const double step = round_step(value / 5);
    return std::ceil(value / step * (1 - 1e-9)) * step;
}

AxisScale::AxisScale(const std::vector<double>& values, bool is_log) : is_log_(is_log) {
    for (const double value : values)
        if (!std::isfinite(value) || (is_log && value < 0))
            throw InvalidInput("axis", fmt::format("{} has no place on a {} axis", value,
                                                   is_log ? "logarithmic" : "linear"));
    if (values.empty()) return;
    if (is_log) {
        find_log_range(values);
    } else {
        low_ = *std::min_element(values.begin(), values.end());
        high_ = *std::max_element(values.begin(), values.end());
    }
    if (high_ > low_) return;
    const double margin = is_log || low_ == 0 ? 0.5 : std::abs(low_) / 2;  // a single value
    high_ = low_ + margin;
    low_ -= margin;
}

void AxisScale::find_log_range(const std::vector<double>& values) {
    low_ = std::numeric_limits<double>::infinity();
    high_ = -low_;
    for (const double value : values) {
        has_zero_ = has_zero_ || value == 0;
        if (value == 0) continue;
        low_ = std::min(low_, std::log10(value));
        high_ = std::max(high_, std::log10(value));
    }
    if (!std::isfinite(low_)) low_ = high_ = 0;  // zeros alone
    if (!has_zero_) return;
    zero_ = low_ - std::max(0.3, 0.12 * (high_ - low_));
    low_ = zero_;
}

double AxisScale::place(double value) const {
    if (!is_log_) return value;
    return value == 0 ? zero_ : std::log10(value);
}

std::vector<AxisTick> AxisScale::ticks(int wanted) const {
    std::vector<AxisTick> ticks;
    if (!is_log_) {
        for (const double tick : round_ticks(low_, high_, wanted))
            ticks.push_back({tick, fmt::format("{:g}", tick)});
        return ticks;
    }
    if (has_zero_) ticks.push_back({zero_, "0"});
    constexpr double slack = 1e-9;
    const double first = has_zero_ ? zero_ + 0.15 : low_;
    const bool is_short = high_ - low_ < wanted / 2.0;
    const double step = std::max(1.0, std::ceil((high_ - low_) / wanted));
    for (double power = std::floor(low_); power <= high_ + slack; power += step)
        for (const double factor : {1.0, 2.0, 5.0}) {
            if (factor > 1 && !is_short) break;
            const double place = power + std::log10(factor);
            if (place < first - slack || place > high_ + slack) continue;
            ticks.push_back({place, fmt::format("{:g}", factor * std::pow(10, power))});
        }
    return ticks;
}

}  // namespace kirchnet
