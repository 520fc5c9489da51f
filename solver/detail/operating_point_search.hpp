#pragma once

#include "solver/circuit_solver.hpp"
#include "solver/detail/circuit_newton.hpp"

namespace kirchnet::detail {

struct SearchResult {
    PreciseVector unknowns;
    CircuitMethod method = CircuitMethod::newton;
};

/// The operating point of the equations: Newton's method from 0 V, then by continuation.
/// @throws SingularSystem, NotConverged  as CircuitSolver::solve
SearchResult find_operating_point(const CircuitEquations& equations, CircuitNewton& newton,
                                  const CircuitSolverSettings& settings);

}  // namespace kirchnet::detail
