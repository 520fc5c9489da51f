// What do nonlinear cells cost per input, by three methods side by side in one run?
//
//     build/release/bin/bench_nonlinear --benchmark_format=json
//
// Cells I = g sinh(a v) / a, g log-uniform in [1e-6, 1e-4] S, inputs uniform in [0, V], one thread;
// batches of 32 inputs for the line method. The array's factors are kept from batch to batch, as
// symbolic analysis and expansion of the circuit are left out of KLU's times. All end on a residual
// of 1e-9. Medians of CPU time, methods taking turns. Counters per input: `newton_ratio` and
// `chord_ratio` are the time of Newton + KLU, and of chords on one frozen KLU factor with eight
// right-hand sides, over that of the line method. `max_rel_error` is the largest difference of a
// bit-line current from a polished Newton + KLU solution, relative to sum_r |T_cr V_r|.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <random>
#include <vector>

#include "solver/line_solver.hpp"
#include "solver/newton.hpp"
#include "solver/nodal_solver.hpp"

using namespace kirchnet;

namespace {

constexpr Index batch = 32;
constexpr Index chord_batch = 8;
constexpr int line_samples = 5;  // per sample of the slower methods

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

template <typename Run>
double seconds(Run run) {
    const double start = cpu_seconds();
    run();
    return cpu_seconds() - start;
}

class Random {
  public:
    explicit Random(unsigned seed) : engine_(seed) {}
    double uniform() { return static_cast<double>(engine_()) / 4294967296.0; }

  private:
    std::mt19937 engine_;
};

struct Case {
    Index n;
    double segment;       ///< [ohm]
    double factor;        ///< a [1/V]
    double voltage;       ///< largest input [V]
    double low = 1e-6;    ///< [S]
    double high = 1e-4;   ///< [S]
    double stuck_on = 0;  ///< part of the cells at 1e-2 S
};

Crossbar array_of(const Case& c) {
    Random random(1);
    CellMatrix conductance(c.n, c.n);
    for (double& g : conductance.reshaped()) {
        g = c.low * std::pow(c.high / c.low, random.uniform());
        if (random.uniform() < c.stuck_on) g = 1e-2;
    }
    Wires wires;
    wires.word_line_segment = c.segment;
    wires.bit_line_segment = c.segment;
    return Crossbar(std::move(conductance), wires).with_law(CellLaw::sinh(c.factor));
}

Eigen::MatrixXd inputs_of(const Case& c, Index count) {
    Random random(2);
    Eigen::MatrixXd inputs(c.n, count);
    for (double& v : inputs.reshaped()) v = c.voltage * random.uniform();
    return inputs;
}

/// Time per further input of a batch, so that what is done once per batch drops out.
template <typename Run>
double seconds_per_input(Run run, Index few, Index many) {
    const double once = seconds([&] { run(few); });
    const double more = seconds([&] { run(many); });
    return (more - once) / static_cast<double>(many - few);
}

double max_relative_error(const Crossbar& crossbar, const Eigen::MatrixXd& inputs,
                          const OperatingPoint& found) {
    NewtonSolver judge;
    const auto expected = judge.solve(crossbar, inputs, Voltages::skip);
    NodalSolver nodal;
    const Eigen::MatrixXd scale = nodal.transfer(crossbar.with_law({})) * inputs.cwiseAbs();
    const Index count = inputs.cols();
    return ((found.current.leftCols(count) - expected.current).array().abs() / scale.array())
        .maxCoeff();
}

void compare(benchmark::State& state, const Case& c, bool with_chords) {
    const Crossbar crossbar = array_of(c);
    const Eigen::MatrixXd inputs = inputs_of(c, batch);
    LineSolver line;
    NewtonSolver newton(NewtonSettings{.polish = false});
    OperatingPoint point;
    std::vector<double> line_times;
    std::vector<double> newton_times;
    std::vector<double> chord_times;
    point = line.solve(crossbar, inputs, Voltages::skip);
    for (auto _ : state) {
        for (int k = 0; k < line_samples; ++k)
            line_times.push_back(
                seconds([&] { point = line.solve(crossbar, inputs, Voltages::skip); }) /
                static_cast<double>(batch));
        state.SetIterationTime(line_times.back());
        newton_times.push_back(seconds_per_input(
            [&](Index k) {
                benchmark::DoNotOptimize(
                    newton.solve(crossbar, inputs.leftCols(k), Voltages::skip));
            },
            1, 3));
        if (with_chords)
            chord_times.push_back(seconds_per_input(
                [&](Index k) {
                    benchmark::DoNotOptimize(
                        newton.solve_by_chords(crossbar, inputs.leftCols(k), Voltages::skip));
                },
                chord_batch, 2 * chord_batch));
    }
    const auto& reports = line.reports();
    int converged = 0;
    for (const InputReport& report : reports) converged += report.converged ? 1 : 0;
    state.counters["line_iterations"] = reports.front().line_iterations;
    state.counters["newton_steps"] = reports.front().newton_steps;
    state.counters["inner_iterations"] = reports.front().inner_iterations;
    state.counters["converged"] = static_cast<double>(converged) / static_cast<double>(batch);
    state.counters["line_ms"] = 1e3 * median(line_times);
    state.counters["newton_ratio"] = median(newton_times) / median(line_times);
    if (with_chords) state.counters["chord_ratio"] = median(chord_times) / median(line_times);
    state.counters["residual"] =
        std::max_element(reports.begin(), reports.end(), [](const auto& x, const auto& y) {
            return x.residual < y.residual;
        })->residual;
    state.counters["max_rel_error"] = max_relative_error(crossbar, inputs.leftCols(2), point);
}

/// n, segment resistance [ohm], and 0 for (a, V) = (2, 0.2) or 1 for (3, 0.3).
void sinh_cells(benchmark::State& state) {
    const bool strong = state.range(2) == 1;
    compare(state,
            {state.range(0), static_cast<double>(state.range(1)), strong ? 3.0 : 2.0,
             strong ? 0.3 : 0.2},
            true);
}

/// 128 x 128, a = 2, V = 0.2: 100 ohm; 100 ohm with all cells on; 10 and 100 ohm with 5 % of the
/// cells stuck at 1e-2 S.
void hard_cases(benchmark::State& state) {
    const Case cases[] = {{128, 100, 2, 0.2},
                          {128, 100, 2, 0.2, 1e-4, 1e-4},
                          {128, 10, 2, 0.2, 1e-6, 1e-4, 0.05},
                          {128, 100, 2, 0.2, 1e-6, 1e-4, 0.05}};
    compare(state, cases[state.range(0)], true);
}

BENCHMARK(sinh_cells)
    ->ArgNames({"n", "ohm", "strong"})
    ->ArgsProduct({{32, 64, 128, 256}, {2, 10}, {0, 1}})
    ->UseManualTime()
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(hard_cases)
    ->DenseRange(0, 3)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
