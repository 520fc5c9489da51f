#pragma once

#include <vector>

namespace kirchnet {

/// Round numbers (1, 2 or 5 times a power of ten apart) within [low, high], about `wanted` of them.
std::vector<double> round_ticks(double low, double high, int wanted);

/// The smallest round number that is at least `value` > 0.
double round_up(double value);

}  // namespace kirchnet
