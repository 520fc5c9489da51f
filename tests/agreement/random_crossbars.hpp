#pragma once

#include <string>

#include "circuit/crossbar.hpp"

namespace kirchnet::test {

/// A small array with everything that may go wrong in it, a pure function of its number: shapes
/// from 1 x 1 to 12 x 12, log-uniform cells, open cells, 1e3 S shorts, zero-resistance and open
/// segments, bridges between neighbouring lines, per-line driver and sense resistance, all driven
/// and sensed ends, both column patterns.
Crossbar random_crossbar(std::uint64_t number);

/// Read voltages in [-0.2, 0.2) V.
Eigen::MatrixXd random_inputs(std::uint64_t number, Index word_lines, Index batch);

/// Largest |ΔI_c| / Σ_r |T_cr V_r| between KLU and ngspice, and whether node voltages agree; a
/// message says where not.
struct Agreement {
    double current = 0;
    double voltage = 0;  ///< [V]
    std::string where;
};

Agreement compare_engines(const Crossbar& crossbar, const Eigen::MatrixXd& inputs);

}  // namespace kirchnet::test
