// Reads a 4 x 3 crossbar once: currents with and without wires.
//
//   cmake --preset release && cmake --build --preset release --target example_01_read
//   build/release/bin/example_01_read
#include <fmt/format.h>

#include "circuit/ideal_solver.hpp"
#include "solver/nodal_solver.hpp"

using namespace kirchnet;

int main() {
    CellMatrix conductance(4, 3);     // [S], a row per word line
    conductance << 1e-4, 2e-5, 1e-6,  //
        5e-5, 1e-4, 1e-6,             //
        1e-6, 3e-5, 1e-4,             //
        8e-5, 1e-6, 1e-4;
    Wires wires;
    wires.word_line_segment = 10.0;  // [ohm] per cell pitch
    wires.bit_line_segment = 10.0;
    const Crossbar crossbar(conductance, wires);
    const Eigen::Vector4d read_voltages(0.2, 0.2, 0.0, 0.1);  // [V]

    const auto ideal = IdealSolver().solve(crossbar, read_voltages, Voltages::skip);
    const auto real = NodalSolver().solve(crossbar, read_voltages, Voltages::skip);
    for (Index c = 0; c < 3; ++c)
        fmt::print("bit line {}: {:.6f} mA without wires, {:.6f} mA with\n", c,
                   1e3 * ideal.current(c, 0), 1e3 * real.current(c, 0));
}
