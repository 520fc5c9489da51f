#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "circuit/column.hpp"
#include "circuit/crossbar.hpp"
#include "circuit/layer.hpp"
#include "circuit/linear_readout.hpp"
#include "circuit/readout.hpp"
#include "circuit/tile.hpp"

namespace kirchnet {

/// The flat form, for checking: one line per element of `expand(crossbar)`, plain resistors,
/// sources `v_in_*`, 0 V ammeters `vs_*`. Ends with `.end`, holds no control block.
/// @param inputs  read voltages [V], [word_lines]
std::string write_flat_deck(const Crossbar& crossbar,
                            const Eigen::Ref<const Eigen::VectorXd>& inputs,
                            const std::string& title);

/// Whose words a flat deck uses.
enum class Dialect {
    ngspice,  ///< with B sources and a `.control` block
    spice3    ///< R, V and E alone, numbers alone: any SPICE reads it
};

/// @throws InvalidInput  naming the accepted words
Dialect parse_dialect(std::string_view text);

/// What a readable deck shows beside the circuit.
struct TileDeckSettings {
    Readout readout = Readout::ideal;
    CellLaw law = {};           ///< of every cell; a tile's conductances are those at the read
    double read_voltage = 0.2;  ///< voltage [V]
    /// Amplifiers of an op-amp read-out, drawn for this tile; R_f 0: for these inputs' largest
    /// column current without wires.
    LinearReadout amplifiers = {};
    std::string input_comment = {};   ///< where the read voltages come from, one line
    std::string fault_comment = {};   ///< which fault law or map, one line
    std::string device_comment = {};  ///< which device laws, one line
    /// What an ideal read-out subtracts of each array's reference current, [outputs × arrays];
    /// empty: nothing. Outputs `sub_j` are then there without column pairs as well.
    Eigen::MatrixXd reference_shares = {};
    /// The only output whose bit lines are kept (circuit/column.hpp).
    std::optional<Index> output = {};
    std::string output_comment = {};     ///< what leaving the others out costs, one line
    Dialect dialect = Dialect::ngspice;  ///< of flat decks
};

/// The readable hierarchical deck of a tile: both polarities, wires, drivers, every cell with the
/// weight it holds, faulty cells as subcircuits of their own, one subtractor per column pair. Runs
/// unmodified in `ngspice -b` and prints column currents and subtractor outputs. Its dialect is
/// ngspice's, whatever `settings` says.
/// @param inputs  read voltages [V] of the word lines in use, [rows]; the others are at 0 V
/// @throws InvalidInput  also for reference shares that are not of the tile's reference columns, or
///                       that amplifiers are to subtract
std::string write_tile_deck(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                            const TileDeckSettings& settings);

/// The vector in which ngspice gives the current of a voltage source of a readable deck, by the
/// name that it has in the circuit of that deck: `vs_a_3#branch`, `v.xt0_1.vs_a_3#branch`.
std::string readable_current(std::string_view source);

/// The flat form of a whole tile: the elements of all its arrays. In ngspice's dialect ammeters,
/// differences and the `.control` block of the readable deck, and an ideal read-out whatever
/// `settings` says. In SPICE3's ammeters, of an ideal read-out without differences, or amplifiers
/// that are linear (gain, offset, no swing), and `.op`, `.dc` of one point and `.print`.
/// @param inputs  as for `write_tile_deck`
std::string write_flat_deck(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                            const TileDeckSettings& settings);

/// A layer in one deck, each tile a subcircuit `tile_R_C` (with slices `tile_R_C_sK`) with names as
/// in its own deck, all inputs shared, and per output channel a net `y_OC` that adds what the
/// tiles' read-outs give, slices by their weight: 1 V per A of an ideal read-out. On a chip this
/// sum is digital, behind converters.
/// @param tiles  of one layer, one read of its inputs
/// @throws InvalidInput  when there is none, or tiles disagree about an input
std::string write_layer_deck(const std::vector<LayerTile>& tiles, const TileDeckSettings& settings);

/// The same flat, every name with the tile's place behind it: `rxc_a_3_7_t0_1`. The read-out is
/// ideal; in SPICE3's dialect there are no sums, but every column current is printed.
std::string write_flat_layer_deck(const std::vector<LayerTile>& tiles,
                                  const TileDeckSettings& settings);

}  // namespace kirchnet
