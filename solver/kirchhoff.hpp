#pragma once

#include "circuit/elements.hpp"

namespace kirchnet {

/// Voltage of every net of an expansion [V], [nets × batch]: unknown nets, sources, virtual
/// grounds.
using Potentials = Eigen::MatrixXd;

/// Number of nets whose potential `Potentials` holds.
Index net_count(const Expansion& expansion);

/// Current that the given terminals would drive into each unknown net at 0 V [A],
/// [unknowns × batch]: the right-hand side B p of the nodal equations.
Eigen::MatrixXd injection(const Expansion& expansion, const Potentials& potentials);

/// Current into each unknown net through its elements [A], [unknowns × batch]: zero where
/// Kirchhoff's current law holds. Voltages are the unevaluated sum `high + low`, so that what
/// flows between two nets of almost equal voltage keeps its digits.
Eigen::MatrixXd inflow(const Expansion& expansion, const Potentials& high, const Potentials& low);

/// Current out of the array into each terminal [A]: sources first, then virtual grounds,
/// [word_lines + bit_lines × batch].
Eigen::MatrixXd terminal_currents(const Expansion& expansion, const Potentials& potentials);

/// Largest inflow of an unknown net over the largest branch current of the same input, the worst
/// input of the batch; 0 where no current flows beyond rounding of the voltages.
double relative_residual(const Expansion& expansion, const Potentials& potentials);

}  // namespace kirchnet
