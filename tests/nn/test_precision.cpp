// Sliced weights and inputs read digit by digit against networks of integers, computed by loops
// over integers here.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

#include "circuit/ideal_solver.hpp"
#include "data/network_file.hpp"
#include "nn/calibration.hpp"
#include "small_networks.hpp"

using namespace kirchnet;

namespace {

const SolverFactory ideal = [] { return std::make_unique<IdealSolver>(); };

/// One way of reading a network.
struct Case {
    TileSettings tile;
    ConverterSettings converters;
};

Case make_case(Mapping mapping, int bits_per_cell, int dac_bits) {
    Case c;
    c.tile.array = {5, 3};
    c.tile.mapping = mapping;
    c.tile.weight_bits = 6;
    c.tile.bits_per_cell = bits_per_cell;
    c.converters.input_bits = 8;
    c.converters.dac_bits = dac_bits;
    c.converters.adc_bits = 24;
    c.converters.adc_range = AdcRange::full;
    return c;
}

std::int64_t weight_level(const Graph& graph, std::size_t layer, std::size_t i, double scale,
                          int largest) {
    const auto weight = static_cast<double>(graph.weights(layer).values[i]);
    return std::llround(weight / scale * largest);
}

double largest_weight(const Graph& graph, std::size_t layer) {
    float largest = 0;
    for (const float weight : graph.weights(layer).values)
        largest = std::max(largest, std::abs(weight));
    return static_cast<double>(largest);
}

std::int64_t input_code(const Dac& dac, float x) {
    const double code = std::floor(static_cast<double>(x) * dac.levels() / dac.range + 0.5);
    return static_cast<std::int64_t>(
        std::min(std::max(code, dac.is_signed ? -dac.levels() : 0.0), dac.levels()));
}

/// Σ q code under the kernel, in integers.
std::int64_t integer_sum(const Graph& graph, std::size_t layer, const FeatureMaps& in,
                         const Dac& dac, int largest, std::size_t image, std::size_t oc,
                         std::size_t y, std::size_t x) {
    const LayerGeometry g = graph.geometry(layer);
    const std::size_t channels = g.input.channels / g.groups;
    const double scale = largest_weight(graph, layer);
    std::int64_t sum = 0;
    for (std::size_t ic = 0; ic < channels; ++ic)
        for (std::size_t ky = 0; ky < g.kernel_height; ++ky)
            for (std::size_t kx = 0; kx < g.kernel_width; ++kx) {
                const auto iy = static_cast<std::int64_t>(y * g.stride + ky) -
                                static_cast<std::int64_t>(g.padding);
                const auto ix = static_cast<std::int64_t>(x * g.stride + kx) -
                                static_cast<std::int64_t>(g.padding);
                if (iy < 0 || ix < 0 || iy >= static_cast<std::int64_t>(g.input.height) ||
                    ix >= static_cast<std::int64_t>(g.input.width))
                    continue;
                const auto pixel =
                    (image * g.input.height + static_cast<std::size_t>(iy)) * g.input.width +
                    static_cast<std::size_t>(ix);
                const auto weight = ((oc * channels + ic) * g.kernel_height + ky) * g.kernel_width;
                const float* const channel = in.channel(oc / g.outputs_per_group() * channels + ic);
                sum += weight_level(graph, layer, weight + kx, scale, largest) *
                       input_code(dac, channel[pixel]);
            }
    return sum;
}

/// A layer of the integer network: its sums, scaled as the layer's digital end scales them.
FeatureMaps integer_layer(const Graph& graph, std::size_t layer, const FeatureMaps& in,
                          const Dac& dac, int weight_bits) {
    const int largest = largest_level(weight_bits);
    const auto scale = static_cast<float>(largest_weight(graph, layer) * dac.range);
    const auto& bias = graph.bias(layer).values;
    FeatureMaps out;
    out.resize(graph.geometry(layer).output, in.images);
    float* target = out.values.data();
    for (std::size_t oc = 0; oc < out.shape.channels; ++oc)
        for (std::size_t image = 0; image < in.images; ++image)
            for (std::size_t y = 0; y < out.shape.height; ++y)
                for (std::size_t x = 0; x < out.shape.width; ++x) {
                    const auto sum = static_cast<double>(
                        integer_sum(graph, layer, in, dac, largest, image, oc, y, x));
                    const auto product = static_cast<float>(sum / (largest * dac.levels()));
                    *target++ = product * scale + (bias.empty() ? 0.0F : bias[oc]);
                }
    return out;
}

Drivers make_drivers(const Graph& graph, const Case& c, const std::vector<Dac>& dacs) {
    Drivers drivers;
    auto operators = extract_operators(graph, c.tile, std::nullopt, ideal);
    for (std::size_t layer = 0; layer < operators.size(); ++layer) {
        drivers.push_back(crossbar_driver(graph, layer, std::move(operators[layer])));
        set_dac(drivers.back(), dacs[layer]);
    }
    const auto adcs = calibrate_adcs(graph, drivers, {}, c.converters, c.tile);
    for (std::size_t layer = 0; layer < drivers.size(); ++layer) drivers[layer].adc = adcs[layer];
    return drivers;
}

/// Runs the integer network, and every layer on crossbars with the same inputs.
void check_exact(const Graph& graph, const Case& c, const LabelledImages& images) {
    const auto dacs = calibrate_dacs(graph, images, c.converters);
    const Drivers drivers = make_drivers(graph, c, dacs);
    std::vector<FeatureMaps> maps(graph.size());
    DriverWorkspace workspace;
    load_images(graph.network(), images, 0, images.size(), maps[0]);
    for (std::size_t i = 1, layer = 0; i < graph.size(); ++i) {
        std::vector<const FeatureMaps*> in;
        for (const auto input : graph.inputs(i)) in.push_back(&maps[input]);
        if (layer == graph.layers().size() || graph.layers()[layer] != i) {
            apply(graph.node(i).operation, in, maps[i]);
            continue;
        }
        maps[i] = integer_layer(graph, layer, *in[0], dacs[layer], c.tile.weight_bits);
        FeatureMaps found;
        AdcCount count;
        run_layer(drivers[layer], *in[0], found, workspace, count);
        CAPTURE(graph.layer_name(layer));
        CHECK(found.values == maps[i].values);
        CHECK(count.clipped == 0);
        CHECK(count.samples > 0);
        ++layer;
    }
}

}  // namespace

