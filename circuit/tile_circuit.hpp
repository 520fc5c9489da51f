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
};

/// A tile as a general circuit: arrays, wires, sources, ammeters, read-out. Nets and devices go by
/// the names that ngspice gives those of the readable deck (`wl_a_3_7`, `tia_a_7`,
/// `xtia_a_7.xop.x`), but that driver and end segment are one resistor.
/// @param inputs  read voltages [V] of the word lines in use, [rows]
/// @throws InvalidInput  when inputs or reference shares do not fit the tile
Circuit tile_circuit(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                     const TileCircuitSettings& settings = {});

/// One array with sources and 0 V ammeters.
/// @param inputs  read voltages [V], [word_lines]
Circuit crossbar_circuit(const Crossbar& crossbar, const Eigen::Ref<const Eigen::VectorXd>& inputs);

}  // namespace kirchnet
