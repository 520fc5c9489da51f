#pragma once

#include <string>

#include "circuit/crossbar.hpp"
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
};

/// The readable hierarchical deck of a tile: both polarities, wires, drivers, every cell with the
/// weight it holds, faulty cells as subcircuits of their own, one subtractor per column pair. Runs
/// unmodified in `ngspice -b` and prints column currents and subtractor outputs.
/// @param inputs  read voltages [V] of the word lines in use, [rows]; the others are at 0 V
/// @throws InvalidInput  also for reference shares that are not of the tile's reference columns, or
///                       that amplifiers are to subtract
std::string write_tile_deck(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                            const TileDeckSettings& settings);

/// The flat form of a whole tile: the elements of all its arrays, ammeters and differences, and the
/// `.control` block of the readable deck. Read-out is ideal whatever `settings` says.
/// @param inputs  as for `write_tile_deck`
std::string write_flat_deck(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                            const TileDeckSettings& settings);

}  // namespace kirchnet
