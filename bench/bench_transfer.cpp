// What does the exact transfer matrix cost by port merging, and by KLU at its best?
//
//     build/release/bin/bench_transfer --benchmark_format=json
//
// One thread. Each iteration reduces an array by port merging and then solves the same array by
// KLU: refactorisation and one solve per bit line, grid nested dissection, symbolic analysis and
// assembly excluded. Times are processor time of the thread; `klu_ratio` is the ratio of the two
// medians. `max_rel_error` is the largest relative error of an entry of T against solutions refined
// in twice the working precision.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <random>

#include "circuit/elements.hpp"
#include "solver/klu_factorization.hpp"
#include "solver/nested_dissection.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/port_tree.hpp"
#include "solver/stamps.hpp"

using namespace kirchnet;

namespace {

double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <typename Work>
double seconds_of(Work work) {
    const double start = thread_seconds();
    work();
    return thread_seconds() - start;
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                     values.end());
    return values[values.size() / 2];
}

class Uniform {
  public:
    explicit Uniform(unsigned seed) : engine_(seed) {}
    double operator()() { return static_cast<double>(engine_()) / 4294967296.0; }

  private:
    std::mt19937 engine_;
};

Wires segments(double ohm) {
    Wires wires;
    wires.word_line_segment = ohm;
    wires.bit_line_segment = ohm;
    return wires;
}

CellMatrix log_uniform(Index m, Index n, unsigned seed) {
    Uniform uniform(seed);
    CellMatrix g(m, n);
    for (double& x : g.reshaped()) x = 1e-6 * std::pow(100.0, uniform());
    return g;
}

void set_some(CellMatrix& g, double share, double conductance) {
    Uniform uniform(99);
    for (double& x : g.reshaped())
        if (uniform() < share) x = conductance;
}

Crossbar base_case(Index n) {
    return Crossbar(log_uniform(n, n, 1), segments(2));
}

/// KLU on the assembled matrix, every bit line driven in turn.
class Klu {
  public:
    explicit Klu(const Crossbar& crossbar)
        : expansion_(expand(crossbar)),
          sparsity_(make_sparsity(expansion_)),
          values_(stamp_conductances(expansion_, sparsity_)) {
        factors_.analyze(sparsity_.column_start, sparsity_.row, nested_dissection(expansion_));
        if (factors_.factorize(values_)) std::abort();
    }

    void solve_all() {
        if (factors_.refactorize(values_)) std::abort();
        Eigen::MatrixXd x = Eigen::MatrixXd::Zero(expansion_.unknowns, expansion_.bit_lines);
        for (const Element& e : expansion_.elements)
            if (expansion_.is_ground(e.to))
                x(e.from, e.to - expansion_.ground(0)) = e.conductance;
        factors_.solve(x);
        benchmark::DoNotOptimize(x.data());
    }

  private:
    Expansion expansion_;
    Sparsity sparsity_;
    std::vector<double> values_;
    KluFactorization factors_;
};

/// Against refined solutions for one volt on single word lines, at most `columns` of them.
double max_rel_error(const Crossbar& crossbar, const Eigen::MatrixXd& T, Index columns) {
    const Index m = crossbar.shape().word_lines;
    columns = std::min(columns, m);
    Eigen::MatrixXd unit = Eigen::MatrixXd::Zero(m, columns);
    for (Index k = 0; k < columns; ++k) unit(k * (m - 1) / std::max<Index>(1, columns - 1), k) = 1;
    const Eigen::MatrixXd expected =
        NodalSolver().solve(crossbar, unit, Voltages::skip).current;
    const Eigen::MatrixXd found = T * unit;
    double worst = 0;
    for (Index i = 0; i < found.size(); ++i) {
        const double x = found.reshaped()(i);
        const double y = expected.reshaped()(i);
        if (x == y) continue;
        const double error = std::abs(x - y) / std::abs(y);
        if (!(error <= worst)) worst = error;
    }
    return worst;
}

void against_klu(benchmark::State& state, const Crossbar& crossbar, InstructionSet set) {
    const Index n = crossbar.shape().bit_lines;
    PortTree tree(Retain::transfer, set);
    Klu klu(crossbar);
    std::vector<double> ours;
    std::vector<double> theirs;
    Eigen::MatrixXd T;
    const auto reduce = [&] {
        if (!tree.reduce(crossbar)) std::abort();
        T = tree.transfer_rows(n);
    };
    reduce();
    const int repetitions = n <= 128 ? 9 : 1;  // of the short one beside the long one
    for (auto _ : state) {
        for (int k = 0; k < repetitions; ++k) ours.push_back(seconds_of(reduce));
        theirs.push_back(seconds_of([&] { klu.solve_all(); }));
        state.SetIterationTime(ours.back());
    }
    state.counters["port_merging_ms"] = 1e3 * median(ours);
    state.counters["klu_ms"] = 1e3 * median(theirs);
    state.counters["klu_ratio"] = median(theirs) / median(ours);
    state.counters["max_rel_error"] = max_rel_error(crossbar, T, 128);
    state.counters["memory_MB"] = static_cast<double>(tree.memory()) * 1e-6;
}

void base(benchmark::State& state) {
    against_klu(state, base_case(state.range(0)), static_cast<InstructionSet>(state.range(1)));
    state.SetLabel(std::string(to_string(static_cast<InstructionSet>(state.range(1)))));
}

void sizes_and_sets(benchmark::internal::Benchmark* bench) {
    bench->ArgNames({"n", "set"})->Unit(benchmark::kMillisecond)->UseManualTime();
    for (const InstructionSet set : available_instruction_sets())
        for (const int n : {32, 64, 128, 256, 512}) {
            if (n == 512 && set != best_instruction_set()) continue;
            bench->Args({n, static_cast<int>(set)});
        }
}

BENCHMARK(base)->Apply(sizes_and_sets);

}  // namespace
