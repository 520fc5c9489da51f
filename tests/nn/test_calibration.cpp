#include <doctest/doctest.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"
#include "nn/calibration.hpp"
#include "nn/read_timing.hpp"
#include "small_networks.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;

namespace {

const SolverFactory ideal = [] { return std::make_unique<IdealSolver>(); };
const SolverFactory transfer = [] { return std::make_unique<TransferSolver>(); };

TileSettings small_tiles(Mapping mapping, int bits_per_cell) {
    TileSettings tile;
    tile.array = {8, 6};
    tile.mapping = mapping;
    tile.bits_per_cell = bits_per_cell;
    return tile;
}

/// Drivers of every layer with both converters set.
Drivers make_drivers(const Graph& graph, const TileSettings& tile,
                     const ConverterSettings& converters, const LabelledImages& images,
                     const SolverFactory& solver, const std::optional<FaultSource>& faults = {}) {
    Drivers drivers;
    const auto dacs = calibrate_dacs(graph, images, converters);
    auto operators = extract_operators(graph, tile, faults, solver);
    for (std::size_t layer = 0; layer < operators.size(); ++layer) {
        drivers.push_back(crossbar_driver(graph, layer, std::move(operators[layer])));
        set_dac(drivers.back(), dacs[layer]);
    }
    const auto adcs = calibrate_adcs(graph, drivers, images, converters, tile);
    for (std::size_t layer = 0; layer < drivers.size(); ++layer) drivers[layer].adc = adcs[layer];
    return drivers;
}

AdcCount total(const InferenceResult& result) {
    AdcCount sum;
    for (const AdcCount& count : result.adc) sum += count;
    return sum;
}

double clipped_share(const AdcCount& count) {
    return static_cast<double>(count.clipped) / static_cast<double>(count.samples);
}

/// One pixel times a weight of 1.
Network one_weight() {
    Network network;
    network.name = "one";
    network.input = {1, 1, 64};
    network.mean = {0};
    network.deviation = {1};
    network.nodes = {{"image", InputOp{}, {}},
                     {"conv", ConvOp{{{1, 1, 1, 1}, {1.0F}}, {}, 1, 0, 1}, {"image"}}};
    return network;
}

}  // namespace

TEST_CASE("in full range nothing clips, whatever wires and faults do and however inputs are read") {
    const Graph graph(test::small_network());
    auto images = test::random_images(graph.network().input, 8);
    // Full drive on all word lines at once.
    std::fill(images.pixels.begin(), images.pixels.end() - 200, std::uint8_t{255});
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto subtraction : {Subtraction::before, Subtraction::after})
            for (const auto mode : {SignedInputs::bipolar, SignedInputs::two_pass})
                for (const int bits_per_cell : {0, 2}) {
                    TileSettings tile = small_tiles(mapping, bits_per_cell);
                    tile.subtraction = subtraction;
                    tile.wires.word_line_segment = 100;
                    ConverterSettings converters;
                    converters.input_bits = 8;
                    converters.dac_bits = 2;
                    converters.adc_bits = 5;
                    converters.adc_range = AdcRange::full;
                    converters.signed_inputs = mode;
                    const auto drivers = make_drivers(graph, tile, converters, images, transfer,
                                                      FaultDraw{{0.5, 5.2}, 3, 0});
                    const auto count = total(run_inference(graph, drivers, images));
                    CHECK(count.clipped == 0);
                    CHECK(count.samples > 0);
                }
}

TEST_CASE("a full range is rows G_on, and a code is a level where there are codes enough") {
    // Two-bit cells in layer `first`: 12 rows on 8 word lines, so 8 in use; digits to 3, one-bit
    // inputs: at most 8 * 3 levels, times G_on / (G_on - G_off) = 100 / 99.
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 2);
    ConverterSettings converters;
    converters.input_bits = 8;
    converters.dac_bits = 1;
    converters.adc_range = AdcRange::full;
    const auto adc = [&](int bits, AdcRange range = AdcRange::full, double share = 1) {
        converters.adc_bits = bits;
        converters.adc_range = range;
        converters.adc_full_scale = share;
        return make_drivers(graph, small_tiles(Mapping::two_column, 2), converters, images,
                            ideal)[0]
            .adc.front();
    };
    CHECK(adc(4).range == doctest::Approx(24 * 100.0 / 99));
    CHECK(adc(12).lsb() == doctest::Approx(1));
    CHECK(adc(8, AdcRange::manual, 0.25).range == doctest::Approx(6 * 100.0 / 99));
}

