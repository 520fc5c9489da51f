#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "circuit/error.hpp"
#include "circuit/random.hpp"
#include "circuit/tile.hpp"
#include "circuit/variation.hpp"

using namespace kirchnet;

namespace {

constexpr int cells = 200000;
constexpr DeviceRange device{1e-4, 1e-6};
constexpr double intended = 3e-5;  // [S]

CellAddress address(int number) {
    return {.output_channel = number / 1000, .input_channel = number % 1000};
}

/// Mean and variance of f(G) over many cells.
struct Moments {
    double mean = 0;
    double variance = 0;
};

template <typename Function>
Moments moments_of(const DeviceDraw& draw, Function f) {
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < cells; ++i) {
        const double x = f(varied_conductance(draw, "conv1", address(i), intended, device));
        sum += x;
        squares += x * x;
    }
    const double mean = sum / cells;
    return {mean, squares / cells - mean * mean};
}

/// Within 5 standard errors of a normal sample's mean (sigma / sqrt N) and variance
/// (sigma^2 sqrt(2 / N)): one failure in 1.7 million for a right law.
void check_normal(const Moments& found, double mean, double sigma) {
    CHECK(std::abs(found.mean - mean) < 5 * sigma / std::sqrt(cells));
    CHECK(std::abs(found.variance - sigma * sigma) < 5 * sigma * sigma * std::sqrt(2.0 / cells));
}

DeviceDraw draw_of(const DeviceLaws& laws, std::uint32_t trial = 0) {
    return {.laws = laws, .seed = 11, .trial = trial};
}

constexpr DeviceLaws every_law{.variation = 0.1,
                               .programming_error = 0.01,
                               .programming_slope = 0.05,
                               .read_noise = 0.02,
                               .drift_nu = 0.05,
                               .drift_spread = 0.01,
                               .time_ratio = 1000};

/// Twelve inputs and seven outputs of a 2 x 2 kernel with weights of both signs.
WeightBlock block_of(Index row, Index rows, Index output, Index outputs, Index tile_row,
                     Index tile_column) {
    WeightBlock block{"conv1", tile_row, tile_column, Eigen::MatrixXd(rows, outputs), {}, output};
    for (Index r = 0; r < rows; ++r) {
        const auto at = static_cast<std::int32_t>(row + r);
        block.inputs.push_back({at / 4, at % 4 / 2, at % 2});
        for (Index c = 0; c < outputs; ++c)
            block.weights(r, c) = std::sin(static_cast<double>(7 * (row + r) + 3 * (output + c)));
    }
    return block;
}

/// Actual conductance of every weight cell of the 12 x 7 layer, however it is cut.
std::map<CellIdentity, double> layer_conductances(TileSettings settings, const DeviceDraw& draw) {
    std::map<CellIdentity, double> found;
    const Index outputs = outputs_per_tile(settings);
    for (Index r = 0, tr = 0; r < 12; r += settings.array.word_lines, ++tr)
        for (Index c = 0, tc = 0; c < 7; c += outputs, ++tc) {
            const Tile tile(block_of(r, std::min(settings.array.word_lines, 12 - r), c,
                                     std::min(outputs, 7 - c), tr, tc),
                            settings, std::nullopt, draw);
            for (const Crossbar& array : tile.arrays())
                for (Index i = 0; i < array.shape().word_lines; ++i)
                    for (Index j = 0; j < array.shape().bit_lines; ++j) {
                        const auto cell = tile.meaning({polarity_of(array.pattern(), j), i, j});
                        if (cell.weight) found.emplace(cell.identity, cell.conductance);
                    }
        }
    return found;
}

TileSettings settings_of(ArrayShape array, Layout layout = Layout::split) {
    TileSettings settings;
    settings.array = array;
    settings.layout = layout;
    settings.device = device;
    return settings;
}

}  // namespace

TEST_CASE("normal numbers are Box and Muller's of Philox's words") {
    // From philox_values.py: numpy's Philox and Python's libm, which may differ in the last digits.
    const std::array<double, 4> expected{-1.7362841938525345e-01, 2.3736940163417626e+00,
                                         3.6198066729091100e-01, -7.2301139530079869e-02};
    const std::array<double, 4> others{-4.5373141399762854e-02, 4.5571635626878632e-01,
                                       -4.4629260057466452e-01, -4.1160567390598424e-01};
    const auto found = keyed_normals(1, 7, {0, 0, 0, 0});
    const auto more = keyed_normals(2021, 0xffffffffffffffffULL, {5, 6, 7, 8});
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(std::abs(found[i] - expected[i]) < 1e-14);
        CHECK(std::abs(more[i] - others[i]) < 1e-14);
    }
}

