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
#include <fmt/format.h>
#include <sys/resource.h>
#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <functional>
#include <limits>
#include <memory>
#include <random>

#include "circuit/elements.hpp"
#include "netlists/ngspice_solver.hpp"
#include "solver/klu_factorization.hpp"
#include "solver/nested_dissection.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/port_tree.hpp"
#include "solver/stamps.hpp"
#include "solver/transfer_solver.hpp"

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
    std::nth_element(values.begin(),
                     values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
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

CellMatrix with_some(CellMatrix g, double share, double conductance, unsigned seed = 99) {
    Uniform uniform(seed);
    for (double& x : g.reshaped())
        if (uniform() < share) x = conductance;
    return g;
}

Crossbar base_case(Index n, unsigned seed = 1) {
    return Crossbar(log_uniform(n, n, seed), segments(2));
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
            if (expansion_.is_ground(e.to)) x(e.from, e.to - expansion_.ground(0)) = e.conductance;
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
    const Eigen::MatrixXd expected = NodalSolver().solve(crossbar, unit, Voltages::skip).current;
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

/// KLU's time bounds how often a size is repeated.
int repetitions_of(int n) {
    return n <= 32 ? 300 : n <= 64 ? 60 : n <= 128 ? 15 : n <= 256 ? 5 : 2;
}

/// base/N on the best instruction set; the others beside it where KLU makes that bearable.
void register_sizes() {
    for (const InstructionSet set : available_instruction_sets())
        for (const int n : {32, 64, 128, 256, 512}) {
            const bool is_best = set == best_instruction_set();
            if (n == 512 && !is_best) continue;
            auto name = fmt::format("base/{}", n);
            if (!is_best) name += fmt::format("/{}", to_string(set));
            benchmark::RegisterBenchmark(name.c_str(),
                                         [n, set](benchmark::State& state) {
                                             against_klu(state, base_case(n), set);
                                             state.SetLabel(std::string(to_string(set)));
                                         })
                ->Unit(benchmark::kMillisecond)
                ->UseManualTime()
                ->Iterations(repetitions_of(n));
        }
}

/// Every hundredth segment of the array is open.
Crossbar with_open_wires() {
    constexpr Index n = 128;
    CellMatrix segment = CellMatrix::Constant(n, n, 2.0);
    Uniform uniform(7);
    for (double& x : segment.reshaped())
        if (uniform() < 0.01) x = std::numeric_limits<double>::infinity();
    Wires wires;
    wires.word_line_segment = LineResistance(segment);
    wires.bit_line_segment = LineResistance(CellMatrix(segment.colwise().reverse()));
    return Crossbar(log_uniform(n, n, 1), wires);
}

struct Case {
    const char* name;
    std::function<Crossbar()> make;
};

/// The wires and cells that make iterations and factorisations suffer, 128 x 128 unless named.
const std::vector<Case>& hard_cases() {
    constexpr Index n = 128;
    static const CellMatrix cells = log_uniform(n, n, 1);
    static const CellMatrix on = CellMatrix::Constant(n, n, 1e-4);
    static const std::vector<Case> cases{
        {"1 ohm", [] { return Crossbar(cells, segments(1)); }},
        {"10 ohm", [] { return Crossbar(cells, segments(10)); }},
        {"10 ohm, 1 % of cells at 1e-3 S",
         [] { return Crossbar(with_some(cells, 0.01, 1e-3), segments(10)); }},
        {"10 ohm, all cells at 1e-4 S", [] { return Crossbar(on, segments(10)); }},
        {"100 ohm", [] { return Crossbar(cells, segments(100)); }},
        {"100 ohm, 1 % of cells at 1e-3 S",
         [] { return Crossbar(with_some(cells, 0.01, 1e-3), segments(100)); }},
        {"100 ohm, 5 % of cells at 1e-2 S",
         [] { return Crossbar(with_some(cells, 0.05, 1e-2), segments(100)); }},
        {"5 % of cells shorted, 1e3 S",
         [] { return Crossbar(with_some(cells, 0.05, 1e3), segments(2)); }},
        {"no cell conducts", [] { return Crossbar(CellMatrix::Zero(n, n), segments(2)); }},
        {"1 % of segments open", with_open_wires},
        {"256 x 64", [] { return Crossbar(log_uniform(256, 64, 1), segments(2)); }},
        {"64 x 256", [] { return Crossbar(log_uniform(64, 256, 1), segments(2)); }},
        {"127 x 131", [] { return Crossbar(log_uniform(127, 131, 1), segments(2)); }},
    };
    return cases;
}

void hard(benchmark::State& state) {
    const Case& hard_case = hard_cases().at(static_cast<std::size_t>(state.range(0)));
    against_klu(state, hard_case.make(), best_instruction_set());
    state.SetLabel(hard_case.name);
}

BENCHMARK(hard)
    ->DenseRange(0, static_cast<int>(hard_cases().size()) - 1)
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime()
    ->Iterations(5);

/// `k` cells of a 128 x 128 array become another value, again and again.
void fault_update(benchmark::State& state) {
    constexpr Index n = 128;
    const Crossbar base = base_case(n);
    Uniform uniform(5);
    const auto faulty = [&] {
        CellMatrix cells = base.conductance();
        for (int k = 0; k < state.range(0); ++k)
            cells(static_cast<Index>(uniform() * n), static_cast<Index>(uniform() * n)) = 1e-4;
        return Crossbar(std::move(cells), base.wires());
    };
    PortTree kept(Retain::everything);
    PortTree whole(Retain::transfer);
    Klu klu(base);
    std::vector<double> updates;
    std::vector<double> reductions;
    std::vector<double> theirs;
    double leaves = 0;
    bool is_identical = true;
    for (auto _ : state) {
        for (int k = 0; k < 9; ++k) {
            const Crossbar other = faulty();
            if (!kept.reduce(base)) std::abort();
            Eigen::MatrixXd T;
            updates.push_back(seconds_of([&] {
                if (!kept.reduce(other)) std::abort();
                T = kept.transfer_rows(n);
            }));
            leaves += static_cast<double>(kept.leaves_reduced());
            reductions.push_back(seconds_of([&] {
                if (!whole.reduce(other)) std::abort();
                is_identical = is_identical && T == whole.transfer_rows(n);
            }));
        }
        theirs.push_back(seconds_of([&] { klu.solve_all(); }));
        state.SetIterationTime(updates.back());
    }
    state.counters["update_ms"] = 1e3 * median(updates);
    state.counters["whole_ms"] = 1e3 * median(reductions);
    state.counters["klu_ratio"] = median(theirs) / median(updates);
    state.counters["leaves"] = leaves / static_cast<double>(updates.size());
    state.counters["bits_equal"] = is_identical ? 1 : 0;
    state.counters["memory_MB"] = static_cast<double>(kept.memory()) * 1e-6;
}

BENCHMARK(fault_update)
    ->ArgName("cells")
    ->Arg(1)
    ->Arg(4)
    ->Arg(16)
    ->Arg(40)
    ->Arg(160)
    ->Arg(820)
    ->Unit(benchmark::kMillisecond)
    ->UseManualTime()
    ->Iterations(5);

/// Wall time of `count` arrays of 128 x 128 on all threads, each thread with its own engine.
template <typename Engine, typename Work>
double wall_seconds(std::size_t count, const std::vector<Crossbar>& arrays, const Work& work) {
    tbb::enumerable_thread_specific<std::unique_ptr<Engine>> engines;
    const auto start = std::chrono::steady_clock::now();
    tbb::parallel_for(std::size_t{0}, count, [&](std::size_t i) {
        auto& engine = engines.local();
        const Crossbar& array = arrays[i % arrays.size()];
        if (!engine) engine = std::make_unique<Engine>(array);
        work(*engine, array);
    });
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double peak_megabytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) * 1024e-6;
}

struct Merging {
    explicit Merging(const Crossbar& /*array*/) {}
    PortTree tree;
};

/// All arrays of a network of the size of ResNet-18, 128 x 128, both polarities; KLU on a sample.
void resnet18_operators(benchmark::State& state) {
    constexpr std::size_t arrays_of_network = 1365;
    constexpr std::size_t sample = 24;
    std::vector<Crossbar> arrays;
    for (unsigned seed = 1; seed <= 16; ++seed) arrays.push_back(base_case(128, seed));
    double ours = 0;
    double theirs = 0;
    for (auto _ : state) {
        ours = wall_seconds<Merging>(arrays_of_network, arrays,
                                     [](Merging& merging, const Crossbar& array) {
                                         if (!merging.tree.reduce(array)) std::abort();
                                         benchmark::DoNotOptimize(merging.tree.transfer_rows(128));
                                     });
        state.counters["peak_MB"] = peak_megabytes();  // before KLU; whole process
        theirs = wall_seconds<Klu>(sample, arrays,
                                   [](Klu& klu, const Crossbar& /*array*/) { klu.solve_all(); }) *
                 arrays_of_network / sample;
        state.SetIterationTime(ours);
    }
    state.counters["klu_s"] = theirs;
    state.counters["klu_ratio"] = theirs / ours;
    state.counters["threads"] = tbb::this_task_arena::max_concurrency();
}

BENCHMARK(resnet18_operators)->Unit(benchmark::kSecond)->UseManualTime()->Iterations(1);

/// One read of a 64 x 64 array: the deck through ngspice, against reduction and one product.
void against_ngspice(benchmark::State& state) {
    const Crossbar crossbar = base_case(64);
    const Eigen::MatrixXd read = Eigen::VectorXd::LinSpaced(64, 0.01, 0.2);
    const auto wall = [&](OperatingPointSolver& engine, Eigen::MatrixXd& current) {
        const auto start = std::chrono::steady_clock::now();
        current = engine.solve(crossbar, read, Voltages::skip).current;
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    NgspiceSolver ngspice;
    TransferSolver transfer;
    Eigen::MatrixXd theirs;
    Eigen::MatrixXd ours;
    (void)wall(transfer, ours);
    for (auto _ : state) {
        const double long_one = wall(ngspice, theirs);
        const double short_one = wall(transfer, ours);
        state.SetIterationTime(short_one);
        state.counters["ngspice_s"] = long_one;
        state.counters["ngspice_ratio"] = long_one / short_one;
    }
    state.counters["max_difference_rel"] =
        ((ours - theirs).array() / theirs.array()).abs().maxCoeff();
}

BENCHMARK(against_ngspice)->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(1);

}  // namespace

int main(int argc, char** argv) {
    register_sizes();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
