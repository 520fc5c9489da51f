#include <doctest/doctest.h>

#include <cmath>

#include "circuit/ideal_solver.hpp"
#include "nn/layer_driver.hpp"
#include "nn/tiling.hpp"
#include "small_networks.hpp"
#include "solver/nodal_solver.hpp"

using namespace kirchnet;

namespace {

const SolverFactory ideal = [] { return std::make_unique<IdealSolver>(); };

FeatureMaps random_maps(const ImageShape& shape, std::size_t images, std::uint64_t seed) {
    FeatureMaps maps;
    maps.resize(shape, images);
    maps.values = test::random_tensor({maps.values.size()}, seed).values;
    return maps;
}

/// The definition of a convolution, written out: the oracle for every driver.
double convolution(const Graph& graph, std::size_t layer, const FeatureMaps& in, std::size_t image,
                   std::size_t oc, std::size_t y, std::size_t x) {
    const auto g = graph.geometry(layer);
    const std::size_t channels = g.input.channels / g.groups;
    const std::size_t group = oc / g.outputs_per_group();
    const auto& bias = graph.bias(layer).values;
    double total = bias.empty() ? 0 : static_cast<double>(bias[oc]);
    for (std::size_t ic = 0; ic < channels; ++ic)
        for (std::size_t ky = 0; ky < g.kernel_height; ++ky)
            for (std::size_t kx = 0; kx < g.kernel_width; ++kx) {
                const long iy = static_cast<long>(y * g.stride + ky) - static_cast<long>(g.padding);
                const long ix = static_cast<long>(x * g.stride + kx) - static_cast<long>(g.padding);
                if (iy < 0 || ix < 0 || iy >= static_cast<long>(g.input.height) ||
                    ix >= static_cast<long>(g.input.width))
                    continue;
                const auto pixel =
                    (image * g.input.height + static_cast<std::size_t>(iy)) * g.input.width +
                    static_cast<std::size_t>(ix);
                const auto weight = ((oc * channels + ic) * g.kernel_height + ky) * g.kernel_width;
                total += static_cast<double>(graph.weights(layer).values[weight + kx]) *
                         static_cast<double>(in.channel(group * channels + ic)[pixel]);
            }
    return total;
}

void check_against_definition(const Graph& graph, std::size_t layer, const LayerDriver& driver,
                              double tolerance) {
    const auto in = random_maps(graph.geometry(layer).input, 3, 40 + layer);
    FeatureMaps out;
    DriverWorkspace workspace;
    AdcCount count;
    run_layer(driver, in, out, workspace, count);
    const auto shape = graph.geometry(layer).output;
    REQUIRE(out.shape == shape);
    for (std::size_t image = 0; image < 3; ++image)
        for (std::size_t oc = 0; oc < shape.channels; ++oc)
            for (std::size_t y = 0; y < shape.height; ++y)
                for (std::size_t x = 0; x < shape.width; ++x) {
                    const auto at = (image * shape.height + y) * shape.width + x;
                    CHECK(std::abs(static_cast<double>(out.channel(oc)[at]) -
                                   convolution(graph, layer, in, image, oc, y, x)) < tolerance);
                }
}

}  // namespace

TEST_CASE(
    "the software driver is the convolution as defined, strides, padding and groups included") {
    const Graph graph(test::small_network());
    for (std::size_t layer = 0; layer < 3; ++layer)
        check_against_definition(graph, layer, software_driver(graph, layer), 1e-5);
}

TEST_CASE("without wires and converters a crossbar computes the same convolution") {
    const Graph graph(test::small_network());
    ArrayShape array;
    SUBCASE("groups apart") {
        array = {5, 3};
    }
    SUBCASE("groups on one diagonal") {
        array = {9, 7};
    }
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential}) {
        CAPTURE(to_string(mapping));
        TileSettings tile;
        tile.array = array;
        tile.mapping = mapping;
        tile.weight_bits = 0;
        const auto operators = extract_operators(graph, tile, std::nullopt, ideal);
        for (std::size_t layer = 0; layer < 3; ++layer) {
            auto driver = crossbar_driver(graph, layer, operators[layer]);
            set_dac(driver, {0, 3.0, true});  // the range must cancel
            check_against_definition(graph, layer, driver, 3e-5);
        }
    }
}

