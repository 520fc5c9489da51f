// Reads a 2 x 2 array through its drivers and compares with the values found on paper.
//
//   0.2 V --5 kohm--+--100 uS-- out 0     word line 0 sees 200 uS: 5 kohm * 200 uS = 1,
//                   +--100 uS-- out 1     so 0.2 V / (1 + 1) = 0.1 V is left
//   0.3 V --5 kohm--+--100 uS-- out 0     word line 1 sees 400 uS: 5 kohm * 400 uS = 2,
//                   +--300 uS-- out 1     so 0.3 V / (1 + 2) = 0.1 V is left
//
//   I_0 = (100 uS + 100 uS) 0.1 V = 20 uA,  I_1 = (100 uS + 300 uS) 0.1 V = 40 uA
#include <cmath>
#include <iostream>

#include "circuit/crossbar.hpp"
#include "solver/nodal_solver.hpp"

int main() {
    kirchnet::CellMatrix conductance(2, 2);
    conductance << 100e-6, 100e-6, 100e-6, 300e-6;
    kirchnet::Wires wires;
    wires.driver = 5e3;
    const kirchnet::Crossbar crossbar(conductance, wires);

    const Eigen::Vector2d inputs(0.2, 0.3);
    const Eigen::MatrixXd current =
        kirchnet::NodalSolver().solve(crossbar, inputs, kirchnet::Voltages::skip).current;
    std::cout << "bit-line currents [A]: " << current.transpose() << '\n';

    const Eigen::Vector2d on_paper(20e-6, 40e-6);
    return (current - on_paper).norm() < 1e-12 * on_paper.norm() ? 0 : 1;
}
