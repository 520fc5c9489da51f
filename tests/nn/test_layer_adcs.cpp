// ADCs with offset, gain error, INL and noise, against loops over integers written here, and by
// what their draws are known to be.
#include <doctest/doctest.h>
#include <tbb/global_control.h>

#include <cmath>
#include <cstdint>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"
#include "nn/arm.hpp"
#include "nn/budget.hpp"
#include "nn/calibration.hpp"
#include "nn/nonlinear_study.hpp"
#include "small_networks.hpp"
#include "small_tiles.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;

namespace {

const SolverFactory ideal = [] { return std::make_unique<IdealSolver>(); };
const BeginStep silent;

constexpr int weight_bits = 6;
constexpr int cell_bits = 2;
constexpr int input_bits = 8;
constexpr std::size_t tile_rows = 5;

const LayerConverters plain{{Adc()}, 1, 1};

/// Signed weights as pairs of digits, inputs bit by bit or two bits at a time.
struct Case {
    TileSettings tile;
    ConverterSettings converters;
};

Case make_case(int adc_bits, int dac_bits, Subtraction subtraction) {
    Case c;
    c.tile.array = {tile_rows, 3};
    c.tile.mapping = Mapping::two_column;
    c.tile.weight_bits = weight_bits;
    c.tile.bits_per_cell = cell_bits;
    c.tile.subtraction = subtraction;
    c.converters.input_bits = input_bits;
    c.converters.dac_bits = dac_bits;
    c.converters.adc_bits = adc_bits;
    c.converters.adc_range = AdcRange::full;
    return c;
}

Drivers drivers_of(const Graph& graph, const Case& c, const LabelledImages& images) {
    ArmRunner runner(graph, images, images, ideal, silent);
    const ArmSettings arm{{c.tile}, Operators::ideal, c.converters};
    ExtractedOperators operators = runner.extract(arm, "");
    const Calibration ranges = runner.fit(arm, operators.layers, "");
    return make_drivers(graph, std::move(operators.layers), ranges, c.converters);
}

/// A table's value at x of [0, 1], by straight lines.
double at(const std::vector<double>& table, double x) {
    if (table.empty()) return 0;
    x = std::min(std::max(x, 0.0), 1.0) * static_cast<double>(table.size() - 1);
    for (std::size_t i = 1; i < table.size(); ++i)
        if (x <= static_cast<double>(i))
            return table[i - 1] + (table[i] - table[i - 1]) * (x - static_cast<double>(i - 1));
    return table.back();
}

struct Converted {
    double code = 0;
    bool clipped = false;
};

/// code = floor(gain v / lsb + offset + inl + 1/2) between the lowest and the highest.
Converted convert(double sample, double lsb, double lowest, double highest,
                  const AdcErrors& errors) {
    const double p = errors.gain * sample / lsb + errors.offset;
    const double code = std::floor(p + at(errors.inl, (p - lowest) / (highest - lowest)) + 0.5);
    return {std::min(std::max(code, lowest), highest), code < lowest || code > highest};
}

/// Row r of the first layer's matrix for one output pixel: its input's code, signed.
std::int64_t code_of_row(const LayerGeometry& g, const FeatureMaps& in, const Dac& dac,
                         std::size_t r, std::size_t image, std::size_t y, std::size_t x) {
    const std::size_t kernel = g.kernel_height * g.kernel_width;
    const auto iy = static_cast<std::int64_t>(y * g.stride + r % kernel / g.kernel_width) -
                    static_cast<std::int64_t>(g.padding);
    const auto ix = static_cast<std::int64_t>(x * g.stride + r % g.kernel_width) -
                    static_cast<std::int64_t>(g.padding);
    if (iy < 0 || ix < 0 || iy >= static_cast<std::int64_t>(g.input.height) ||
        ix >= static_cast<std::int64_t>(g.input.width))
        return 0;
    const auto pixel = (image * g.input.height + static_cast<std::size_t>(iy)) * g.input.width +
                       static_cast<std::size_t>(ix);
    const double code = std::floor(
        static_cast<double>(in.channel(r / kernel)[pixel]) * dac.levels() / dac.range + 0.5);
    return static_cast<std::int64_t>(std::min(std::max(code, -dac.levels()), dac.levels()));
}

std::int64_t digit(std::int64_t value, int shift, int bits) {
    const std::int64_t magnitude = std::abs(value) >> shift & ((std::int64_t{1} << bits) - 1);
    return value < 0 ? -magnitude : magnitude;
}

/// Every output of the first layer, sample by sample.
void check_layer(const Graph& graph, const Case& c, const LabelledImages& images) {
    const LayerDriver driver = drivers_of(graph, c, images).front();
    const AdcErrors& errors = c.converters.adc_errors;
    const LayerGeometry g = graph.geometry(0);
    FeatureMaps in;
    load_images(graph.network(), images, 0, images.size(), in);
    FeatureMaps found;
    DriverWorkspace workspace;
    AdcCount count;
    run_layer(driver, in, found, workspace, count);
    const auto& weights = graph.weights(0).values;
    double scale = 0;
    for (const float w : weights) scale = std::max(scale, static_cast<double>(std::abs(w)));
    const int largest = (1 << (weight_bits - 1)) - 1;
    const std::size_t rows = g.rows_per_group();
    const bool apart = c.tile.subtraction == Subtraction::after;
    std::uint64_t clipped = 0;
    std::uint64_t taken = 0;
    for (std::size_t oc = 0; oc < g.output.channels; ++oc)
        for (std::size_t image = 0; image < images.size(); ++image)
            for (std::size_t position = 0; position < g.positions(); ++position) {
                double sum = 0;
                for (int t = 0; t < input_bits - 1; t += c.converters.dac_bits)
                    for (int k = 0; k < weight_bits - 1; k += cell_bits) {
                        const Adc& adc = driver.adc[static_cast<std::size_t>(k / cell_bits)];
                        const double highest = std::ldexp(1.0, adc.bits - 1) - 1;
                        double codes = 0;
                        for (std::size_t first = 0; first < rows; first += tile_rows) {
                            std::int64_t a = 0;
                            std::int64_t b = 0;
                            for (std::size_t r = first; r < std::min(first + tile_rows, rows);
                                 ++r) {
                                const auto q = std::llround(
                                    static_cast<double>(weights[oc * rows + r]) / scale * largest);
                                const auto x = digit(code_of_row(g, in, driver.dac, r, image,
                                                                 position / g.output.width,
                                                                 position % g.output.width),
                                                     t, c.converters.dac_bits);
                                a += digit(std::max<std::int64_t>(q, 0), k, cell_bits) * x;
                                b += digit(std::max<std::int64_t>(-q, 0), k, cell_bits) * x;
                            }
                            const auto take = [&](std::int64_t sample) {
                                const Converted code =
                                    convert(static_cast<double>(sample), adc.range / highest,
                                            -highest - 1, highest, errors);
                                clipped += code.clipped ? 1 : 0;
                                ++taken;
                                return code.code;
                            };
                            codes += apart ? 0.0 : take(a - b);
                            // Cells at HRS add the same to both sides, which `device.off` makes 0.
                            if (apart) codes += take(a) - take(b);
                        }
                        sum += std::ldexp(codes * adc.range / highest, t + k);
                    }
                const double expected =
                    sum / (largest * driver.dac.levels()) * scale * driver.dac.range +
                    static_cast<double>(graph.bias(0).values[oc]);
                const auto pixel = image * g.positions() + position;
                CHECK(static_cast<double>(found.channel(oc)[pixel]) ==
                      doctest::Approx(expected).epsilon(1e-5));
            }
    CHECK(count.samples == taken);
    CHECK(count.clipped == clipped);
}

/// Images whose inputs are all 0.
FeatureMaps zeros(const LayerGeometry& geometry, std::size_t images) {
    FeatureMaps in;
    in.resize(geometry.input, images);
    std::fill(in.values.begin(), in.values.end(), 0.0F);
    return in;
}

}  // namespace

