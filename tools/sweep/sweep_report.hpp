#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "data/sweep_file.hpp"
#include "tools/sweep/sweep_figures.hpp"
#include "tools/sweep/sweep_gates.hpp"
#include "tools/sweep/sweep_plan.hpp"
#include "tools/sweep/sweep_summary.hpp"

namespace kirchnet {

/// Where a sweep's results come from.
struct ResultsSource {
    std::string file;
    std::string producer;  ///< `kirchnet 0.1.0`
    std::string shard;
};

/// A plan's pair of kinds of points with what was found.
struct PairFinding {
    PairedPoints pair;
    std::vector<PairSummary> results;
};

/// What a sweep says, drawn from its results files.
class SweepReport {
  public:
    /// @throws InvalidInput  naming the file: no unit is finished, or its plan no longer reads
    SweepReport(SweepRecord record, std::vector<ResultsSource> sources);
    SweepReport(const SweepReport&) = delete;
    SweepReport& operator=(const SweepReport&) = delete;

    [[nodiscard]] const SweepRecord& record() const { return record_; }
    [[nodiscard]] const std::vector<ResultsSource>& sources() const { return sources_; }
    [[nodiscard]] const SweepPlan& plan() const { return plan_; }
    [[nodiscard]] const SweepSummary& summary() const { return summary_; }
    [[nodiscard]] const std::vector<PointSummary>& points() const { return points_; }
    [[nodiscard]] const std::vector<PairFinding>& pairs() const { return pairs_; }
    [[nodiscard]] const std::vector<GateResult>& gates() const { return gates_; }
    [[nodiscard]] const std::vector<SweepFigure>& figures() const { return figures_; }
    [[nodiscard]] bool passed() const;
    /// Units that the whole sweep has.
    [[nodiscard]] std::size_t planned_units() const;

  private:
    SweepRecord record_;
    std::vector<ResultsSource> sources_;
    SweepPlan plan_;
    SweepSummary summary_;
    std::vector<PointSummary> points_;
    std::vector<PairFinding> pairs_;
    std::vector<GateResult> gates_;
    std::vector<SweepFigure> figures_;
};

/// Shards of one sweep together, other sweeps apart, in the order of the files.
/// @throws InvalidInput  naming the file that is no sweep, is empty or does not fit the others
std::vector<std::unique_ptr<SweepReport>> read_sweep_reports(const std::vector<std::string>& files);

/// A figure's SVG and CSV, which stand beside the page.
struct FigureFiles {
    std::string name;  ///< `report-accuracy`
    std::string svg;   ///< empty: no chart
    std::string csv;
};

/// Files of every figure of every sweep, under names that differ.
/// @param stem  of the page: `report`
std::vector<std::vector<FigureFiles>> figure_files(
    const std::vector<std::unique_ptr<SweepReport>>& reports, const std::string& stem);

/// What `--json` says.
nlohmann::json report_json(const std::vector<std::unique_ptr<SweepReport>>& reports);

}  // namespace kirchnet
