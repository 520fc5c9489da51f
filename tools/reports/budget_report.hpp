#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "data/budget_file.hpp"
#include "nn/budget.hpp"
#include "tools/settings/experiment.hpp"

namespace kirchnet {

/// Budgets of a network's mappings, ready to be shown.
struct BudgetReport {
    const Experiment& experiment;
    ComparisonHeader header;
    std::string network;  ///< its name
    std::size_t calibration_images = 0;
    std::uint32_t trials = 1;
    std::vector<Budget> budgets;
    bool complete = false;
};

/// The tables a person reads, in Markdown: a table of steps and one of sources left out per
/// mapping.
std::string budget_tables(const BudgetReport& report);
/// The whole report.
/// @param figures  a file name per budget, relative to the report
std::string budget_markdown(const BudgetReport& report, const std::vector<std::string>& figures);
nlohmann::json budget_json(const BudgetReport& report);
/// Steps of one mapping as SVG.
std::string budget_figure(const BudgetReport& report, const Budget& budget);
/// Everything that was found, for the result file.
BudgetRecord budget_record(const BudgetReport& report);

}  // namespace kirchnet