TEST_CASE("offset, gain error and INL convert every sample as loops over integers do") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 3);
    for (const int dac_bits : {1, 2})
        for (const auto subtraction : {Subtraction::before, Subtraction::after})
            for (const int adc_bits : {4, 8}) {
                Case c = make_case(adc_bits, dac_bits, subtraction);
                // Far from the ties of whole numbers, and HRS cells that add nothing.
                c.tile.device = {1e-4, 1e-30};
                CAPTURE(dac_bits);
                CAPTURE(adc_bits);
                CAPTURE(to_string(subtraction));
                c.converters.adc_errors = {.offset = 0.317};
                check_layer(graph, c, images);
                c.converters.adc_errors = {.offset = -1.713, .gain = 1.137};
                check_layer(graph, c, images);
                c.converters.adc_errors = {
                    .offset = 0.171, .gain = 0.913, .inl = {0.4, -1.3, 2.03, 0.1}};
                check_layer(graph, c, images);
                c.converters.adc_errors = {.offset = 30.31};  // beyond the range of four bits
                check_layer(graph, c, images);
            }
}

TEST_CASE("an INL of zeros goes sample by sample and gives the kernels' answer, bit for bit") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 3);
    for (const auto subtraction : {Subtraction::before, Subtraction::after}) {
        Case c = make_case(20, 2, subtraction);
        const auto fast = network_outputs(graph, drivers_of(graph, c, images), images);
        c.converters.adc_errors.inl = {0, 0};
        const Drivers slow = drivers_of(graph, c, images);
        CHECK(slow.front().adcs.has_value());
        CHECK(network_outputs(graph, slow, images) == fast);
    }
}

