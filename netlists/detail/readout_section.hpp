#pragma once

#include <string>

#include "netlists/netlist_writer.hpp"

namespace kirchnet::detail {

/// Amplifier parameters of an op-amp deck: `a0 gbw vos vsat rf r1 r2 r3 r4`.
/// @param inputs  [rows]; they decide R_f where the settings leave it open
/// @throws InvalidInput  when a value makes no amplifier
std::string amplifier_parameters(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                                 const SubtractorCircuit& subtractor);

/// What stands between the nets `out_*` and the outputs: ammeters, amplifiers, subtractors.
/// @param shares  of the reference currents, as in `TileDeckSettings`
/// @throws InvalidInput  when they are not of this tile, or not for this read-out
std::string readout_section(const Tile& tile, Readout readout, const Eigen::MatrixXd& shares);

/// The `.control` block: solves, and prints every column current and output with its name.
std::string control_section(const Tile& tile, Readout readout, const Eigen::MatrixXd& shares);

}  // namespace kirchnet::detail
