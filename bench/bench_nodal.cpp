// What does the nodal engine cost, by array size, and what does the ordering gain?
//
//     build/release/bin/bench_nodal --benchmark_repetitions=5
//         --benchmark_report_aggregates_only=true
//
// Base case: n x n cells, conductances log-uniform in [1e-6, 1e-4] S, segments of 2 ohm, one
// thread. `*_rel` counters are differences relative to sum_r |T_cr V_r| of each column.
#include <benchmark/benchmark.h>

#include <array>
#include <cmath>
#include <random>

#include "circuit/elements.hpp"
#include "solver/klu_factorization.hpp"
#include "solver/nested_dissection.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/stamps.hpp"

using namespace kirchnet;

namespace {

Crossbar base_case(Index n, unsigned seed) {
    std::mt19937 engine(seed);
    CellMatrix conductance(n, n);
    for (double& g : conductance.reshaped())
        g = 1e-6 * std::pow(100.0, static_cast<double>(engine()) / 4294967296.0);
    Wires wires;
    wires.word_line_segment = 2;
    wires.bit_line_segment = 2;
    return Crossbar(std::move(conductance), wires);
}

Eigen::VectorXd read_voltages(Index n) {
    return Eigen::VectorXd::LinSpaced(n, -0.2, 0.2);
}

/// Two roads to the currents: T V, and a solve refined in twice the working precision.
double transfer_against_solve(const Crossbar& crossbar) {
    const Eigen::VectorXd v = read_voltages(crossbar.shape().word_lines);
    NodalSolver solver;
    const Eigen::MatrixXd T = solver.transfer(crossbar);
    const Eigen::MatrixXd I = solver.solve(crossbar, v, Voltages::skip).current;
    return ((T * v - I).array() / (T * v.cwiseAbs()).array()).abs().maxCoeff();
}

void factor_and_solve(benchmark::State& state) {
    const Crossbar crossbar = base_case(state.range(0), 1);
    const Eigen::VectorXd v = read_voltages(state.range(0));
    double residual = 0;
    for (auto _ : state) {
        NodalSolver fresh;
        const OperatingPoint point = fresh.solve(crossbar, v, Voltages::skip);
        residual = point.residual;
    }
    state.counters["residual"] = residual;
}

/// A series of arrays of one shape: each iteration another of two.
struct Series {
    explicit Series(Index n) : arrays{base_case(n, 1), base_case(n, 2)} {
        (void)solver.solve(arrays[1], read_voltages(n), Voltages::skip);
    }
    const Crossbar& next() { return arrays.at(turn++ % 2); }

    std::array<Crossbar, 2> arrays;
    NodalSolver solver;
    std::size_t turn = 0;
};

void refactor_and_solve(benchmark::State& state) {
    Series series(state.range(0));
    const Eigen::VectorXd v = read_voltages(state.range(0));
    for (auto _ : state)
        benchmark::DoNotOptimize(series.solver.solve(series.next(), v, Voltages::skip));
}

void transfer(benchmark::State& state) {
    Series series(state.range(0));
    for (auto _ : state) benchmark::DoNotOptimize(series.solver.transfer(series.next()));
    state.counters["T_against_solve_rel"] = transfer_against_solve(series.arrays[0]);
    state.counters["condition"] = series.solver.condition();
}

enum Ordering { grid_dissection, minimum_degree };

void analyze(KluFactorization& factors, const Expansion& expansion, const Sparsity& sparsity,
             Ordering ordering) {
    if (ordering == grid_dissection)
        factors.analyze(sparsity.column_start, sparsity.row, nested_dissection(expansion));
    else
        factors.analyze(sparsity.column_start, sparsity.row);
}

/// KLU alone on the assembled matrix.
struct Elimination {
    Elimination(Index n, Ordering ordering)
        : expansion(expand(base_case(n, 1))),
          sparsity(make_sparsity(expansion)),
          values(stamp_conductances(expansion, sparsity)) {
        analyze(factors, expansion, sparsity, ordering);
        if (factors.factorize(values)) std::abort();
    }

    /// One right-hand side per bit line: its last net driven through its last segment.
    [[nodiscard]] Eigen::MatrixXd bit_line_responses() {
        Eigen::MatrixXd x = Eigen::MatrixXd::Zero(expansion.unknowns, expansion.bit_lines);
        for (const Element& e : expansion.elements)
            if (expansion.is_ground(e.to)) x(e.from, e.to - expansion.ground(0)) = e.conductance;
        factors.solve(x);
        return x;
    }

    Expansion expansion;
    Sparsity sparsity;
    std::vector<double> values;
    KluFactorization factors;
};

Ordering ordering_of(const benchmark::State& state) {
    return static_cast<Ordering>(state.range(1));
}

void klu_analyze_and_factorize(benchmark::State& state) {
    Elimination elimination(state.range(0), ordering_of(state));
    for (auto _ : state) {
        analyze(elimination.factors, elimination.expansion, elimination.sparsity,
                ordering_of(state));
        if (elimination.factors.factorize(elimination.values)) std::abort();
    }
    state.counters["nnz_LU"] = static_cast<double>(elimination.factors.fill());
}

void klu_refactorize(benchmark::State& state) {
    Elimination elimination(state.range(0), ordering_of(state));
    for (auto _ : state)
        if (elimination.factors.refactorize(elimination.values)) std::abort();
}

void klu_solve_per_bit_line(benchmark::State& state) {
    Elimination elimination(state.range(0), ordering_of(state));
    for (auto _ : state) benchmark::DoNotOptimize(elimination.bit_line_responses());
    if (ordering_of(state) == minimum_degree) {
        const auto reference = Elimination(state.range(0), grid_dissection).bit_line_responses();
        const auto here = elimination.bit_line_responses();
        state.counters["other_ordering_rel"] =
            ((here - reference).array() / reference.array()).abs().maxCoeff();
    }
}

void sizes(benchmark::internal::Benchmark* bench) {
    bench->RangeMultiplier(2)->Range(32, 256)->Unit(benchmark::kMillisecond);
}

void sizes_and_orderings(benchmark::internal::Benchmark* bench) {
    bench->ArgNames({"n", "minimum_degree"})->Unit(benchmark::kMillisecond);
    for (const int n : {32, 64, 128, 256})
        for (const Ordering ordering : {grid_dissection, minimum_degree})
            bench->Args({n, ordering});
}

BENCHMARK(factor_and_solve)->Apply(sizes);
BENCHMARK(refactor_and_solve)->Apply(sizes);
BENCHMARK(transfer)->Apply(sizes);
BENCHMARK(klu_analyze_and_factorize)->Apply(sizes_and_orderings);
BENCHMARK(klu_refactorize)->Apply(sizes_and_orderings);
BENCHMARK(klu_solve_per_bit_line)->Apply(sizes_and_orderings);

}  // namespace
