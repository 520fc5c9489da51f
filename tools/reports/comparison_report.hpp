#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "data/operator_cache.hpp"
#include "nn/comparison.hpp"
#include "tools/settings/experiment.hpp"

namespace kirchnet {

/// What a finished (or interrupted) comparison found, ready to be shown.
struct ComparisonReport {
    const Graph& graph;
    const Experiment& experiment;
    std::size_t images = 0;
    std::size_t calibration_images = 0;
    double software_accuracy = 0;  ///< 0 to 1, see `accuracy`
    double software_seconds = 0;
    std::vector<ArmResult> arms;
    const LabelledImages& test;
    InferenceResult software;
    std::vector<std::pair<std::string, double>> stage_seconds;
    bool complete = true;
    std::optional<OperatorCacheCounts> operator_cache;  ///< where there is one
    /// Of the circuit arms on the chip as designed, where there is one.
    std::vector<std::pair<Mapping, Correction>> corrections = {};

    /// Of images classified rightly, or a detector's mAP@0.5: see `score`.
    [[nodiscard]] double accuracy(const ArmResult& arm) const { return score(arm.inference, test); }
    /// Of arm and software network: see `kirchnet::agreement`.
    [[nodiscard]] double agreement(const ArmResult& arm) const {
        return kirchnet::agreement(arm.inference, software);
    }
    /// What `accuracy` measures: `accuracy` or `mAP@0.5`.
    [[nodiscard]] std::string_view metric() const {
        return graph.is_detector() ? "mAP@0.5" : "accuracy";
    }
};

/// `ideal`, `circuit`, `ideal_faulty`, `circuit_faulty`.
std::string arm_name(const ArmResult& arm);

/// The table a person reads, in Markdown.
std::string report_table(const ComparisonReport& report);
/// Sentences, one a line: arms whose number needs a warning (many clipped samples), what reading an
/// image costs on the chip, how many operators came from the cache, where time went and how full
/// tiles are.
std::string report_notes(const ComparisonReport& report);
/// The whole report in Markdown; figures are named relative to it.
std::string report_markdown(const ComparisonReport& report, const std::string& accuracy_figure,
                            const std::string& tile_figure);
nlohmann::json report_json(const ComparisonReport& report);
/// Accuracy bars per mapping as SVG.
std::string accuracy_figure(const ComparisonReport& report);

/// The tile the wires cost most: which arm, layer and tile, empty without a circuit arm.
const ArmResult* worst_arm(const ComparisonReport& report);
/// Voltage lost to wires at each cell, read voltage minus what the cell sees, with every used word
/// line at full drive: [word_lines × bit_lines] of the worst tile's first array [V].
CellMatrix worst_tile_drop(const ComparisonReport& report, const ArmResult& arm);
/// The same as a heat map in SVG.
std::string drop_figure(const ComparisonReport& report, const ArmResult& arm,
                        const CellMatrix& drop);

}  // namespace kirchnet
