#pragma once

#include "circuit/crossbar.hpp"

namespace kirchnet::test {

struct SinhArray {
    Index word_lines = 8;
    Index bit_lines = 8;
    double segment = 2;   ///< [ohm]
    double factor = 2;    ///< [1/V]
    double low = 1e-6;    ///< [S]
    double high = 1e-4;   ///< [S]
    double stuck_on = 0;  ///< part of the cells at 1e-2 S
    unsigned seed = 1;
};

Crossbar sinh_array(const SinhArray& array);

/// Uniform in [0, limit).
Eigen::MatrixXd positive_inputs(Index word_lines, Index batch, double limit = 0.2);

/// Current through a sinh cell behind a resistance, v + R g sinh(a v) / a = V, by bisection on v.
double series_current(double g, double a, double resistance, double V);

/// Largest inflow of a node over the largest branch current, from node voltages alone, with its own
/// idea of the circuit: nodes joined by 0 ohm are summed over, cut-off ones left out.
double kirchhoff_residual(const Crossbar& crossbar, const Eigen::VectorXd& input,
                          const CellMatrix& word, const CellMatrix& bit);

}  // namespace kirchnet::test
