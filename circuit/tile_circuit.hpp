#pragma once

#include <optional>

#include "circuit/circuit.hpp"
#include "circuit/tile_amplifiers.hpp"

namespace kirchnet {

/// Capacitances of an array [F] (docs/methods/general-circuits.md).
struct ArrayCapacitances {
    double wire_segment = 0;  ///< of a segment to ground, at the node it leads to
    double cell = 0;          ///< across a cell
    double access = 0;        ///< drain of an access device, from the bit-line node to ground

    [[nodiscard]] bool are_there() const { return wire_segment > 0 || cell > 0 || access > 0; }
};

/// What the circuit of a tile holds beside its arrays.
struct TileCircuitSettings {
    /// Nothing: ideal read-out, 0 V ammeters and differences of their currents.
    std::optional<TileAmplifiers> amplifiers = {};
    /// What an ideal read-out subtracts of each array's reference current, [outputs × arrays].
    Eigen::MatrixXd reference_shares = {};
    ArrayCapacitances capacitances = {};
    /// Read voltages rise from 0 V along a straight line of this length from t = 0 [s]; 0: they are
    /// there from the start.
    double rise_time = 0;
    CellLaw law = {};           ///< of every cell; a tile's conductances are those at the
    double read_voltage = 0.2;  ///< read voltage [V], above 0
    /// The only output whose bit lines and read-out are there (circuit/column.hpp): cells of all
    /// others end in ground.
    std::optional<Index> output = {};
};

/// A tile as a general circuit: arrays, wires, sources, ammeters, read-out. Nets and devices go by
/// the names that ngspice gives those of the readable deck (`wl_a_3_7`, `tia_a_7`,
/// `xtia_a_7.xop.x`), but that driver and end segment are one resistor.
///
/// Cells of law 1T1R are the two devices they consist of: the memory element `xc_a_3_7.rcell` down
/// to net `xc_a_3_7.x`, and from there to the bit line the transistor `xc_a_3_7.maccess`, whose
/// gate is the select line `sel_a_3`, held above *ground* from the start. All other laws are
/// `NonlinearCell`s; a gate that a user's cell may have stands above its bit line, as in its table.
/// @param inputs  read voltages [V] of the word lines in use, [rows]
/// @throws InvalidInput  when inputs, output or reference shares do not fit the tile, a read
/// voltage
///                       lies beyond the law's reach, cells of a law have an access resistance, or
///                       as `exact_at`
Circuit tile_circuit(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                     const TileCircuitSettings& settings = {});

/// How a tile hangs in a circuit of several, as an instance of its subcircuit does.
struct TileInstance {
    std::string name;                      ///< `xt0_1`, in front of what is the tile's own
    std::vector<std::string> input_nets;   ///< [rows]; word lines of no input are at ground
    std::vector<std::string> output_nets;  ///< [outputs], as `sub_j`
};

/// The same within a circuit that drives it: no sources, and an output at each of the instance's
/// nets. Where no subtractor gives it, it is the current of side a, less that of side b where there
/// are pairs (1 V stands for 1 A), or with amplifiers their voltage likewise.
/// @throws InvalidInput  as above, but for inputs, and when nets do not fit the tile, a name is in
///                       use, or settings ask for a rise time or one output alone
void add_tile(Circuit& circuit, const Tile& tile, const TileInstance& instance,
              const TileCircuitSettings& settings);

/// @throws InvalidInput  unless there is a read voltage per row, each finite and within the law's
///                       reach
void check_read_voltages(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                         const CellLaw& law);

/// One array with sources and 0 V ammeters. Cells are those of the array's own law,
/// `NonlinearCell`s unless they are ohmic: what has a gate has it above its bit line.
/// @param inputs  read voltages [V], [word_lines]
Circuit crossbar_circuit(const Crossbar& crossbar, const Eigen::Ref<const Eigen::VectorXd>& inputs);

}  // namespace kirchnet
