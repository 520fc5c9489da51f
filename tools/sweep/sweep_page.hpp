#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tools/sweep/sweep_report.hpp"
#include "tools/sweep/worst_chip.hpp"

namespace kirchnet {

/// The whole page. It loads nothing from anywhere.
/// @param files  as `figure_files` gives them
/// @param worst  per sweep
std::string report_page(const std::vector<std::unique_ptr<SweepReport>>& reports,
                        const std::vector<std::vector<FigureFiles>>& files,
                        const std::vector<WorstChip>& worst);

}  // namespace kirchnet
