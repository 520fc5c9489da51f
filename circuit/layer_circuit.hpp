#pragma once

#include <optional>
#include <vector>

#include "circuit/circuit.hpp"
#include "circuit/layer.hpp"

namespace kirchnet {

/// What the circuit of a layer holds beside its arrays.
struct LayerCircuitSettings {
    /// Nothing: ideal read-out. Amplifiers are drawn for each tile; R_f is one, `shared_feedback`.
    std::optional<LinearReadout> readout = {};
    CellLaw law = {};           ///< of every cell; conductances are those at the
    double read_voltage = 0.2;  ///< read voltage [V], above 0
};

/// A layer as one general circuit: each tile as `add_tile` has it, all inputs shared, and per
/// output channel a net that adds what the tiles' read-outs give, slices by their weight. Nets and
/// devices go by the names that ngspice gives those of the layer's deck: `xt0_1.wl_a_3_7` within a
/// tile, inputs `x_5_0_1` with sources `v_x_5_0_1`, outputs of a tile `s_t0_1_4`, sums `y_69`. With
/// an ideal read-out 1 V of an output or a sum stands for 1 A. A sum is 1 ohm to ground into which
/// each output drives its weight in siemens: on a chip it is digital.
/// @throws InvalidInput  as `check_layer` and `add_tile`, or when a read voltage lies beyond the
///                       law's reach
Circuit layer_circuit(const std::vector<LayerTile>& tiles,
                      const LayerCircuitSettings& settings = {});

}  // namespace kirchnet