TEST_CASE("a layer that is read once has its errors too") {
    // Inputs of 0: every sample is 0, its code floor(offset + 1/2), for each of three row tiles.
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 3);
    Case c;
    c.tile = make_case(8, 8, Subtraction::before).tile;
    c.tile.bits_per_cell = 0;
    c.converters.adc_errors.offset = 2.6;
    const LayerDriver driver = drivers_of(graph, c, images).front();
    REQUIRE(driver.samples_once());
    FeatureMaps out;
    DriverWorkspace workspace;
    AdcCount count;
    run_layer(driver, zeros(graph.geometry(0), 2), out, workspace, count);
    const double shift = 3 * 3 * driver.adc[0].lsb() * driver.operators.scale * driver.dac.range;
    for (std::size_t oc = 0; oc < 4; ++oc)
        for (std::size_t i = 0; i < 2 * graph.geometry(0).positions(); ++i)
            CHECK(static_cast<double>(out.channel(oc)[i]) ==
                  doctest::Approx(shift + static_cast<double>(graph.bias(0).values[oc])));
}

TEST_CASE("each ADC keeps its offset and gain, shared by the columns that share it") {
    LayerOperators operators;
    operators.reads_sides = true;
    operators.tiles.resize(40);
    for (std::size_t i = 0; i < operators.tiles.size(); ++i) {
        operators.tiles[i].outputs = 50;
        operators.tiles[i].tile_row = static_cast<std::int32_t>(i);
    }
    const AdcErrors errors{.offset = 0.5,
                           .gain = 1.1,
                           .offset_deviation = 2,
                           .gain_deviation = 0.03,
                           .seed = 4,
                           .trial = 2};
    const LayerAdcs adcs(errors, "conv", operators, plain);
    double sums[4] = {0, 0, 0, 0};
    for (std::size_t tile = 0; tile < 40; ++tile)
        for (std::size_t side = 0; side < 2; ++side)
            for (std::size_t j = 0; j < 50; ++j) {
                const DrawnAdc& adc = adcs.of(tile, side, j);
                const double gain = adc.gain / 1.1 - 1;
                sums[0] += adc.offset - 0.5;
                sums[1] += (adc.offset - 0.5) * (adc.offset - 0.5);
                sums[2] += gain;
                sums[3] += gain * gain;
            }
    // 4,000 normal numbers: means within 4 deviations / 63, variances within 4 x 0.0224 of theirs.
    CHECK(std::abs(sums[0] / 4000) < 4 * 2 / 63.2);
    CHECK(sums[1] / 4000 == doctest::Approx(4).epsilon(0.09));
    CHECK(std::abs(sums[2] / 4000) < 4 * 0.03 / 63.2);
    CHECK(sums[3] / 4000 == doctest::Approx(9e-4).epsilon(0.09));
    const LayerAdcs shared(errors, "conv", operators, {{Adc()}, 1, 8});
    CHECK(shared.of(3, 1, 0).offset == adcs.of(3, 1, 0).offset);
    CHECK(shared.of(3, 1, 7).offset == shared.of(3, 1, 0).offset);
    CHECK(shared.of(3, 1, 8).offset == adcs.of(3, 1, 1).offset);
    AdcErrors other = errors;
    other.trial = 3;
    CHECK(LayerAdcs(other, "conv", operators, plain).of(0, 0, 0).offset != adcs.of(0, 0, 0).offset);
    CHECK(LayerAdcs(errors, "fc", operators, plain).of(0, 0, 0).offset != adcs.of(0, 0, 0).offset);
    other.gain_deviation = 5;
    CHECK_THROWS_WITH_AS(LayerAdcs(other, "conv", operators, plain), doctest::Contains("deviation"),
                         InvalidInput);
}