TEST_CASE("eight-bit converters stay within their steps, and samples are counted") {
    const Graph graph(test::small_network());
    TileSettings tile;
    tile.array = {64, 64};
    const auto operators = extract_operators(graph, tile, std::nullopt, ideal);
    auto driver = crossbar_driver(graph, 0, operators[0]);
    set_dac(driver, {8, 1.0, true});
    driver.adc = {Adc{8, 12.0, true}};  // 12 rows of at most 1: nothing can clip
    // Half a step of 12 inputs of weight up to 1, of 12 weights, and of one ADC sample.
    const double tolerance = 12 * 0.5 / 127 + 12 * 0.5 / 127 + 0.5 * 12.0 / 127;
    check_against_definition(graph, 0, driver, tolerance);

    const auto in = random_maps(graph.geometry(0).input, 2, 7);
    FeatureMaps out;
    DriverWorkspace workspace;
    AdcCount count;
    run_layer(driver, in, out, workspace, count);
    CHECK(count.samples == 4 * 2 * 9);  // outputs x images x positions, one row tile
    CHECK(count.clipped == 0);
    driver.adc.front().range = 0.01;
    run_layer(driver, in, out, workspace, count);
    CHECK(count.clipped > 60);
}

TEST_CASE("a column of scale 0 is masked, bias and neighbours stay") {
    const Graph graph(test::small_network());
    auto driver = software_driver(graph, 0);
    driver.column_scale[2] = 0;
    const auto in = random_maps(graph.geometry(0).input, 1, 3);
    FeatureMaps out;
    DriverWorkspace workspace;
    AdcCount count;
    run_layer(driver, in, out, workspace, count);
    for (std::size_t i = 0; i < out.plane(); ++i)
        CHECK(out.channel(2)[i] == graph.bias(0).values[2]);
    CHECK(out.channel(1)[4] != graph.bias(0).values[1]);
}

TEST_CASE("a tile's offset is added at every conversion of it, before the ADC") {
    const Graph graph(test::small_network());
    TileSettings tile;
    tile.array = {5, 3};  // three row tiles of 12 rows
    auto operators = extract_operators(graph, tile, std::nullopt, ideal);
    const auto output_of = [&](const std::vector<LayerOperators>& layers, const Adc& adc) {
        auto driver = crossbar_driver(graph, 0, layers[0]);
        set_dac(driver, {8, 1.0, true});
        driver.adc = {adc};
        FeatureMaps out;
        DriverWorkspace workspace;
        AdcCount count;
        run_layer(driver, random_maps(graph.geometry(0).input, 2, 7), out, workspace, count);
        return out;
    };
    const Adc converted{8, 12.7, true};  // steps of 0.1
    const FeatureMaps plain = output_of(operators, {0, 1, true});
    const FeatureMaps plain_codes = output_of(operators, converted);
    for (TileOperator& one : operators[0].tiles) one.offset.assign(one.outputs, 0.1F);
    const FeatureMaps moved = output_of(operators, {0, 1, true});
    const FeatureMaps moved_codes = output_of(operators, converted);
    // Scale max|W| times three tiles of 0.1: one code in each. Rounding moves a sample on an edge.
    const auto step = static_cast<float>(0.3 * operators[0].scale);
    std::size_t exact = 0;
    for (std::size_t i = 0; i < plain.values.size(); ++i) {
        CHECK(moved.values[i] - plain.values[i] == doctest::Approx(step).epsilon(1e-4));
        exact += std::abs(moved_codes.values[i] - plain_codes.values[i] - step) < 1e-4F ? 1 : 0;
    }
    CHECK(exact + 1 >= plain.values.size());
}

TEST_CASE("observing records the largest input and product of a layer") {
    const Graph graph(test::small_network());
    const auto driver = software_driver(graph, 0);
    auto in = random_maps(graph.geometry(0).input, 1, 3);
    in.values[11] = -4.5F;
    FeatureMaps out;
    DriverWorkspace workspace;
    AdcCount count;
    LayerRange range;
    run_layer(driver, in, out, workspace, count, &range);
    CHECK(range.input == 4.5F);
    CHECK(range.signed_input);
    float largest = 0;
    for (std::size_t oc = 0; oc < 4; ++oc)
        for (std::size_t i = 0; i < out.plane(); ++i)
            largest = std::max(largest, std::abs(out.channel(oc)[i] - graph.bias(0).values[oc]));
    REQUIRE(range.samples.size() == 1);
    CHECK(range.samples[0].largest == doctest::Approx(largest).epsilon(1e-5));
}

