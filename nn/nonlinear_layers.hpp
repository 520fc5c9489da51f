#pragma once

#include "circuit/device.hpp"
#include "nn/layer_driver.hpp"

namespace kirchnet {

/// Cells that do not obey Ohm's law, programmed so that each carries its target conductance's
/// current at the read voltage (`exact_at`).
struct NonlinearCells {
    CellLaw law;
    double read_voltage = 0.2;  ///< V_r [V], a full-scale input
};

/// What solving operating points took.
struct SolveEffort {
    std::uint64_t points = 0;      ///< operating points asked for: inputs × arrays
    std::uint64_t solved = 0;      ///< of these; the others have no input, or another's
    std::uint64_t iterations = 0;  ///< of all that were solved; 0 where the engine counts none
    double residual = 0;           ///< largest of `OperatingPoint::residual`
    double seconds = 0;            ///< wall time

    [[nodiscard]] double mean_iterations() const {
        return solved == 0 ? 0 : static_cast<double>(iterations) / static_cast<double>(solved);
    }
    SolveEffort& operator+=(const SolveEffort& other);
};

/// A matrix of a layer's inputs or outputs, a column per kernel position.
using PositionMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Told how many operating points were done since it was last called; never from two threads at
/// once. May throw `Interrupted`.
using PointsDone = std::function<void(std::uint64_t points)>;

/// The arrays of one layer with nonlinear cells, and their read-out. There is no operator: every
/// input is an operating point of its own, solved by the engine that the caller brings.
class NonlinearLayer {
  public:
    /// @throws InvalidInput  as `Tile` and `exact_at` state
    NonlinearLayer(const Graph& graph, std::size_t layer, const TileSettings& settings,
                   const std::optional<FaultSource>& faults, const NonlinearCells& cells);

    /// Places of the tiles within the layer, in the order of `LayerOperators::tiles`; no weights.
    [[nodiscard]] const std::vector<TileOperator>& tiles() const { return places_; }
    [[nodiscard]] std::size_t arrays() const;

    /// What every tile's read-out gives before conversion, in units of weight × input:
    /// (I_a - I_b) / (V_r (G_on - G_off)). Equal inputs are solved once, inputs without a voltage
    /// not at all. In parallel over tiles and batches; results do not depend on the number of
    /// threads.
    /// @param fractions  per group of the layer: shares of the read voltage, [rows × positions]
    /// @return           per tile [outputs × positions]
    /// @throws Error     naming layer and tile where an input has no operating point
    [[nodiscard]] std::vector<PositionMatrix> read(const std::vector<PositionMatrix>& fractions,
                                                   const SolverFactory& engine, SolveEffort& effort,
                                                   const PointsDone& done = {}) const;

  private:
    struct TileArrays {
        std::vector<Crossbar> arrays;
        std::vector<TileColumn> positive;  ///< [outputs]
        std::vector<TileColumn> negative;  ///< [outputs], or empty
    };
    /// Per array of one tile: [bit_lines × inputs], in A.
    [[nodiscard]] std::vector<Eigen::MatrixXd> currents_of(std::size_t number,
                                                           const PositionMatrix& inputs,
                                                           OperatingPointSolver& engine,
                                                           SolveEffort& effort) const;
    [[nodiscard]] PositionMatrix read_batch(std::size_t number, const PositionMatrix& inputs,
                                            OperatingPointSolver& engine,
                                            SolveEffort& effort) const;

    std::string name_;
    double read_voltage_;
    double span_;  ///< G_on - G_off of the targets [S]
    std::vector<TileArrays> arrays_;
    std::vector<TileOperator> places_;
};

/// The inputs of a layer through its DAC, per group: [rows × images * positions].
std::vector<PositionMatrix> input_fractions(const LayerDriver& driver, const FeatureMaps& in);

/// The digital half of `run_layer`, for tile outputs that were found elsewhere: conversion by the
/// driver's ADC, accumulation tile by tile, gain, input sum, scale, bias, and the layer's tail.
/// @param fractions  as `input_fractions` gives them
/// @param products   per tile of the driver's operators, [outputs × images * positions]
void finish_layer(const LayerDriver& driver, const std::vector<PositionMatrix>& fractions,
                  const std::vector<PositionMatrix>& products, const DigitalTail& tail,
                  FeatureMaps& out, AdcCount& count);

}  // namespace kirchnet
