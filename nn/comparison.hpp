#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nn/inference.hpp"

namespace kirchnet {

/// Which operators a network runs on: Gᵀ without wires, or the circuit's transfer matrices.
enum class Operators { ideal, circuit };

std::string_view to_string(Operators operators);
/// @throws InvalidInput  naming the accepted words
Operators parse_operators(std::string_view text);

/// Converters of every layer, and what their ranges are fitted to.
struct ConverterSettings {
    int dac_bits = 8;  ///< 0: continuous
    int adc_bits = 8;  ///< 0: continuous
    /// What the circuit arms' ADC ranges are fitted on; ideal arms always have those of the ideal
    /// design (docs/decisions/0005).
    Operators calibrate_on = Operators::circuit;
};

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
};

/// Ranges of one mapping's converters, fitted once on calibration images.
struct Calibration {
    std::vector<Dac> dac;  ///< per layer
    std::vector<Adc> adc;  ///< per layer, in weight × input units
};

/// Where a comparison tells of its steps and results. Any may be empty.
struct ComparisonObserver {
    std::function<Progress(const std::string& step)> begin_step;
    /// Told twice per mapping: the ranges of its ideal arms, then those of its circuit arms.
    std::function<void(Mapping, Operators, const Calibration&)> calibrated;
    std::function<void(const ArmResult&)> finished;
};

/// DAC ranges from the software network: largest input of each layer over the calibration images.
std::vector<Dac> calibrate_dacs(const Graph& graph, const LabelledImages& images, int bits,
                                const Progress& progress = {});

/// The ADC of a layer, for the largest tile output met.
/// @throws InvalidInput  when the number of bits is not usable
Adc fit_adc(const LayerRange& range, int bits, Mapping mapping, const Dac& dac);

/// Runs the network on every arm, image by image comparable: for each mapping ideal and circuit on
/// the fault-free chip, then both on the faulty chip. Converter ranges are fitted once on the
/// fault-free chip and then stay, whatever becomes of it.
/// @param circuit  engine for circuit operators; ideal ones need none
void run_comparison(const Graph& graph, const LabelledImages& test,
                    const LabelledImages& calibration, const ComparisonSettings& settings,
                    const SolverFactory& circuit, const ComparisonObserver& observer);

}  // namespace kirchnet
