#include "bench/support/circuit_drivers.hpp"

#include "circuit/ideal_solver.hpp"
#include "nn/calibration.hpp"
#include "solver/transfer_solver.hpp"

namespace kirchnet::bench {

Drivers converted_drivers(const Graph& graph, const LabelledImages& images,
                          const SolverFactory& solver) {
    TileSettings tile;
    tile.wires.word_line_segment = 1;
    tile.wires.bit_line_segment = 1;
    const auto dacs = calibrate_dacs(graph, images, {});
    auto operators = extract_operators(graph, tile, std::nullopt, solver);
    Drivers drivers;
    for (std::size_t layer = 0; layer < operators.size(); ++layer) {
        drivers.push_back(crossbar_driver(graph, layer, std::move(operators[layer])));
        set_dac(drivers.back(), dacs[layer]);
    }
    const auto adcs = calibrate_adcs(graph, drivers, images, {}, tile);
    for (std::size_t layer = 0; layer < drivers.size(); ++layer) drivers[layer].adc = adcs[layer];
    return drivers;
}

Drivers ideal_drivers(const Graph& graph, const LabelledImages& images) {
    return converted_drivers(graph, images, [] { return std::make_unique<IdealSolver>(); });
}

Drivers circuit_drivers(const Graph& graph, const LabelledImages& images) {
    return converted_drivers(graph, images, [] { return std::make_unique<TransferSolver>(); });
}

}  // namespace kirchnet::bench
