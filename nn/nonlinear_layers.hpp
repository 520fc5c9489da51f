#pragma once

#include "circuit/device.hpp"
#include "circuit/tile_amplifiers.hpp"
#include "nn/layer_driver.hpp"

namespace kirchnet {

namespace detail {
class SwingReadout;
}

/// Cells that do not obey Ohm's law, programmed so that each carries its target conductance's
/// current at the read voltage (`exact_at`).
struct NonlinearCells {
    CellLaw law;                ///< linear where amplifiers read
    double read_voltage = 0.2;  ///< V_r [V], a full-scale input
};

/// @throws InvalidInput  when the cells are not linear and the chip has amplifiers: the swing of
///                       these is solved with linear cells alone
void require_one_nonlinearity(const ChipSettings& chip, const NonlinearCells& cells);

/// How many of the amplifiers in use were driven to the end of their swing (`AmplifierPoint`).
struct Saturation {
    std::uint64_t amplifiers = 0;  ///< behind columns of outputs, and difference amplifiers
    std::uint64_t saturated = 0;   ///< of these, by one input at least
    std::uint64_t readings = 0;    ///< amplifiers × reads × positions
    std::uint64_t saturated_readings = 0;

    /// Of all readings, 0 to 1.
    [[nodiscard]] double share() const {
        return readings == 0
                   ? 0
                   : static_cast<double>(saturated_readings) / static_cast<double>(readings);
    }
    Saturation& operator+=(const Saturation& other);
};

/// What solving operating points took.
struct SolveEffort {
    std::uint64_t points = 0;      ///< operating points asked for: inputs × reads × arrays
    std::uint64_t solved = 0;      ///< of these; the others have no input, or another's
    std::uint64_t iterations = 0;  ///< of all that were solved; 0 where the engine counts none
    double residual = 0;           ///< largest of `OperatingPoint::residual`
    double seconds = 0;            ///< wall time
    double seconds_once = 0;       ///< of that, what does not grow with the inputs
    Saturation saturation;         ///< of amplifiers, where there are any

    [[nodiscard]] double mean_iterations() const {
        return solved == 0 ? 0 : static_cast<double>(iterations) / static_cast<double>(solved);
    }
    SolveEffort& operator+=(const SolveEffort& other);
};

/// Told how many operating points were done since it was last called; never from two threads at
/// once. May throw `Interrupted`.
using PointsDone = std::function<void(std::uint64_t points)>;

/// The arrays of one layer and their read-out, of which one is nonlinear: the cells, read ideally,
/// or amplifiers with their swing behind linear cells. There is no operator: every input is an
/// operating point of its own, solved by the engine that the caller brings, or from the ports of
/// the arrays that it gives.
class NonlinearLayer {
  public:
    /// @throws InvalidInput  as `Tile`, `exact_at` and `draw_amplifiers` state, and when both cells
    ///                       and amplifiers are nonlinear
    NonlinearLayer(const Graph& graph, std::size_t layer, const ChipSettings& chip,
                   const NonlinearCells& cells);

    /// Places of the tiles within the layer, in the order of `LayerOperators::tiles`; no weights.
    [[nodiscard]] const std::vector<TileOperator>& tiles() const { return places_; }
    [[nodiscard]] std::size_t arrays() const;

    /// What every tile's read-out gives before conversion, in the units of a linear tile's:
    /// (I_a - I_b) / (V_r (G_on - G_off)) times the unit of its slice and the read's full scale, or
    /// what amplifiers make of it. Equal inputs of a read are solved once, inputs without a voltage
    /// not at all, but for amplifiers, which have offsets. In parallel over reads, tiles and
    /// batches; results do not depend on the number of threads.
    /// @param inputs  as `read_inputs` gives them
    /// @throws Error  naming layer and tile where an input has no operating point
    [[nodiscard]] LayerSamples read(const std::vector<ReadInputs>& inputs,
                                    const SolverFactory& engine, SolveEffort& effort,
                                    const PointsDone& done = {}) const;

  private:
    struct TileArrays {
        std::vector<Crossbar> arrays;
        std::optional<Tile> tile;          ///< where amplifiers read
        TileAmplifiers amplifiers;         ///< of that tile
        std::vector<TileColumn> positive;  ///< [outputs]
        std::vector<TileColumn> negative;  ///< [outputs], or empty
        double unit = 1;                   ///< of the tile's slice
    };
    /// What one tile gives for a batch of inputs.
    struct TileReading {
        /// Of side b below those of side a where the sides are converted apart.
        PositionMatrix samples;
        /// Which amplifiers are, [amplifiers × inputs]; empty where there are none.
        Eigen::Array<bool, Eigen::Dynamic, Eigen::Dynamic> saturated;
    };
    void add_tile(Tile tile, const ChipSettings& chip, const NonlinearCells& cells,
                  double feedback);
    /// Per array of one tile: [bit_lines × inputs], in A.
    [[nodiscard]] std::vector<Eigen::MatrixXd> currents_of(std::size_t number,
                                                           const Eigen::MatrixXd& voltages,
                                                           OperatingPointSolver& engine,
                                                           SolveEffort& effort) const;
    [[nodiscard]] TileReading read_batch(std::size_t number, const ReadInputs& inputs,
                                         OperatingPointSolver& engine, SolveEffort& effort) const;
    /// The same of linear cells behind amplifiers.
    [[nodiscard]] TileReading read_amplified(std::size_t number, const ReadInputs& inputs,
                                             const detail::SwingReadout& readout,
                                             SolveEffort& effort) const;
    /// Per tile; empty without amplifiers.
    [[nodiscard]] std::vector<detail::SwingReadout> swing_readouts(
        const SolverFactory& engine) const;
    [[nodiscard]] std::string name_of(std::size_t tile) const;
    [[nodiscard]] Index samples_of(std::size_t number) const;
    [[nodiscard]] TileSamples split_sides(PositionMatrix samples) const;

    std::string name_;
    bool has_amplifiers_;
    double read_voltage_;
    double span_;       ///< G_on - G_off of the targets [S]
    bool reads_sides_;  ///< a and b are converted apart
    std::size_t rows_per_group_;
    std::vector<TileArrays> arrays_;
    std::vector<TileOperator> places_;
};

}  // namespace kirchnet