TEST_CASE("a percentile clips the share of samples beyond it, the largest clips none") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 60);
    for (const int bits_per_cell : {0, 2}) {
        ConverterSettings converters;
        converters.adc_bits = 12;
        const auto share = [&](double percentile) {
            converters.adc_percentile = percentile;
            const auto drivers =
                make_drivers(graph, small_tiles(Mapping::differential, bits_per_cell), converters,
                             images, ideal);
            // The first layer's inputs do not depend on what its ADC does.
            return clipped_share(run_inference(graph, drivers, images).adc[0]);
        };
        // Clipping starts half a code above the range, and ranges end at a bin's upper edge, 1 %
        // above the percentile; 5 % of the samples lie that close at most.
        CHECK(share(90) <= 0.1);
        CHECK(share(90) > 0.05);
        CHECK(share(100) == 0);
    }
}

TEST_CASE("an ADC is monotone, within half a code inside its range, flat beyond") {
    const Graph graph(one_weight());
    FeatureMaps in;
    in.resize({1, 1, 64}, 1);
    for (std::size_t i = 0; i < 64; ++i) in.values[i] = static_cast<float>(i) / 63 * 1.5F;
    TileSettings tile;
    tile.weight_bits = 0;
    auto driver = crossbar_driver(graph, 0, extract_operators(graph, tile, {}, ideal)[0]);
    set_dac(driver, {0, 1, false});
    driver.adc = {Adc{5, 1.0, true}};
    FeatureMaps out;
    DriverWorkspace workspace;
    AdcCount count;
    run_layer(driver, in, out, workspace, count);
    for (std::size_t i = 0; i < 64; ++i) {
        if (i > 0) CHECK(out.values[i] >= out.values[i - 1]);
        if (in.values[i] <= 1)
            CHECK(std::abs(out.values[i] - in.values[i]) <= 0.5F / 15 + 1e-6F);  // 15 codes to 1
        else
            CHECK(out.values[i] == doctest::Approx(1));
    }
    CHECK(count.clipped == 20);  // i / 63 * 1.5 reaches 1 + 1/30, half a code beyond, at i = 43.4
}

TEST_CASE("conversions of an image are those that inference takes") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 7);
    ConverterSettings converters;
    converters.input_bits = 8;
    converters.dac_bits = 3;
    converters.signed_inputs = SignedInputs::two_pass;
    converters.timing = {16, 1e9, 10e-9};
    TileSettings tile = small_tiles(Mapping::two_column, 3);
    tile.subtraction = Subtraction::after;
    const auto drivers = make_drivers(graph, tile, converters, images, ideal);
    const ReadTiming timing = read_timing(drivers, converters.timing);
    CHECK(timing.conversions * 7 == total(run_inference(graph, drivers, images)).samples);
    // Positions 3 x 3, 3 x 2 and 1; signed inputs of 7 bits take 3 reads in each of two passes,
    // those behind the ReLU 3 reads of 8 bits.
    CHECK(timing.reads == 9 * 6 + 6 * 3 + 1 * 6);
    // 16 samples at 1 GS/s take longer than 10 ns.
    CHECK(timing.seconds == doctest::Approx(78 * 16e-9));
    CHECK(read_timing(drivers, {16, 0, 10e-9}).seconds == doctest::Approx(78 * 10e-9));
    CHECK(read_timing(drivers, {}).seconds == 0);
}

TEST_CASE("converter settings out of their bounds are named") {
    const auto refused = [](auto change, const char* words) {
        ConverterSettings settings;
        change(settings);
        CHECK_THROWS_WITH_AS(check(settings), doctest::Contains(words), InvalidInput);
    };
    CHECK_NOTHROW(check(ConverterSettings{}));
    refused([](auto& s) { s.adc_percentile = 0; }, "ADC percentile");
    refused([](auto& s) { s.adc_percentile = 101; }, "ADC percentile");
    refused([](auto& s) { s.adc_percentile = NAN; }, "ADC percentile");
    refused([](auto& s) { s.adc_full_scale = 1.5; }, "ADC full scale");
    refused([](auto& s) { s.input_bits = 4; }, "more than the 4 bits");
    refused([](auto& s) { s.input_bits = -4; }, "input bits");
    refused([](auto& s) { s.input_bits = 8, s.dac_bits = 0; }, "continuous");
    refused([](auto& s) { s.timing.columns_per_adc = 0; }, "columns per ADC");
    refused([](auto& s) { s.timing.adc_rate = -1; }, "ADC rate");
    refused([](auto& s) { s.timing.cycle_time = INFINITY; }, "cycle time");
    for (const auto range : {AdcRange::full, AdcRange::calibrated, AdcRange::manual})
        CHECK(parse_adc_range(to_string(range)) == range);
    CHECK_THROWS_AS(parse_adc_range("auto"), InvalidInput);
}
