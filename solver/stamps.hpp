#pragma once

#include <vector>

#include "solver/sparsity.hpp"

namespace kirchnet {

/// Values of the nodal matrix L [S] over the unknown nets, in the order of `sparsity.row`.
/// Symmetric; positive definite because no unknown net is cut off.
/// @param sparsity  of this expansion, or of one with the same pattern
std::vector<double> stamp_conductances(const Expansion& expansion, const Sparsity& sparsity);

/// Diagonal of L [S]: all conductance that meets at each unknown net.
Eigen::VectorXd conductance_at_nets(const Expansion& expansion);

}  // namespace kirchnet
