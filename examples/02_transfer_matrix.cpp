// The whole array as one matrix: I = T V, wires included, so that any number of inputs costs one
// matrix product. Shows how much of each column's conductance survives the wires.
//
//   build/release/bin/example_02_transfer_matrix
#include <fmt/format.h>

#include "solver/transfer_solver.hpp"

using namespace kirchnet;

int main() {
    Wires wires;
    wires.word_line_segment = 1.0;  // [ohm]
    wires.bit_line_segment = 1.0;
    const Crossbar crossbar(CellMatrix::Constant(64, 64, 1e-4), wires);  // all cells at LRS

    const Eigen::MatrixXd transfer = TransferSolver().transfer(crossbar);  // [S], [64 x 64]
    const Eigen::VectorXd column = transfer.rowwise().sum();  // current per volt on all word lines
    const double wireless = 64 * 1e-4;
    fmt::print("nearest column keeps {:.1f} % of its current, farthest {:.1f} %\n",
               100 * column(0) / wireless, 100 * column(63) / wireless);
    fmt::print("largest loss of a single cell: {:.1f} %\n", 100 * (1 - transfer.minCoeff() / 1e-4));
}
