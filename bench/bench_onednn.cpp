// How much slower is a network on circuits than the same network as plain float32 on oneDNN?
//
//   cmake --build --preset release --target bench_onednn     (preset with -DKIRCHNET_BENCH=ON)
//   KIRCHNET_TEST_DATA=... build/release/bin/bench_onednn
//
// Every iteration runs the same images through the circuit arm, the idealised crossbar and oneDNN,
// one after the other, so that ratios hold when the machine drifts. Counters are medians over
// iterations: `of_onednn` and `of_ideal` are the circuit arm's time over theirs; `of_winograd` is
// that over oneDNN where it may take Winograd's algorithm. One thread: processor time of the
// thread; two: wall time, and `of_one_thread` is the circuit arm's images per second over those of
// one thread. oneDNN starts from normalised pixels and takes the batch that suits it best; the
// circuit arm's time includes the normalisation. Before anything is timed, oneDNN's outputs must be
// those of our software network but for rounding (`max_difference`, of the largest output).
#include <benchmark/benchmark.h>
#include <omp.h>
#include <tbb/global_control.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>

#include "bench/support/circuit_drivers.hpp"
#include "bench/support/networks.hpp"
#include "bench/support/onednn_network.hpp"
#include "bench/support/timing.hpp"
#include "data/import.hpp"

using namespace kirchnet;
using bench::OneDnnNetwork;

namespace {

/// float32 sums of up to 4608 products, in another order and with batch norm folded in.
constexpr double rounding = 1e-4;

std::vector<float> normalised(const Network& network, const LabelledImages& images,
                              std::size_t first, std::size_t count) {
    const ImageShape& shape = images.shape;
    const std::size_t pixels = shape.height * shape.width;
    std::vector<float> values(count * shape.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::size_t channel = i / pixels % shape.channels;
        const auto pixel = static_cast<float>(images.pixels[first * shape.size() + i]);
        values[i] = (pixel / 255 - network.mean[channel]) / network.deviation[channel];
    }
    return values;
}

/// oneDNN on all images of a case, batch by batch.
class Baseline {
  public:
    Baseline(const Graph& graph, const LabelledImages& images, std::size_t batch,
             OneDnnNetwork::Convolution convolution)
        : network_(graph, batch, convolution) {
        for (std::size_t first = 0; first < images.size(); first += batch)
            inputs_.push_back(normalised(graph.network(), images, first, batch));
    }
    void run() {
        for (const auto& input : inputs_) {
            network_.set_input(input);
            network_.run();
        }
    }
    std::vector<float> outputs() {
        std::vector<float> all;
        for (const auto& input : inputs_) {
            network_.set_input(input);
            network_.run();
            const auto some = network_.output();
            all.insert(all.end(), some.begin(), some.end());
        }
        return all;
    }

  private:
    OneDnnNetwork network_;
    std::vector<std::vector<float>> inputs_;
};

/// Threads for both engines while it lives.
class Threads {
  public:
    explicit Threads(int count)
        : clock(count == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC),
          limit_(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(count)) {
        omp_set_num_threads(count);
    }
    const clockid_t clock;

  private:
    tbb::global_control limit_;
};

struct Case {
    Graph graph;
    LabelledImages images;
    Drivers ideal;
    Drivers circuit;

    Case(Network network, LabelledImages some)
        : graph(std::move(network)),
          images(std::move(some)),
          ideal(bench::ideal_drivers(graph, images)),
          circuit(bench::circuit_drivers(graph, images)) {}