TEST_CASE("noise has its rms at the input, and is another for every conversion") {
    LayerOperators operators;
    operators.tiles.resize(2);
    for (TileOperator& tile : operators.tiles) tile.outputs = 8;
    operators.tiles[1].tile_column = 1;
    const LayerAdcs adcs({.noise = 0.7, .seed = 9}, "conv", operators, plain);
    double mean = 0;
    double square = 0;
    double product = 0;
    double before = 0;
    for (std::uint64_t image = 0; image < 50; ++image)
        for (std::uint64_t position = 0; position < 50; ++position)
            for (const double z : adcs.noise(0, 0, {image, position, 1}, 1)) {
                mean += z / 1e4;
                square += z * z / 1e4;
                product += z * before / 1e4;
                before = z;
            }
    CHECK(std::abs(mean) < 4 * 0.7 / 100);
    CHECK(square == doctest::Approx(0.49).epsilon(4 * 0.01414));
    CHECK(std::abs(product) < 4 * 0.49 / 100);
    const auto z = adcs.noise(0, 0, {3, 4, 0}, 1);
    CHECK(adcs.noise(0, 0, {4, 4, 0}, 1) != z);
    CHECK(adcs.noise(0, 0, {3, 5, 0}, 1) != z);
    CHECK(adcs.noise(0, 0, {3, 4, 1}, 1) != z);
    CHECK(adcs.noise(1, 0, {3, 4, 0}, 1) != z);
    CHECK(adcs.noise(0, 1, {3, 4, 0}, 1) != z);
    CHECK(adcs.noise(0, 0, {3, 4, 0}, 0) != z);
    CHECK(adcs.noise(0, 0, {3, 4, 0}, 1) == z);
}

TEST_CASE("codes of samples of 0 vary by the noise and by rounding") {
    // A code is a whole number next to the noise: its variance is sigma^2 + 1/12 to 1e-6 at 1 LSB.
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 3);
    Case c = make_case(8, 1, Subtraction::before);
    c.converters.adc_errors.noise = 1.5;
    Drivers drivers = drivers_of(graph, c, images);
    LayerDriver& driver = drivers[0];
    FeatureMaps out;
    DriverWorkspace workspace;
    AdcCount count;
    run_layer(driver, zeros(graph.geometry(0), 300), out, workspace, count);
    // Per output and read: codes of three row tiles and three slices of weights 4^k.
    double expected = 0;
    for (std::size_t k = 0; k < 3; ++k)
        for (int t = 0; t < input_bits - 1; ++t)
            expected += 3 *
                        std::pow(std::ldexp(driver.adc[k].lsb(), 2 * static_cast<int>(k) + t), 2) *
                        (1.5 * 1.5 + 1.0 / 12);
    const double unit = driver.operators.scale * driver.dac.range /
                        (driver.operators.largest * driver.dac.levels());
    double square = 0;
    const std::size_t n = 300 * graph.geometry(0).positions();
    for (std::size_t oc = 0; oc < 4; ++oc)
        for (std::size_t i = 0; i < n; ++i) {
            const double y =
                static_cast<double>(out.channel(oc)[i] - graph.bias(0).values[oc]) / unit;
            square += y * y / static_cast<double>(4 * n);
        }
    // 10,800 nearly normal numbers: within 4 x sqrt(2 / 10800).
    CHECK(square ==
          doctest::Approx(expected).epsilon(4 * std::sqrt(2.0 / static_cast<double>(4 * n))));
}

TEST_CASE("an image's noise is its own on any thread and in any company") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 23);
    for (const bool in_parts : {false, true}) {
        Case c = make_case(6, 2, Subtraction::after);
        if (!in_parts) {
            c.tile.bits_per_cell = 0;
            c.tile.subtraction = Subtraction::before;
            c.converters = {};
        }
        c.converters.adc_errors = {
            .noise = 2, .offset_deviation = 1, .gain_deviation = 0.05, .seed = 5};
        const Drivers drivers = drivers_of(graph, c, images);
        const auto outputs = network_outputs(graph, drivers, images);  // one block of all
        const auto many = run_inference(graph, drivers, images);       // blocks of four
        const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
        const auto single = run_inference(graph, drivers, images);
        CHECK(many.predicted == single.predicted);
        for (std::size_t i = 0; i < images.size(); ++i)
            CHECK(largest_output(std::span(outputs).subspan(3 * i, 3)) == many.predicted[i]);
        std::uint64_t clipped[2] = {0, 0};
        for (std::size_t layer = 0; layer < 3; ++layer) {
            clipped[0] += many.adc[layer].clipped;
            clipped[1] += single.adc[layer].clipped;
        }
        CHECK(clipped[0] == clipped[1]);
        // Layer by layer to the bit: images 8 to 15 among all and by themselves.
        FeatureMaps all;
        FeatureMaps few;
        load_images(graph.network(), images, 0, 23, all);
        load_images(graph.network(), images, 8, 8, few);
        FeatureMaps from_all;
        FeatureMaps from_few;
        DriverWorkspace workspace;
        AdcCount count;
        run_layer(drivers[0], all, from_all, workspace, count);
        workspace.set_first_image(8);
        run_layer(drivers[0], few, from_few, workspace, count);
        const std::size_t positions = graph.geometry(0).positions();
        bool same = true;
        for (std::size_t oc = 0; oc < 4; ++oc)
            for (std::size_t i = 0; i < 8 * positions; ++i)
                same = same && from_few.channel(oc)[i] == from_all.channel(oc)[8 * positions + i];
        CHECK(same);
        workspace.set_first_image(0);  // other images have other noise
        run_layer(drivers[0], few, from_few, workspace, count);
        CHECK_FALSE(std::equal(from_few.channel(0), from_few.channel(0) + 8 * positions,
                               from_all.channel(0) + 8 * positions));
    }
}

