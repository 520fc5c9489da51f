// What do operating point and transient of a tile with its amplifiers cost by modified nodal
// analysis, and what in ngspice?
//
//     build/release/bin/bench_circuit --benchmark_format=json
//
// A pair of n x n arrays, differential mapping of random weights, 2 ohm a segment, 100 ohm drivers,
// wire and cell capacitances of a 32 nm node, a transimpedance amplifier per bit line and a
// difference amplifier per pair, with smooth limits. Transient: inputs rise within 1 ns, then 1 us.
// ngspice runs the same circuit's deck in a process of its own, its start included, with steps of
// at most a thousandth of the span. Counters: `nets`, `devices`; `max_rel_error` is the largest
// difference of an output between the two over its settled value.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "circuit/tile_circuit.hpp"
#include "netlists/circuit_deck.hpp"
#include "netlists/ngspice_session.hpp"
#include "solver/transient.hpp"

using namespace kirchnet;

namespace {

constexpr double span = 1e-6;  // [s]

Circuit tile_of(Index n) {
    std::mt19937 engine(1);
    const auto uniform = [&] { return static_cast<double>(engine()) / 4294967296.0; };
    WeightBlock block;
    block.layer = "conv1";
    block.weights = Eigen::MatrixXd::NullaryExpr(n, n, [&] { return 2 * uniform() - 1; });
    for (Index r = 0; r < n; ++r) block.inputs.push_back({static_cast<std::int32_t>(r), 0, 0});
    TileSettings settings;
    settings.array = {n, n};
    settings.mapping = Mapping::differential;
    settings.device = {1e-4, 1e-6};
    settings.wires.word_line_segment = 2;
    settings.wires.bit_line_segment = 2;
    settings.wires.driver = 100;
    const Tile tile(block, settings);
    const Eigen::VectorXd inputs = Eigen::VectorXd::NullaryExpr(n, [&] { return 0.2 * uniform(); });
    LinearReadout readout;
    readout.mismatch = 0.01;
    const double feedback = default_feedback_resistance(readout.circuit.amplifier,
                                                        largest_column_current(tile, inputs));
    TileCircuitSettings chosen;
    chosen.amplifiers = draw_amplifiers(tile, readout, feedback);
    chosen.capacitances = {.wire_segment = 3e-17, .cell = 2e-17, .access = 1e-16};
    chosen.rise_time = 1e-9;
    return tile_circuit(tile, inputs, chosen);
}

/// With inputs as they are after their rise.
Circuit risen(Circuit circuit) {
    for (const CircuitDevice& device : std::vector(circuit.devices()))
        if (const auto* source = std::get_if<VoltageSource>(&device.model))
            circuit.set_waveform(device.name, Waveform::constant(source->voltage.at(1)));
    return circuit;
}

std::vector<std::string> outputs(Index n) {
    std::vector<std::string> nets;
    for (Index j = 0; j < n; ++j) nets.push_back("sub_" + std::to_string(j));
    return nets;
}

void count(benchmark::State& state, const Circuit& circuit) {
    state.counters["nets"] = circuit.nets() - 1;
    state.counters["devices"] = static_cast<double>(circuit.devices().size());
}

void operating_point(benchmark::State& state) {
    const Circuit circuit = risen(tile_of(state.range(0)));
    CircuitSolution solution;
    for (auto _ : state) solution = solve_circuit(circuit);
    count(state, circuit);
    state.counters["newton_steps"] = solution.iterations;
}

void operating_point_ngspice(benchmark::State& state) {
    const Circuit circuit = risen(tile_of(state.range(0)));
    const auto nets = outputs(state.range(0));
    Eigen::MatrixXd theirs;
    for (auto _ : state)
        theirs = run_operating_points(write_circuit_deck(circuit, "tile"),
                                      {{}, Eigen::MatrixXd(0, 1)}, nets);
    const CircuitSolution ours = solve_circuit(circuit);
    double apart = 0;
    for (std::size_t j = 0; j < nets.size(); ++j)
        apart = std::max(
            apart, std::abs(voltage_of(circuit, ours, nets[j]) - theirs(static_cast<Index>(j), 0)));
    count(state, circuit);
    state.counters["max_rel_error"] = apart / theirs.cwiseAbs().maxCoeff();
}

void transient(benchmark::State& state) {
    const Circuit circuit = tile_of(state.range(0));
    TransientResult result;
    for (auto _ : state) result = solve_transient(circuit, span, outputs(state.range(0)));
    count(state, circuit);
    state.counters["steps"] = result.steps;
    state.counters["newton_steps"] = result.iterations;
}

void transient_ngspice(benchmark::State& state) {
    const Circuit circuit = tile_of(state.range(0));
    const auto nets = outputs(state.range(0));
    NgspiceWaveforms theirs;
    for (auto _ : state)
        theirs = run_transient(write_circuit_deck(circuit, "tile"), nets, {.stop = span});
    const TransientResult ours = solve_transient(circuit, span, nets);
    double worst = 0;
    for (std::size_t j = 0; j < nets.size(); ++j) {
        const auto row = theirs.values.row(static_cast<Index>(j));
        for (Index t = 0; t < row.size(); ++t)
            worst = std::max(worst, std::abs(ours.voltage.at(nets[j]).at(theirs.time(t)) - row(t)) /
                                        std::abs(row(row.size() - 1)));
    }
    count(state, circuit);
    state.counters["steps"] = static_cast<double>(theirs.time.size());
    state.counters["max_rel_error"] = worst;
}

BENCHMARK(operating_point)->Arg(8)->Arg(16)->Arg(32)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK(operating_point_ngspice)
    ->Arg(8)
    ->Arg(16)
    ->Arg(32)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(transient)->Arg(8)->Arg(16)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(transient_ngspice)
    ->Arg(8)
    ->Arg(16)
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