TEST_CASE("groups on one diagonal reach each other through wires as their circuit says") {
    const Graph graph(test::small_network());
    TileSettings how;
    how.array = {9, 7};
    how.weight_bits = 0;
    how.wires.word_line_segment = 50;
    how.wires.bit_line_segment = 50;
    const SolverFactory nodal = [] { return std::make_unique<NodalSolver>(); };
    const auto in = random_maps(graph.geometry(1).input, 1, 8);
    const double span = how.device.span();
    for (const auto mapping : {Mapping::two_column, Mapping::offset}) {
        how.mapping = mapping;
        const auto operators = extract_operators(graph, how, std::nullopt, nodal);
        REQUIRE(operators[1].tiles.size() == 1);
        FeatureMaps out;
        DriverWorkspace workspace;
        AdcCount count;
        run_layer(crossbar_driver(graph, 1, operators[1]), in, out, workspace, count);

        // The first output position by hand: voltages of both groups' inputs, one circuit solved.
        const Tile tile(weight_block(graph, 1, how, 0, 0), how);
        Eigen::MatrixXd voltage = Eigen::MatrixXd::Zero(9, 1);
        for (Index r = 0; r < 8; ++r) {
            const KernelPosition& from = tile.block().inputs[static_cast<std::size_t>(r)];
            voltage(r, 0) = static_cast<double>(
                in.channel(static_cast<std::size_t>(from.input_channel))[from.kernel_x]);
        }
        const auto currents = [&](const Crossbar& array) -> Eigen::MatrixXd {
            return NodalSolver().solve(array, voltage, Voltages::skip).current;
        };
        const Eigen::MatrixXd a = currents(tile.arrays()[0]);
        for (Index j = 0; j < 6; ++j) {
            double expected = 0;
            if (mapping == Mapping::offset) {
                const double own = voltage.col(0).segment(j / 3 * 4, 4).sum();
                expected = 2 * (a(j, 0) - how.device.off * voltage.sum()) / span - own;
            } else {
                const Eigen::MatrixXd b = currents(tile.arrays()[1]);
                expected = (a(j, 0) - b(j, 0)) / span;
            }
            // float products of 8 inputs of at most 1, doubled for offset
            CHECK(static_cast<double>(out.channel(static_cast<std::size_t>(j))[0]) ==
                  doctest::Approx(expected * operators[1].scale).epsilon(1e-5).scale(1));
        }
    }
}

TEST_CASE("batch norm and activation behind a layer give the same together as one by one") {
    const Graph graph(test::small_network());
    const auto driver = software_driver(graph, 0);
    const auto in = random_maps(graph.geometry(0).input, 2, 5);
    const ActivationOp mish{ActivationOp::Kind::mish, 0};
    FeatureMaps together;
    FeatureMaps alone;
    FeatureMaps activated;
    DriverWorkspace workspace;
    AdcCount count;
    DigitalTail tail;
    tail.activation = mish;
    run_layer(driver, in, together, workspace, count, nullptr, tail);
    run_layer(driver, in, alone, workspace, count);
    apply(mish, {&alone}, activated);
    CHECK(together.values == activated.values);
}

TEST_CASE("what follows a layer is batch norm, then a sum, then ReLU") {
    const Graph graph(test::small_network());
    const auto driver = software_driver(graph, 0);
    const auto in = random_maps(graph.geometry(0).input, 3, 5);
    const auto addend = random_maps(graph.geometry(0).output, 3, 6);
    const DigitalTail tail{{{2, 0.5F}, {-1, 0}, {0.25F, -3}, {1, 1}}, &addend, true, {}};
    FeatureMaps out;
    DriverWorkspace workspace;
    AdcCount count;
    run_layer(driver, in, out, workspace, count, nullptr, tail);
    const ImageShape& shape = out.shape;
    for (std::size_t image = 0; image < 3; ++image)
        for (std::size_t c = 0; c < shape.channels; ++c)
            for (std::size_t y = 0; y < shape.height; ++y)
                for (std::size_t x = 0; x < shape.width; ++x) {
                    const auto at = (image * shape.height + y) * shape.width + x;
                    const double value = convolution(graph, 0, in, image, c, y, x) *
                                             static_cast<double>(tail.norm[c].scale) +
                                         static_cast<double>(tail.norm[c].shift) +
                                         static_cast<double>(addend.channel(c)[at]);
                    // float sums of 12 products of magnitude at most 2
                    CHECK(std::abs(static_cast<double>(out.channel(c)[at]) - std::max(value, 0.0)) <
                          2e-5);
                }
}
