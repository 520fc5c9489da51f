// Which single cell hurts which output most? The adjoint sensitivity of a column's current to every
// cell, from one elimination, and what the worst stuck-on cell then really does.
//
//   build/release/bin/example_05_worst_cell
#include <fmt/format.h>

#include "solver/port_tree.hpp"

using namespace kirchnet;

int main() {
    constexpr Index n = 64;
    Wires wires;
    wires.word_line_segment = 1.0;  // [ohm]
    wires.bit_line_segment = 1.0;
    const CellMatrix cells = CellMatrix::Constant(n, n, 1e-5);       // [S]
    const Eigen::VectorXd read = Eigen::VectorXd::Constant(n, 0.2);  // [V]
    PortTree tree(Retain::everything);
    if (!tree.reduce(Crossbar(cells, wires))) return 1;
    const double current = tree.transfer_rows(n).row(40).dot(read);

    const CellMatrix sensitivity = tree.sensitivities(read, {40}).front();  // dI_40 / dG [V]
    Index r = 0;
    Index c = 0;
    const double worst = sensitivity.maxCoeff(&r, &c);
    fmt::print("column 40 depends most on cell ({}, {}): {:.4f} uA per uS\n", r, c, worst);
    fmt::print("and loses most by a cell elsewhere: {:.1e} uA per uS\n", sensitivity.minCoeff());

    CellMatrix stuck = cells;
    stuck(r, c) = 1e-4;  // stuck on
    if (!tree.reduce(Crossbar(stuck, wires))) return 1;
    fmt::print("stuck on: {:+.3f} uA, first order says {:+.3f} uA; {} of {} leaves reduced anew\n",
               1e6 * (tree.transfer_rows(n).row(40).dot(read) - current), 1e6 * worst * 9e-5,
               tree.leaves_reduced(), 64);
}
