#pragma once

#include <string>
#include <vector>

#include "circuit/circuit.hpp"

namespace kirchnet::detail {

/// Devices of one loop of voltage sources (of any kind), in order; empty: there is none. Currents
/// around such a loop are anything at all. A loop through a source whose current another device
/// reads is left to elimination.
std::vector<std::string> loop_of_sources(const Circuit& circuit);

/// Devices with a terminal on a net, by name, a handful at most.
std::string devices_at(const Circuit& circuit, CircuitNet net);

/// @throws InvalidInput  naming nets without a path for direct current to ground, or the sources of
///                       a loop
void check_solvable(const Circuit& circuit);

}  // namespace kirchnet::detail
