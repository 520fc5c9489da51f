#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "circuit/access.hpp"
#include "circuit/crossbar.hpp"
#include "circuit/faults.hpp"
#include "circuit/given_arrays.hpp"
#include "circuit/mapping.hpp"
#include "circuit/names.hpp"
#include "circuit/readout.hpp"
#include "circuit/variation.hpp"

namespace kirchnet {

/// Where a word line's input comes from: position in the kernel of a convolution; fully connected
/// layers have a 1 x 1 kernel.
struct KernelPosition {
    std::int32_t input_channel = 0;
    std::int32_t kernel_y = 0;
    std::int32_t kernel_x = 0;

    friend bool operator==(const KernelPosition&, const KernelPosition&) = default;
};

/// The part of a layer's weight matrix that one tile holds: all of each weight, or one slice of it.
struct WeightBlock {
    std::string layer;
    Index tile_row = 0;
    Index tile_column = 0;
    Eigen::MatrixXd weights;             ///< [rows × outputs], in [-1, 1]: W / max|W| of the layer
    std::vector<KernelPosition> inputs;  ///< per row
    Index first_output_channel = 0;
    int slice = 0;  ///< which digit of the weights the cells hold, lowest first
    /// Groups of a convolution that share the block: its weights are block-diagonal, each group has
    /// rows / groups rows and outputs / groups outputs. Cells off the diagonal hold no weight.
    Index groups = 1;

    /// Whether cell (row, output) lies in a group's own block.
    [[nodiscard]] bool holds(Index row, Index output) const {
        return row < weights.rows() && output < weights.cols() &&
               row / (weights.rows() / groups) == output / (weights.cols() / groups);
    }
};

/// What becomes of the part of an array that a layer does not fill.
enum class Unused : std::uint8_t {
    pad,  ///< the array is full size: unused cells at HRS, word lines at 0 V, bit lines grounded
    trim  ///< the array has exactly the used word lines and bit lines
};

std::string_view to_string(Unused unused);
/// @throws InvalidInput  naming the accepted words
Unused parse_unused(std::string_view text);

/// What becomes of the groups of a grouped convolution.
enum class Groups : std::uint8_t {
    separate,  ///< each has arrays of its own
    packed     ///< as many as fit share an array, on its diagonal
};

std::string_view to_string(Groups groups);
/// @throws InvalidInput  naming the accepted words
Groups parse_groups(std::string_view text);

/// How weights become arrays.
struct TileSettings {
    ArrayShape array;  ///< physical word lines and bit lines of one array
    Mapping mapping = Mapping::two_column;
    Layout layout = Layout::split;  ///< of column pairs; `offset` has none
    Unused unused = Unused::pad;
    int weight_bits = 8;    ///< 0: continuous
    int bits_per_cell = 0;  ///< 0: one cell holds the whole weight; else weights are sliced
    Subtraction subtraction = Subtraction::before;  ///< of the sides of a pair
    DeviceRange device;  ///< of cells as wholes; their elements' where these are not compensated
    AccessResistance access;
    Wires wires;
    Groups groups = Groups::packed;
    /// The last bit line of each array holds cells at LRS on every word line in use: its current
    /// says what the wires leave of the sum of the inputs.
    bool reference_column = false;

    friend bool operator==(const TileSettings&, const TileSettings&) = default;
};

/// Into how many slices these settings cut a weight; each has arrays of its own.
/// @throws InvalidInput  when weights cannot be cut so
int slice_count(const TileSettings& settings);

/// Outputs one tile can hold: its bit lines but for a reference column, or half of them where pairs
/// share an array.
/// @throws InvalidInput  when not even one output fits
Index outputs_per_tile(const TileSettings& settings);

/// A physical bit line of one of a tile's arrays.
struct TileColumn {
    std::size_t array = 0;
    Index bit_line = 0;
};

/// What one physical cell means.
struct CellMeaning {
    CellPosition position;
    CellIdentity identity;            ///< weight address, or padding by position
    std::optional<double> weight;     ///< normalised; empty for padding
    std::optional<int> level;         ///< quantised q; empty for padding or continuous mapping
    std::optional<int> digit;         ///< what a cell of a sliced weight holds of it
    bool is_reference = false;        ///< at LRS in the reference column, holds no weight
    int steps = 0;                    ///< steps from state 0 to state 1; 0 for continuous mapping
    double state = 0;                 ///< intended state in [0, 1]
    double intended_conductance = 0;  ///< [S]
    double conductance = 0;           ///< [S]
    Fault fault = Fault::none;
};

/// A block of weights as circuit: one or two crossbars, faults and device laws applied, and the
/// meaning of every cell. The only place where a fault or a device law meets a conductance.
class Tile {
  public:
    /// @param faults   no value: every cell works
    /// @param devices  no value: every working cell conducts what is intended. A stuck or open cell
    ///                 conducts what its fault says, whatever the device laws
    /// @param given    arrays that are known one by one; where this tile is among them, they are
    /// its
    ///                 conductances, faults and wires. Null: none
    /// @throws InvalidInput  when the block does not fit the array, a weight is outside [-1, 1], or
    ///                       given arrays are of another number, shape or pattern
    Tile(WeightBlock block, const TileSettings& settings,
         const std::optional<FaultSource>& faults = std::nullopt,
         const std::optional<DeviceDraw>& devices = std::nullopt,
         const GivenArrays* given = nullptr);

    [[nodiscard]] const WeightBlock& block() const { return block_; }
    [[nodiscard]] const TileSettings& settings() const { return settings_; }
    /// `split` pairs: a then b; otherwise one.
    [[nodiscard]] const std::vector<Crossbar>& arrays() const { return arrays_; }
    [[nodiscard]] Index rows() const { return block_.weights.rows(); }
    [[nodiscard]] Index outputs() const { return block_.weights.cols(); }
    /// The bit line of each array that holds the reference column, where there is one.
    [[nodiscard]] std::optional<Index> reference_bit_line() const;
    /// How many bit lines of each array are read; they are the first ones.
    [[nodiscard]] Index read_bit_lines() const;
    /// Physical bit line that carries an output's side; `offset` has only side a.
    /// @throws InvalidInput  when the tile has no such output or side
    [[nodiscard]] TileColumn column(Index output, Polarity side) const;
    /// @throws InvalidInput  when the tile has no such cell
    [[nodiscard]] CellMeaning meaning(const CellPosition& position) const;
    [[nodiscard]] bool has_pairs() const { return has_column_pair(settings_.mapping); }
    /// Whether the currents of a pair are subtracted before they are converted.
    [[nodiscard]] bool has_subtractors() const {
        return has_pairs() && settings_.subtraction == Subtraction::before;
    }
    /// The kinds of fault that cells of this tile have.
    [[nodiscard]] std::set<Fault> faults() const;
    /// What is wrong with the wires of each array; nothing is known of given ones.
    [[nodiscard]] const std::vector<std::vector<LineFault>>& line_faults() const {
        return line_faults_;
    }
    /// The slice of its weights this tile holds.
    [[nodiscard]] const LevelSlice& slice() const { return slice_; }

  private:
    void describe_level(CellMeaning& cell) const;

    WeightBlock block_;
    TileSettings settings_;
    LevelSlice slice_;
    std::vector<Crossbar> arrays_;
    std::vector<std::vector<LineFault>> line_faults_;  ///< per array
};

}  // namespace kirchnet
