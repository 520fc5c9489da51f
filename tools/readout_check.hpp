#pragma once

#include <string>

#include "circuit/linear_readout.hpp"
#include "circuit/tile.hpp"
#include "data/result_file.hpp"

namespace kirchnet {

/// What records of whole circuits name as their reference: the general solver.
inline constexpr const char* whole_circuit = "circuit";

/// A tile with its amplifiers, as equations of the general solver and as the readable deck in
/// ngspice; both start from the same tile and the same drawn amplifiers, and from nothing else.
/// Every net and ammeter is compared: differences are relative to the largest voltage, or the
/// largest current. Inner nodes of amplifiers are left out, in overload they say nothing.
/// @param name        of the record
/// @param inputs      read voltages [V], [rows]
/// @param readout     R_f is set; its converters are left out
/// @param law         of every cell, which conducts what it should at the read voltage. Cells of
///                    users with a gate are compared in the general circuit's own deck, since
///                    their tables have gates above the bit line and readable decks above ground
/// @param time_limit  of ngspice [s]
/// @throws NgspiceError, NotConverged, SingularSystem  from either road
AgreementRecord check_readout(const std::string& name, const Tile& tile,
                              const Eigen::VectorXd& inputs, LinearReadout readout,
                              const CellLaw& law, double time_limit);

/// Seconds that ngspice takes for it about.
double expected_readout_seconds(const Tile& tile);

}  // namespace kirchnet