TEST_CASE("normal numbers have the moments of a normal law, and the four are independent") {
    std::array<double, 4> sum{};
    std::array<double, 4> square{};
    std::array<double, 4> fourth{};
    double products = 0;
    double square_products = 0;
    for (std::uint64_t i = 0; i < cells; ++i) {
        const auto z = keyed_normals(3, 4, {i, 0, 0, 0});
        CHECK_FALSE(z != keyed_normals(3, 4, {i, 0, 0, 0}));
        for (std::size_t k = 0; k < 4; ++k) {
            sum[k] += z[k];
            square[k] += z[k] * z[k];
            fourth[k] += z[k] * z[k] * z[k] * z[k];
        }
        products += z[0] * z[1] + z[1] * z[2] + z[2] * z[3] + z[3] * z[0];
        square_products += (z[0] * z[0] - 1) * (z[1] * z[1] - 1);
    }
    // Variances per sample: z 1, z^2 2, z^4 96, the sum of four products 4, the last 4.
    const double five_sigma = 5 * std::sqrt(cells);
    for (std::size_t k = 0; k < 4; ++k) {
        CHECK(std::abs(sum[k]) < five_sigma);
        CHECK(std::abs(square[k] - cells) < five_sigma * std::sqrt(2));
        CHECK(std::abs(fourth[k] - 3.0 * cells) < five_sigma * std::sqrt(96));
    }
    CHECK(std::abs(products) < 2 * five_sigma);
    CHECK(std::abs(square_products) < 2 * five_sigma);
}

TEST_CASE("device-to-device variation: ln G is normal around what was intended") {
    const auto logarithm = [](double g) { return std::log(g / intended); };
    check_normal(moments_of(draw_of({.variation = 0.3}), logarithm), 0, 0.3);
}

TEST_CASE("programming error: G is normal, its spread grows with G from a floor") {
    const auto value = [](double g) { return g; };
    // 0.02 * 99 uS + 0.1 * 30 uS = 4.98 uS; 30 uS is six of these away from the clamp at 0
    check_normal(moments_of(draw_of({.programming_error = 0.02, .programming_slope = 0.1}), value),
                 intended, 4.98e-6);
    check_normal(moments_of(draw_of({.programming_error = 0.02}), value), intended, 1.98e-6);
}

TEST_CASE("read noise: G is normal with a spread relative to G") {
    const auto value = [](double g) { return g; };
    check_normal(moments_of(draw_of({.read_noise = 0.05}), value), intended, 1.5e-6);
}

TEST_CASE("drift: ln G falls by nu ln(t / t0), and spreads by that of the exponents") {
    const auto logarithm = [](double g) { return std::log(g / intended); };
    const double decades = std::log(1e4);
    check_normal(
        moments_of(draw_of({.drift_nu = 0.05, .drift_spread = 0.02, .time_ratio = 1e4}), logarithm),
        -0.05 * decades, 0.02 * decades);
    // 10^4 at exponent 1/4: exactly a tenth, in every cell
    const double drifted = varied_conductance(draw_of({.drift_nu = 0.25, .time_ratio = 1e4}),
                                              "conv1", address(5), intended, device);
    CHECK(drifted == doctest::Approx(intended / 10).epsilon(1e-14));
}

TEST_CASE("laws act independently of one another: their log variances add") {
    // Read noise alone is not lognormal; to second order ln(1 + x) has variance s^2.
    const auto logarithm = [](double g) { return std::log(g / intended); };
    const DeviceLaws laws{
        .variation = 0.1, .read_noise = 0.01, .drift_spread = 0.03, .time_ratio = std::exp(2.0)};
    const Moments found = moments_of(draw_of(laws), logarithm);
    const double expected = 0.01 + 0.0001 + 0.0036;
    CHECK(std::abs(found.variance - expected) < 5 * expected * std::sqrt(2.0 / cells));
}

TEST_CASE("without any law a cell conducts exactly what was intended") {
    CHECK(varied_conductance(draw_of({}), "conv1", address(1), intended, device) == intended);
    // Drift laws need time to pass.
    CHECK(varied_conductance(draw_of({.drift_nu = 0.1, .drift_spread = 0.1}), "conv1", address(1),
                             intended, device) == intended);
    const Tile plain(block_of(0, 8, 0, 6, 0, 0), settings_of({8, 6}));
    const Tile tile(block_of(0, 8, 0, 6, 0, 0), settings_of({8, 6}), std::nullopt, draw_of({}));
    CHECK(tile.arrays() == plain.arrays());
}

TEST_CASE("only a law that is random makes trials differ") {
    CHECK_FALSE(DeviceLaws{}.is_on());
    CHECK(DeviceLaws{.drift_nu = 0.1, .time_ratio = 2}.is_on());
    CHECK_FALSE(DeviceLaws{.drift_nu = 0.1, .time_ratio = 2}.is_random());
    CHECK(DeviceLaws{.drift_spread = 0.1, .time_ratio = 2}.is_random());
    CHECK_FALSE(DeviceLaws{.drift_spread = 0.1}.is_on());
    CHECK(DeviceLaws{.programming_slope = 0.1}.is_random());
}

TEST_CASE("a conductance never falls below zero") {
    int zeros = 0;
    for (int i = 0; i < 1000; ++i) {
        const double g = varied_conductance(draw_of({.programming_error = 1, .read_noise = 1}),
                                            "conv1", address(i), intended, device);
        CHECK(g >= 0);
        zeros += g == 0 ? 1 : 0;
    }
    CHECK(zeros > 100);
}

