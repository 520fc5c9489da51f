// Calls into every folder that `read_array` leaves out, so that their dependencies must be found.
#include <iostream>

#include "circuit/error.hpp"
#include "data/network_file.hpp"
#include "netlists/netlist_writer.hpp"
#include "nn/graph.hpp"

int main() {
    const kirchnet::Crossbar crossbar(kirchnet::CellMatrix::Constant(1, 1, 1e-5));
    std::cout << kirchnet::write_flat_deck(crossbar, Eigen::VectorXd::Constant(1, 0.2), "one cell");
    try {
        kirchnet::read_network("no-such-file.h5");
    } catch (const kirchnet::Error& error) {
        std::cout << error.what() << '\n';
        return 0;
    }
    return 1;
}
