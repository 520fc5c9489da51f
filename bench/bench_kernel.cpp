// What share of the processor's peak does inference reach on the layers of ResNet-18?
//
//   cmake --build --preset release --target bench_kernel     (preset with -DKIRCHNET_BENCH=ON)
//   [KIRCHNET_INSTRUCTION_SET=avx2] build/release/bin/bench_kernel
//
// One thread, processor time of the thread. The peak is a loop of fused multiply-adds in registers
// alone, run right before each layer in every iteration. A layer's time is all of `run_layer` on a
// block of images as inference runs it: DAC, patches, tiles of 128 x 128, one 8-bit sample per
// output and row tile, their sum, scale, bias, batch norm and ReLU. Operations are those of the
// convolution, 2 per weight and position: margins and fillings count as nothing.
//   partial/*   a 128 x 128 array of which a layer uses only some rows or outputs: time over that
//               of a full one (`of_full`) beside the share of cells used (`used`)
#include <benchmark/benchmark.h>

#include "bench/support/circuit_drivers.hpp"
#include "bench/support/networks.hpp"
#include "bench/support/peak_fma.hpp"
#include "bench/support/timing.hpp"
#include "circuit/ideal_solver.hpp"

using namespace kirchnet;

namespace {

/// One convolution of ResNet-18, and on how many images it is run.
struct Shape {
    const char* name;
    std::size_t inputs;
    std::size_t size;  ///< of the input map, height and width
    std::size_t outputs;
    std::size_t kernel;
    std::size_t stride;
    std::size_t images = images_per_block;
};

constexpr Shape resnet18_layers[] = {
    {"stem_7x7_2_3_to_64_at_224", 3, 224, 64, 7, 2}, {"3x3_64_to_64_at_56", 64, 56, 64, 3, 1},
    {"3x3_2_64_to_128_at_56", 64, 56, 128, 3, 2},    {"1x1_2_64_to_128_at_56", 64, 56, 128, 1, 2},
    {"3x3_128_to_128_at_28", 128, 28, 128, 3, 1},    {"3x3_2_128_to_256_at_28", 128, 28, 256, 3, 2},
    {"3x3_256_to_256_at_14", 256, 14, 256, 3, 1},    {"1x1_2_256_to_512_at_14", 256, 14, 512, 1, 2},
    {"3x3_2_256_to_512_at_14", 256, 14, 512, 3, 2},  {"3x3_512_to_512_at_7", 512, 7, 512, 3, 1},
};

/// One layer with converters, its input and everything `run_layer` needs.
class LayerCase {
  public:
    explicit LayerCase(const Shape& shape) : graph_(network_of(shape)), driver_(make_driver()) {
        in_.resize(graph_.network().input, shape.images);
        const Tensor values = bench::random_tensor({in_.values.size()});
        for (std::size_t i = 0; i < values.values.size(); ++i)
            in_.values[i] = values.values[i] > 0 ? values.values[i] : 0;
        tail_.norm.assign(shape.outputs, ChannelNorm{1, 0});
        tail_.rectify = true;
    }

    void run() { run_layer(driver_, in_, out_, workspace_, count_, nullptr, tail_); }

    [[nodiscard]] double operations() const {
        return 2.0 * static_cast<double>(graph_.weights(0).values.size() *
                                         graph_.geometry(0).positions() * in_.images);
    }

  private:
    static Network network_of(const Shape& shape) {
        ConvOp conv;
        conv.weight =
            bench::random_tensor({shape.outputs, shape.inputs, shape.kernel, shape.kernel});
        conv.stride = shape.stride;
        conv.padding = shape.kernel / 2;
        Network network;
        network.name = shape.name;
        network.input = {shape.inputs, shape.size, shape.size};
        network.mean.assign(shape.inputs, 0);
        network.deviation.assign(shape.inputs, 1);
        network.nodes = {{"image", InputOp{}, {}}, {"conv", std::move(conv), {"image"}}};
        return network;
    }

    [[nodiscard]] LayerDriver make_driver() const {
        auto operators = extract_operators(graph_, TileSettings{}, std::nullopt,
                                           [] { return std::make_unique<IdealSolver>(); });
        LayerDriver driver = crossbar_driver(graph_, 0, std::move(operators.front()));
        set_dac(driver, {8, 1.0, false});
        driver.adc = {{8, 8.0, true}};  // where the random products lie
        return driver;
    }

    Graph graph_;
    LayerDriver driver_;
    FeatureMaps in_;
    FeatureMaps out_;
    DriverWorkspace workspace_;
    AdcCount count_;
    DigitalTail tail_;
};

/// Operations per second in registers alone.
double peak_rate() {
    constexpr std::size_t rounds = 100'000;
    const bench::PeakLoop& loop = bench::peak_loop(best_instruction_set());
    const double seconds =
        bench::seconds_of([&] { benchmark::DoNotOptimize(loop.run(rounds, 0.5F)); });
    return static_cast<double>(rounds) * loop.operations_per_round / seconds;
}

void run_peak(benchmark::State& state) {
    std::vector<double> rates;
    for (auto _ : state) rates.push_back(peak_rate());
    state.counters["GFLOP/s"] = bench::median(rates) / 1e9;
    state.SetLabel(std::string(to_string(best_instruction_set())));
}

void run_shape(benchmark::State& state, const Shape& shape) {
    LayerCase layer(shape);
    layer.run();
    std::vector<double> rates, shares;
    for (auto _ : state) {
        const double peak = peak_rate();
        const double seconds = bench::seconds_of([&] { layer.run(); });
        rates.push_back(layer.operations() / seconds);
        shares.push_back(rates.back() / peak);
        state.SetIterationTime(seconds);
    }
    state.counters["GFLOP/s"] = bench::median(rates) / 1e9;
    state.counters["of_peak"] = bench::median(shares);
}

/// A 1 x 1 convolution over 28 x 28 that uses `inputs` rows and `outputs` outputs of an array.
void run_partial(benchmark::State& state, std::size_t inputs, std::size_t outputs) {
    LayerCase full({"full", 128, 28, 128, 1, 1});
    LayerCase part({"partial", inputs, 28, outputs, 1, 1});
    full.run();
    part.run();
    std::vector<double> ratios;
    for (auto _ : state) {
        const double full_seconds = bench::seconds_of([&] { full.run(); });
        const double seconds = bench::seconds_of([&] { part.run(); });
        ratios.push_back(seconds / full_seconds);
        state.SetIterationTime(seconds);
    }
    state.counters["of_full"] = bench::median(ratios);
    state.counters["used"] = static_cast<double>(inputs * outputs) / (128.0 * 128.0);
}

template <typename Run>
void add_benchmark(const std::string& name, Run run) {
    benchmark::RegisterBenchmark(name.c_str(), run)
        ->UseManualTime()
        ->Iterations(25)
        ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    benchmark::RegisterBenchmark("peak", run_peak)->Iterations(25);
    for (const Shape& shape : resnet18_layers)
        add_benchmark(std::string("resnet18/") + shape.name,
                      [&shape](benchmark::State& state) { run_shape(state, shape); });
    for (const auto& [inputs, outputs] :
         {std::pair{128, 64}, {128, 16}, {128, 1}, {64, 128}, {16, 128}, {32, 32}})
        add_benchmark(
            "partial/rows:" + std::to_string(inputs) + "/outputs:" + std::to_string(outputs),
            [in = static_cast<std::size_t>(inputs), out = static_cast<std::size_t>(outputs)](
                benchmark::State& state) { run_partial(state, in, out); });
    benchmark::RunSpecifiedBenchmarks();
}
