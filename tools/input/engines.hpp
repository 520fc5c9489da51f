#pragma once

#include <memory>
#include <string>
#include <vector>

#include "circuit/operating_point_solver.hpp"
#include "data/operator_cache.hpp"
#include "nn/operators.hpp"

namespace kirchnet {

/// An engine by the name users know: ideal, nodal, nonlinear, transfer, ngspice.
/// @throws InvalidInput  listing the engines there are
std::unique_ptr<OperatingPointSolver> make_engine(const std::string& name,
                                                  double ngspice_time_limit_s = 600);

/// The same, once per thread; the name is checked now.
/// @param cache  shared by the threads; null: every transfer matrix is computed
SolverFactory engine_factory(const std::string& name, std::shared_ptr<OperatorCache> cache = {});

/// The cache in that folder; null where none is named.
/// @throws FileError  when the folder cannot be used
std::shared_ptr<OperatorCache> open_operator_cache(const std::string& folder);

/// What a cache has to warn of, on standard error; null warns of nothing.
void print_warnings(const OperatorCache* cache);

}  // namespace kirchnet
