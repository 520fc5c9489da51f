#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "data/result_file.hpp"
#include "tools/reports/comparison_report.hpp"

namespace kirchnet {

/// Where the time of a run went and how full its arrays are, one sentence a line.
std::string run_summary(const ComparisonReport& report);

/// Stages with their seconds and their share of the run, in Markdown.
std::string time_table(const ComparisonReport& report);

/// Tiles per layer and mapping, and the share of their cells that hold weights, in Markdown.
std::string tile_table(const ComparisonReport& report);

/// Layers of which an arm clips at least 0.1 % of its ADC samples, in Markdown; empty where none.
std::string clipped_table(const ComparisonReport& report);

/// Adds `time_share` per kind of stage and `tile_utilisation` per mapping and layer.
void add_run_details(const ComparisonReport& report, nlohmann::json& object);

/// Stores stages with their seconds, and tiles and utilisation per mapping and layer.
void store_run_details(const ComparisonReport& report, ComparisonFile& file);

}  // namespace kirchnet
