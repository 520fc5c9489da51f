#pragma once

#include "circuit/crossbar.hpp"

namespace kirchnet::test {

/// Bit-line currents by another road: every node and every wire current is an unknown (so zero and
/// infinite resistances are ordinary equations), dense LU with full pivoting in extended
/// precision, written straight from the crossbar. A cut-off node, or a loop without resistance
/// through both ends of a line, makes the system singular but leaves the currents unique.
Eigen::MatrixXd dense_currents(const Crossbar& crossbar, const Eigen::MatrixXd& inputs);

}  // namespace kirchnet::test
