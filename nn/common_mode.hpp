#pragma once

#include <vector>

#include "nn/drive.hpp"

namespace kirchnet {

/// What the amplifiers behind a layer's columns meet before anything is subtracted: the common mode
/// of pairs, which the swing has to take although it says nothing.
struct LayerCommonMode {
    std::size_t layer = 0;
    std::size_t columns = 0;        ///< that are read, of all tiles and both sides
    double feedback = 0;            ///< R_f, of all amplifiers [ohm]
    double side_rms = 0;            ///< of column currents, over columns and inputs [A]
    double difference_rms = 0;      ///< of I_a - I_b; of I where there are no pairs [A]
    double largest_side = 0;        ///< of the strongest inputs [A]
    double largest_difference = 0;  ///< likewise [A]
    /// Columns whose TIA leaves its swing for one of the strongest inputs.
    std::size_t saturated = 0;

    /// Share of the swing that the largest column current takes, R_f I / V_sat.
    [[nodiscard]] double swing_used(double swing) const { return feedback * largest_side / swing; }
};

/// Column currents with the chip's wires, faults and read-out: means over all inputs that `drive`
/// has seen, largest values over its strongest ones.
/// @param readout  whose R_f and swing are asked about; R_f 0: as a layer is given it
/// @param drive    observed with the same tiles
/// @return         per layer of `drive`
/// @throws InvalidInput  when the read-out's quantities are out of their ranges
std::vector<LayerCommonMode> common_mode(const Graph& graph, const ChipSettings& chip,
                                         const LinearReadout& readout,
                                         const std::vector<LayerDrive>& drive,
                                         const SolverFactory& solver,
                                         const Progress& progress = {});

}  // namespace kirchnet
