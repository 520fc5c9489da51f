#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nn/calibration.hpp"
#include "nn/inference.hpp"
#include "nn/read_timing.hpp"

namespace kirchnet {

struct ComparisonSettings {
    TileSettings tile;  ///< its `mapping` is replaced by each of `mappings`
    std::vector<Mapping> mappings{Mapping::two_column, Mapping::offset, Mapping::differential};
    ConverterSettings converters;
    std::optional<FaultSource> faults;  ///< adds arms on the faulty chip
};

/// One mapping on one chip (with or without faults) with ideal or circuit operators.
struct ArmResult {
    Mapping mapping = Mapping::two_column;
    Operators operators = Operators::ideal;
    bool faulty = false;
    InferenceResult inference;
    double operator_seconds = 0;
    double worst_deviation = 0;  ///< of a tile: see `TileOperator::wire_deviation`
    std::size_t worst_layer = 0;
    std::size_t worst_tile = 0;  ///< within the layer's operators
    ReadTiming timing;
};

/// Where a comparison tells of its steps and results. Any may be empty.
struct ComparisonObserver {
    std::function<Progress(const std::string& step)> begin_step;
    /// Told twice per mapping: the ranges of its ideal arms, then those of its circuit arms.
    std::function<void(Mapping, Operators, const Calibration&)> calibrated;
    std::function<void(const ArmResult&)> finished;
};

/// Runs the network on every arm, image by image comparable: for each mapping ideal and circuit on
/// the fault-free chip, then both on the faulty chip. Converter ranges are fitted once on the
/// fault-free chip and then stay, whatever becomes of it.
/// @param circuit  engine for circuit operators; ideal ones need none
void run_comparison(const Graph& graph, const LabelledImages& test,
                    const LabelledImages& calibration, const ComparisonSettings& settings,
                    const SolverFactory& circuit, const ComparisonObserver& observer);

}  // namespace kirchnet
