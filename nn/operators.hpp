#pragma once

#include <cstdint>
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

/// What one tile computes: the part of the layer's output before conversion is `weights` times the
/// inputs of its rows.
struct TileOperator {
    std::size_t slice = 0;  ///< of the layer's slices
    std::size_t group = 0;
    std::size_t first_row = 0;  ///< within the group's weight matrix
    std::size_t rows = 0;
    std::size_t first_output = 0;  ///< output channel of the layer
    std::size_t outputs = 0;
    /// [outputs × rows], (T_a - T_b) / (G_on - G_off) times the slice's unit; T_a alone where there
    /// is no b or the sides are converted apart.
    std::vector<float> weights;
    std::vector<float> weights_b;  ///< T_b likewise, where the sides are converted apart
    /// What the read-out adds at every conversion, as a word line at the full read voltage would:
    /// [outputs] for `weights` and `weights_b`; empty: nothing.
    std::vector<float> offset = {};
    std::vector<float> offset_b = {};
    /// ‖T_a - T_b - (G_a - G_b)ᵀ‖ / ‖(G_a - G_b)ᵀ‖ (Frobenius): what the wires cost this tile.
    double wire_deviation = 0;
    /// Groups from `group` on whose rows and outputs follow one another in this tile.
    std::size_t groups = 1;
    /// What the reference columns of the tile's arrays deliver together, as `weights` and `offset`:
    /// [rows], empty where there are none.
    std::vector<float> reference = {};
    float reference_offset = 0;
    /// Largest share of it that was taken out of an output's entries.
    float reference_share = 0;
    /// Digital correction behind the ADC, [outputs]: what a sample counts, and what is added per
    /// Σ of the tile's inputs. Empty: 1 and 0.
    std::vector<float> gain = {};
    std::vector<float> input_gain = {};
    std::int32_t tile_row = 0;
    std::int32_t tile_column = 0;

    /// Rows of the product: those of the tile, and one for its offset.
    [[nodiscard]] std::size_t kernel_rows() const { return rows + (offset.empty() ? 0 : 1); }
};

/// One slice of a layer's weights: a digit of them, or the whole.
struct OperatorSlice {
    double unit = 1;    ///< a cell's state times this is an entry of its operators
    double weight = 1;  ///< what such an entry counts in the layer's sum
    double step = 0;    ///< smallest difference between entries of ideal cells; 0: continuous
    double at_hrs = 0;  ///< entry of a cell at HRS, where no pair takes it out: unit G_off / span
    /// What hold stages add to a sample, rms, as an entry driven at the full read voltage; it takes
    /// an ADC behind them.
    double noise = 0;
};

/// A layer on crossbars. Its output is Σ w x scale with
/// Σ w x = (Σ_slices weight Σ_tiles converted + input_weight Σx) / largest, all but the tiles
/// digital. Slices have digits as entries: unit D and weight 2^shift, and largest is L. A whole
/// weight has states: unit 1 and largest 1, weight 1 for pairs, 2 for `offset`. The common term of
/// `offset` is input_weight = -(largest + Σ weight at_hrs); pairs have none.
struct LayerOperators {
    std::vector<TileOperator> tiles;  ///< row tiles fastest, then tile columns, then slices
    std::vector<OperatorSlice> slices = {{}};
    double scale = 1;  ///< max|W| of the layer
    double largest = 1;
    double input_weight = 0;
    bool is_sliced = false;    ///< entries are digits
    bool reads_sides = false;  ///< a and b are converted apart, and subtracted digitally

    /// Both factors of a single slice.
    [[nodiscard]] float gain() const { return static_cast<float>(slices.front().weight / largest); }
    [[nodiscard]] float input_sum() const { return static_cast<float>(input_weight / largest); }
    /// The factor of Σx over the rows that a tile's other groups have: they reach an output through
    /// cells at HRS.
    [[nodiscard]] float foreign_sum() const {
        return input_weight == 0 ? 0 : static_cast<float>(input_weight / largest + 1);
    }
};

/// Where a tile sits among its layer's operators; no entries.
TileOperator place_of(const LayerGeometry& geometry, const Tile& tile);
/// Operator entry of a conductance G_on - G_off: the unit of the tile's slice.
double entry_unit(const Tile& tile);

/// How weights become arrays, and what makes one chip's cells other than intended.
struct ChipSettings {
    TileSettings tile;
    std::optional<FaultSource> faults = {};
    std::optional<DeviceDraw> devices = {};
    /// Nothing: ideal subtraction. Takes an engine that knows sense resistance.
    std::optional<LinearReadout> readout = {};
    /// Tiles that are known one by one; null: none.
    std::shared_ptr<const GivenArrays> given = {};

    /// Whether anything may be other than designed.
    [[nodiscard]] bool has_deviations() const { return faults || devices || given; }
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
