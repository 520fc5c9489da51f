#pragma once

#include <string>
#include <vector>

#include "tools/sweep/sweep_plan.hpp"
#include "tools/sweep/sweep_summary.hpp"

namespace kirchnet {

/// What became of a gate.
struct GateResult {
    std::string name;
    bool passed = false;
    std::vector<std::string> lines;  ///< what was found, number by number
};

/// Fault rate (or another axis) at which two kinds of points lose the same accuracy.
struct IsoLoss {
    double from = 0;   ///< where `from` loses that much
    double to = 0;     ///< where `to` does
    double ratio = 0;  ///< to / from
    double low = 0;    ///< 95 % interval of the ratio: chips drawn anew, percentiles (bootstrap)
    double high = 0;
};

/// Interpolates losses over the logarithm of the axis.
/// @param loss  of accuracy, each from its own fault-free value
/// @throws InvalidInput  when a curve does not cross that loss
IsoLoss iso_loss(const SweepSummary& summary, const PairedPoints& pair, const std::string& along,
                 double loss);

/// Checks a gate. One whose points are missing has not passed.
GateResult check_gate(const SweepSummary& summary, const GateSettings& gate);

}  // namespace kirchnet
