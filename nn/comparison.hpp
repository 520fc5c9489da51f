#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "nn/arm.hpp"

namespace kirchnet {

struct ComparisonSettings {
    TileSettings tile;  ///< its `mapping` is replaced by each of `mappings`
    std::vector<Mapping> mappings{Mapping::two_column, Mapping::offset, Mapping::differential};
    ConverterSettings converters;
    std::optional<FaultSource> faults;  ///< adds arms on the faulty chip
    std::optional<DeviceDraw> devices;  ///< likewise: its cells under the device laws
    /// Likewise: tiles known one by one, of the only mapping.
    std::shared_ptr<const GivenArrays> given = {};
    std::optional<LinearReadout> readout;  ///< amplifiers of the circuit arms
    CorrectionSettings correction;         ///< of the circuit arms
};

/// Where a comparison tells of its steps and results. Any may be empty.
struct ComparisonObserver {
    BeginStep begin_step;
    /// Told twice per mapping: the ranges of its ideal arms, then those of its circuit arms.
    std::function<void(Mapping, Operators, const Calibration&)> calibrated;
    /// Told of the circuit arms' correction on the chip as designed, where there is one.
    std::function<void(Mapping, const Correction&)> corrected;
    std::function<void(const ArmResult&)> finished;
};

/// Runs the network on every arm, image by image comparable: for each mapping ideal and circuit on
/// the chip as designed, then both on the chip with its faults and device laws. Converter ranges
/// are fitted once on the chip as designed and then stay, whatever becomes of it.
/// @param circuit  engine for circuit operators; ideal ones need none
void run_comparison(const Graph& graph, const LabelledImages& test,
                    const LabelledImages& calibration, const ComparisonSettings& settings,
                    const SolverFactory& circuit, const ComparisonObserver& observer);

}  // namespace kirchnet
