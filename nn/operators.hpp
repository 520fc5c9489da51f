#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "circuit/linear_readout.hpp"
#include "circuit/operating_point_solver.hpp"
#include "circuit/tile.hpp"
#include "nn/graph.hpp"

namespace kirchnet {

/// Makes the engine that turns crossbars into transfer matrices; called once per thread.
using SolverFactory = std::function<std::unique_ptr<OperatingPointSolver>()>;

/// Told from time to time how much is done, from any thread but never from two at once. May throw
/// `Interrupted` to stop the work.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

/// What one tile computes, in units of weight × input: the part of the layer's output before
/// conversion is `weights` times the DAC fractions of its rows.
struct TileOperator {
    std::size_t group = 0;
    std::size_t first_row = 0;  ///< within the group's weight matrix
    std::size_t rows = 0;
    std::size_t first_output = 0;  ///< output channel of the layer
    std::size_t outputs = 0;
    std::vector<float> weights;  ///< [outputs × rows], (T_a - T_b) / (G_on - G_off)
    /// What its read-out adds at every conversion, [outputs]; empty: nothing.
    std::vector<float> offset = {};
    /// ‖T_a - T_b - (G_a - G_b)ᵀ‖ / ‖(G_a - G_b)ᵀ‖ (Frobenius): what the wires cost this tile.
    double wire_deviation = 0;
};

/// A layer on crossbars. Its output is (gain * Σ_tiles converted + input_sum * Σx) * scale, the
/// last two terms digital: pairs have gain 1 and no input sum; `offset` has gain 2 and
/// -(1 + 2 G_off / (G_on - G_off)).
struct LayerOperators {
    std::vector<TileOperator> tiles;  ///< row tiles fastest
    double scale = 1;                 ///< max|W| of the layer
    float gain = 1;
    float input_sum = 0;
};

/// How weights become arrays, and what makes one chip's cells other than intended.
struct ChipSettings {
    TileSettings tile;
    std::optional<FaultSource> faults = {};
    std::optional<DeviceDraw> devices = {};
    /// Nothing: ideal subtraction. Takes an engine that knows sense resistance.
    std::optional<LinearReadout> readout = {};
};

/// Maps every layer, applies faults and device laws, and asks the engine for each array's transfer
/// matrix. Tiles run in parallel; the result does not depend on the number of threads.
/// @return  per mapped layer of the graph
std::vector<LayerOperators> extract_operators(const Graph& graph, const ChipSettings& chip,
                                              const SolverFactory& solver,
                                              const Progress& progress = {});
/// The same of a chip whose working cells are as intended.
std::vector<LayerOperators> extract_operators(const Graph& graph, const TileSettings& settings,
                                              const std::optional<FaultSource>& faults,
                                              const SolverFactory& solver,
                                              const Progress& progress = {});

}  // namespace kirchnet