TEST_CASE("ranges do not know of ADC errors, trials of an arm draw others") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 8);
    ArmSettings arm{{test::small_tiles(Mapping::two_column, 0)}, Operators::ideal, {}};
    CHECK_FALSE(is_random(arm));
    ArmRunner runner(graph, images, images, ideal, silent);
    const auto before = runner.fit(arm, runner.extract(arm, "").layers, "");
    arm.converters.adc_errors.gain = 0.5;
    CHECK_FALSE(is_random(arm));
    arm.converters.adc_errors.noise = 3;
    CHECK(is_random(arm));
    const auto after = runner.fit(arm, runner.extract(arm, "").layers, "");
    CHECK(before.adc[0][0].range == after.adc[0][0].range);
    const auto outputs = [&](std::uint32_t trial) {
        const ArmSettings chip = at_trial(arm, trial);
        return network_outputs(
            graph, make_drivers(graph, runner.extract(chip, "").layers, after, chip.converters),
            images);
    };
    CHECK(outputs(1) == outputs(1));
    CHECK(outputs(1) != outputs(2));
    SourceSet no_adc = sources_of(arm).without(Source::adc);
    CHECK_FALSE(with_sources(arm, no_adc).converters.adc_errors.are_there());
    LinearReadout readout;
    readout.offset_deviation = 1e-3;
    arm.converters.adc_errors = {};
    arm.chip.readout = readout;
    CHECK(is_random(arm));
}

TEST_CASE("a nonlinear study converts through the same ADCs") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 3);
    NonlinearSettings settings;
    settings.chip.tile = test::small_tiles(Mapping::two_column, 20);
    settings.chip.readout.emplace().circuit.amplifier.limit = SwingLimit::hard;
    settings.layers = {0, 1, 2};
    ConverterSettings converters;
    converters.adc_errors = {.offset = 1.3, .noise = 0.5};
    const SolverFactory transfer = [] { return std::make_unique<TransferSolver>(); };
    const auto drivers = circuit_drivers(graph, settings.chip, converters, images, transfer);
    const NonlinearStudy study(graph, drivers, settings, transfer);
    const auto linear = network_outputs(graph, drivers, images);
    CHECK(study.compare_layers(images).outputs == linear);
    const auto solved = study.run_network(images).outputs;
    // Samples are floats that differ in the last place; a code may tip over where one is at a tie.
    std::size_t same = 0;
    for (std::size_t i = 0; i < linear.size(); ++i)
        same += std::abs(solved[i] - linear[i]) < 1e-4F ? 1 : 0;
    CHECK(same + 3 >= linear.size());
}

TEST_CASE("ADC errors out of their bounds are refused by name") {
    const auto refused = [](const AdcErrors& errors, const char* words) {
        CHECK_THROWS_WITH_AS(check(errors), doctest::Contains(words), InvalidInput);
    };
    refused({.offset = NAN}, "ADC offset");
    refused({.gain = 0}, "ADC gain");
    refused({.noise = -1}, "ADC noise");
    refused({.offset_deviation = -1}, "deviation of ADC offsets");
    refused({.gain_deviation = INFINITY}, "deviation of ADC gains");
    refused({.inl = {1}}, "two entries");
    refused({.inl = {1, NAN}}, "ADC INL");
    ConverterSettings converters;
    converters.adc_errors.offset = 1;
    CHECK_NOTHROW(check(converters));
    converters.adc_bits = 0;
    CHECK_THROWS_WITH_AS(check(converters), doctest::Contains("no ADC"), InvalidInput);
}
