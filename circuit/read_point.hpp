#pragma once

#include "circuit/crossbar.hpp"

namespace kirchnet {

/// The law's conductance of a cell that carries G V_r at the read voltage V_r: what a cell is, once
/// it was programmed to a target conductance G by reading it at V_r. Linear cells, and laws that
/// tell conductances at V_r: G itself; sinh cells: G a V_r / sinh(a V_r); any law proportional to
/// g: G G V_r / I(G, V_r).
/// @param conductance   target G [S], finite and not negative
/// @param read_voltage  V_r [V], positive
/// @throws InvalidInput  when the law is not proportional to its conductance, its current at V_r
///                       is not a positive finite number, V_r lies beyond the law's reach, or
///                       the law tells conductances at another voltage or has none of G
double slope_for_target(const CellLaw& law, double conductance, double read_voltage);

/// The array whose cells of this law carry at the read voltage what the given one's cells would if
/// they were ohmic: wires, faults and law as they are, every conductance by `slope_for_target`.
/// @throws InvalidInput  as `slope_for_target`
Crossbar exact_at(const Crossbar& target, const CellLaw& law, double read_voltage);

}  // namespace kirchnet
