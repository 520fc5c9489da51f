// How much slower is a network on circuits than the same network as plain matrix products?
//
//   cmake --build --preset release --target bench_inference
//   build/release/bin/bench_inference                     (from the project's root folder)
//
// One thread, 128 x 128 arrays, 8-bit converters, fixed images. `software` is im2col and one Eigen
// product per layer over all its rows; `ideal` and `circuit` cut the rows into tiles and convert
// each tile's output. Counters: images per second, GMAC per second, and `of_software`, the time of
// a software pass measured in the same process over this pass. KIRCHNET_TEST_DATA adds ResNet-20.
#include <benchmark/benchmark.h>
#include <tbb/global_control.h>

#include <chrono>
#include <cstdlib>
#include <map>

#include "bench/support/circuit_drivers.hpp"
#include "data/import.hpp"
#include "data/network_file.hpp"

using namespace kirchnet;

namespace {

constexpr std::size_t images_per_pass = 64;

struct Case {
    Graph graph;
    LabelledImages images;
    std::map<std::string, Drivers> drivers;
    double gmac_per_image = 0;
};

double gmac_per_image(const Graph& graph) {
    double macs = 0;
    for (std::size_t layer = 0; layer < graph.layers().size(); ++layer)
        macs += static_cast<double>(graph.weights(layer).values.size() *
                                    graph.geometry(layer).positions());
    return macs / 1e9;
}

Case make_case(Network network, const LabelledImages& images) {
    Case result{Graph(std::move(network)), subset(images, 0, images_per_pass), {}, 0};
    result.gmac_per_image = gmac_per_image(result.graph);
    result.drivers["software"] = software_drivers(result.graph);
    result.drivers["ideal"] = bench::ideal_drivers(result.graph, result.images);
    result.drivers["circuit"] = bench::circuit_drivers(result.graph, result.images);
    return result;
}

double seconds_of_pass(const Case& setup, const std::string& arm) {
    const auto start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(
        run_inference(setup.graph, setup.drivers.at(arm), setup.images).predicted.data());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Alternates this arm with the software pass, so that the ratio holds when the machine drifts.
void run_pass(benchmark::State& state, const Case& setup, const std::string& arm) {
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    double arm_seconds = 0;
    double software_seconds = 0;
    for (auto _ : state) {
        const double seconds = seconds_of_pass(setup, arm);
        state.SetIterationTime(seconds);
        arm_seconds += seconds;
        state.PauseTiming();
        software_seconds += seconds_of_pass(setup, "software");
        state.ResumeTiming();
    }
    const double passes = static_cast<double>(state.iterations());
    const double images = passes * static_cast<double>(images_per_pass);
    state.counters["images/s"] = images / arm_seconds;
    state.counters["GMAC/s"] = images * setup.gmac_per_image / arm_seconds;
    state.counters["of_software"] = software_seconds / arm_seconds;
}

void add_benchmarks(const std::string& name, std::shared_ptr<const Case> setup) {
    for (const std::string arm : {"software", "ideal", "circuit"})
        benchmark::RegisterBenchmark(
            (name + "/" + arm).c_str(),
            [setup, arm](benchmark::State& state) { run_pass(state, *setup, arm); })
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    add_benchmarks("digits", std::make_shared<Case>(
                                 make_case(read_network("data/embedded/digits.h5"),
                                           read_test_images("data/embedded/digits-images.h5"))));
    if (const char* folder = std::getenv("KIRCHNET_TEST_DATA")) {
        const std::filesystem::path data = folder;
        add_benchmarks("resnet20", std::make_shared<Case>(make_case(
                                       import_network(data / "networks/cifar10_resnet20_optA.h5"),
                                       read_test_images(data / "cifar10"))));
    }
    benchmark::RunSpecifiedBenchmarks();
}