TEST_CASE("a trial replays bit for bit; other trials, seeds and layers are other chips") {
    const auto value = [&](const DeviceDraw& draw, std::string_view layer) {
        return varied_conductance(draw, layer, address(3), intended, device);
    };
    DeviceDraw draw = draw_of(every_law, 4);
    const double first = value(draw, "conv1");
    CHECK(value(draw, "conv1") == first);
    CHECK(value(draw, "conv2") != first);
    draw.trial = 5;
    CHECK(value(draw, "conv1") != first);
    draw.trial = 4;
    draw.seed = 12;
    CHECK(value(draw, "conv1") != first);
}

TEST_CASE("a cell's conductance does not depend on array size or layout") {
    const DeviceDraw draw = draw_of(every_law, 2);
    const auto reference = layer_conductances(settings_of({12, 7}), draw);
    CHECK(reference.size() == 2 * 12 * 7);
    for (const Layout layout : {Layout::split, Layout::interleaved})
        for (const ArrayShape array : {ArrayShape{5, 4}, ArrayShape{12, 3}, ArrayShape{3, 9}})
            CHECK(layer_conductances(settings_of(array, layout), draw) == reference);
}

TEST_CASE("a device's factor is its own, whatever the mapping writes into it") {
    const DeviceDraw draw = draw_of({.variation = 0.2});
    std::map<CellIdentity, double> factor;
    for (const Mapping mapping : {Mapping::two_column, Mapping::differential, Mapping::offset}) {
        TileSettings settings = settings_of({12, 7});
        settings.mapping = mapping;
        const Tile tile(block_of(0, 12, 0, 7, 0, 0), settings, std::nullopt, draw);
        for (Index r = 0; r < 12; ++r)
            for (Index c = 0; c < 7; ++c) {
                const auto cell = tile.meaning({Polarity::a, r, c});
                const double ratio = cell.conductance / cell.intended_conductance;
                const auto [known, is_new] = factor.emplace(cell.identity, ratio);
                CHECK(known->second == doctest::Approx(ratio).epsilon(1e-14));
            }
    }
}

TEST_CASE("trials derive from the intended conductances and never compound") {
    const WeightBlock block = block_of(0, 8, 0, 6, 0, 0);
    const TileSettings settings = settings_of({8, 6});
    const Tile plain(block, settings);
    const Tile first(block, settings, std::nullopt, draw_of(every_law, 0));
    // Whatever ran before, trial 1 is trial 1.
    const Tile second(first.block(), first.settings(), std::nullopt, draw_of(every_law, 1));
    CHECK(second.arrays() == Tile(block, settings, std::nullopt, draw_of(every_law, 1)).arrays());
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(first.arrays()[i].intended_conductance() == plain.arrays()[i].conductance());
        CHECK(second.arrays()[i].intended_conductance() == plain.arrays()[i].conductance());
        CHECK(first.arrays()[i].conductance() != plain.arrays()[i].conductance());
        CHECK(first.arrays()[i].conductance() != second.arrays()[i].conductance());
    }
}

TEST_CASE("a stuck or open cell stays what its fault says") {
    FaultMap faults;
    const auto cell = [](std::int32_t output) {
        return CellAddress{output, 0, 0, 0, 0, Polarity::a};
    };
    faults.set("conv1", cell(0), Fault::stuck_on);
    faults.set("conv1", cell(1), Fault::stuck_off);
    faults.set("conv1", cell(2), Fault::open);
    const Tile tile(block_of(0, 8, 0, 6, 0, 0), settings_of({8, 6}), FaultSource(faults),
                    draw_of(every_law));
    CHECK(tile.arrays()[0].conductance()(0, 0) == device.on);
    CHECK(tile.arrays()[0].conductance()(0, 1) == device.off);
    CHECK(tile.arrays()[0].conductance()(0, 2) == 0);
    CHECK(tile.arrays()[0].conductance()(0, 3) != tile.arrays()[0].intended_conductance()(0, 3));
}

TEST_CASE("padding cells vary too, by their place") {
    const Tile tile(block_of(0, 3, 0, 2, 0, 0), settings_of({8, 6}), std::nullopt,
                    draw_of({.variation = 0.2}));
    const CellMatrix& actual = tile.arrays()[0].conductance();
    CHECK(actual(7, 5) != device.off);
    CHECK(actual(7, 5) != actual(7, 4));
}

TEST_CASE("laws that are none are refused by name") {
    const auto refused = [](const DeviceLaws& laws, const char* name) {
        CHECK_THROWS_WITH_AS(
            Tile(block_of(0, 3, 0, 2, 0, 0), settings_of({8, 6}), std::nullopt, draw_of(laws)),
            doctest::Contains(name), InvalidInput);
    };
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    refused({.variation = -0.1}, "device variation");
    refused({.programming_error = nan}, "programming error");
    refused({.programming_slope = -1}, "programming slope");
    refused({.read_noise = std::numeric_limits<double>::infinity()}, "read noise");
    refused({.drift_nu = nan}, "drift exponent");
    refused({.drift_spread = -1}, "drift spread");
    refused({.time_ratio = 0}, "time ratio");
}
