#pragma once

#include "tools/sweep/plan_file.hpp"
#include "tools/sweep/sweep_plan.hpp"

namespace kirchnet {

/// Reads a plan's `[[pair]]`, `[[gate]]` and `[[figure]]`: what it says of its points, which are
/// there already.
/// @throws InvalidInput  naming file and line
void read_statements(const PlanFile& source, const toml::table& table, SweepPlan& plan);

}  // namespace kirchnet
