#pragma once

#include <memory>
#include <string>
#include <vector>

#include "circuit/operating_point_solver.hpp"
#include "nn/operators.hpp"

namespace kirchnet {

/// An engine by the name users know: ideal, nodal, nonlinear, transfer, ngspice.
/// @throws InvalidInput  listing the engines there are
std::unique_ptr<OperatingPointSolver> make_engine(const std::string& name,
                                                  double ngspice_time_limit_s = 600);

/// The same, once per thread; the name is checked now.
SolverFactory engine_factory(const std::string& name);

}  // namespace kirchnet