TEST_CASE("sliced weights read bit by bit are the integer network, bit for bit") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 3);
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto mode : {SignedInputs::bipolar, SignedInputs::two_pass})
            for (const auto subtraction : {Subtraction::before, Subtraction::after})
                for (const int dac_bits : {1, 2, 4, 8})
                    for (const int bits_per_cell : {1, 2, 4}) {
                        CAPTURE(to_string(mapping));
                        CAPTURE(to_string(mode));
                        CAPTURE(to_string(subtraction));
                        CAPTURE(dac_bits);
                        CAPTURE(bits_per_cell);
                        Case c = make_case(mapping, bits_per_cell, dac_bits);
                        c.tile.subtraction = subtraction;
                        c.converters.signed_inputs = mode;
                        check_exact(graph, c, images);
                    }
}

TEST_CASE("layouts and cells that hardly turn off change nothing") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 3);
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto layout : {Layout::split, Layout::interleaved}) {
            Case c = make_case(mapping, 2, 1);
            c.tile.device = {1e-4, 3.1e-5};  // 5 rows at HRS add several levels
            c.tile.layout = layout;
            check_exact(graph, c, images);
        }
}

TEST_CASE("cells that hold a whole weight are exact too, where the level is read as a digit") {
    const Graph graph(test::small_network());
    const auto images = test::random_images(graph.network().input, 3);
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        check_exact(graph, make_case(mapping, 5, 8), images);
}

TEST_CASE("the embedded network is exact in eight-bit weights and inputs") {
    const Graph graph(read_network(KIRCHNET_EMBEDDED "/digits.h5"));
    const auto images = subset(read_test_images(KIRCHNET_EMBEDDED "/digits-images.h5"), 0, 4);
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential}) {
        CAPTURE(to_string(mapping));
        Case c = make_case(mapping, 2, 1);
        c.tile.array = {128, 128};
        c.tile.weight_bits = 8;
        c.converters.signed_inputs = SignedInputs::two_pass;
        check_exact(graph, c, images);
    }
}
