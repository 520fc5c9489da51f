#include "tools/plots/axis.hpp"

#include <cmath>

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

}  // namespace kirchnet