    [[nodiscard]] double seconds(const Drivers& drivers, clockid_t clock) const {
        return bench::seconds_of(
            [&] {
                benchmark::DoNotOptimize(run_inference(graph, drivers, images).predicted.data());
            },
            clock);
    }
};

/// The batch with which oneDNN is fastest here.
Baseline fastest_baseline(const Case& setup, OneDnnNetwork::Convolution convolution,
                          clockid_t clock) {
    std::unique_ptr<Baseline> best;
    double best_seconds = 0;
    for (std::size_t batch = 1; batch <= setup.images.size(); batch *= 2) {
        auto baseline = std::make_unique<Baseline>(setup.graph, setup.images, batch, convolution);
        baseline->run();
        std::vector<double> seconds;
        for (int i = 0; i < 3; ++i)
            seconds.push_back(bench::seconds_of([&] { baseline->run(); }, clock));
        const double median = bench::median(seconds);
        if (best && median >= best_seconds) continue;
        best = std::move(baseline);
        best_seconds = median;
    }
    return std::move(*best);
}

/// Largest difference of oneDNN's outputs from our software network's, of the largest output.
double largest_difference(const Case& setup, Baseline& baseline) {
    const auto ours = network_outputs(setup.graph, software_drivers(setup.graph), setup.images);
    const auto theirs = baseline.outputs();
    float largest = 0;
    float difference = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        largest = std::max(largest, std::abs(ours[i]));
        difference = std::max(difference, std::abs(ours[i] - theirs[i]));
    }
    return static_cast<double>(difference / largest);
}

/// Wall time of the circuit arm.
double seconds_on_one_thread(const Case& setup) {
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    return setup.seconds(setup.circuit, CLOCK_MONOTONIC);
}

void compare(benchmark::State& state, const Case& setup, int thread_count) {
    const Threads threads(thread_count);
    Baseline direct = fastest_baseline(setup, OneDnnNetwork::Convolution::direct, threads.clock);
    Baseline winograd =
        fastest_baseline(setup, OneDnnNetwork::Convolution::automatic, threads.clock);
    const double difference = largest_difference(setup, direct);
    if (!(difference < rounding)) throw std::runtime_error("oneDNN computes another network");
    std::vector<double> circuit, onednn, of_onednn, of_winograd, of_ideal, of_one_thread;
    for (auto _ : state) {
        circuit.push_back(setup.seconds(setup.circuit, threads.clock));
        onednn.push_back(bench::seconds_of([&] { direct.run(); }, threads.clock));
        of_onednn.push_back(circuit.back() / onednn.back());
        of_winograd.push_back(circuit.back() /
                              bench::seconds_of([&] { winograd.run(); }, threads.clock));
        of_ideal.push_back(circuit.back() / setup.seconds(setup.ideal, threads.clock));
        if (thread_count > 1)
            of_one_thread.push_back(seconds_on_one_thread(setup) / circuit.back());
        state.SetIterationTime(circuit.back());
    }
    const auto images = static_cast<double>(setup.images.size());
    state.counters["images/s"] = images / bench::median(circuit);
    state.counters["onednn_images/s"] = images / bench::median(onednn);
    state.counters["of_onednn"] = bench::median(of_onednn);
    state.counters["of_winograd"] = bench::median(of_winograd);
    state.counters["of_ideal"] = bench::median(of_ideal);
    if (thread_count > 1) state.counters["of_one_thread"] = bench::median(of_one_thread);
    state.counters["max_difference"] = difference;
}

using MakeCase = std::function<std::unique_ptr<Case>()>;

void add_benchmarks(const std::string& name, const MakeCase& make) {
    for (const int threads : {1, 2})
        benchmark::RegisterBenchmark(
            (name + "/threads:" + std::to_string(threads)).c_str(),
            [make, threads](benchmark::State& state) { compare(state, *make(), threads); })
            ->UseManualTime()
            ->Iterations(11)
            ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (const char* folder = std::getenv("KIRCHNET_TEST_DATA")) {
        const std::filesystem::path data = folder;
        for (const std::string depth : {"20", "56"})
            add_benchmarks("resnet" + depth, [data, depth] {
                return std::make_unique<Case>(
                    import_network(data / ("networks/cifar10_resnet" + depth + "_optA.h5")),
                    subset(read_test_images(data / "cifar10"), 0, 32));
            });
    }
    add_benchmarks("resnet18", [] {
        Network network = bench::resnet18_sized();
        LabelledImages images = bench::random_images(network.input, 16);
        return std::make_unique<Case>(std::move(network), std::move(images));
    });
    benchmark::RunSpecifiedBenchmarks();
}
