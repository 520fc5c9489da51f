// Our inference against libtorch on a network that holds every operator.
#include <doctest/doctest.h>

#include <cmath>

#include "nn/inference.hpp"
#include "nn/training/torch_network.hpp"
#include "tests/nn/small_networks.hpp"

// libtorch brings glog's macro of the same name.
#undef CHECK
#define CHECK(...) DOCTEST_CHECK(__VA_ARGS__)

using namespace kirchnet;
using test::random_tensor;

namespace {

/// Batch norm without a pattern; variances above 1/2.
BatchNormOp random_norm(std::size_t channels, std::uint64_t seed) {
    BatchNormOp norm{random_tensor({channels}, seed), random_tensor({channels}, seed + 1),
                     random_tensor({channels}, seed + 2), random_tensor({channels}, seed + 3)};
    for (float& variance : norm.running_variance.values) variance = 1.5F + variance;
    return norm;
}

PoolOp pool(PoolOp::Kind kind, std::size_t kernel, std::size_t stride, std::size_t padding,
            std::size_t extra, bool counts) {
    return {kind, kernel, stride, padding, extra, counts};
}

/// A grouped and a depthwise convolution, each activation behind the one before, branches of every
/// kind, and a classifier of 5. Maps are 6 x 5 until the strided pools.
Network every_operator() {
    Network network;
    network.name = "every operator";
    network.input = {2, 6, 5};
    network.mean = {0.5F, 0.25F};
    network.deviation = {0.25F, 0.5F};
    network.nodes = {{"image", InputOp{}, {}},
                     {"grouped", ConvOp{random_tensor({6, 1, 3, 3}, 1), {}, 1, 1, 2}, {"image"}},
                     {"norm", random_norm(6, 20), {"grouped"}}};
    using Kind = ActivationOp::Kind;
    for (const Kind kind : {Kind::mish, Kind::silu, Kind::hard_swish, Kind::leaky_relu, Kind::tanh,
                            Kind::hard_sigmoid, Kind::relu6, Kind::sigmoid})
        network.nodes.push_back(
            {std::string(to_string(kind)), ActivationOp{kind, 0.1F}, {network.nodes.back().name}});
    const auto maximum = PoolOp::Kind::maximum;
    const auto average = PoolOp::Kind::average;
    const std::vector<Node> rest{
        {"depthwise",
         ConvOp{random_tensor({6, 1, 3, 3}, 2), random_tensor({6}, 3), 1, 1, 6},
         {"sigmoid"}},
        {"leaky again", ActivationOp{Kind::leaky_relu, 0.1F}, {"depthwise"}},
        {"sum", AddOp{}, {"leaky again", "norm"}},
        {"relu", ReluOp{}, {"sum"}},
        {"same size", pool(maximum, 5, 1, 2, 0, true), {"relu"}},
        {"even", pool(maximum, 2, 1, 0, 1, true), {"relu"}},
        {"all", ConcatOp{}, {"same size", "relu", "even"}},
        {"part", SliceOp{4, 9}, {"all"}},
        {"halved", pool(maximum, 2, 2, 0, 1, true), {"part"}},
        {"large", UpsampleOp{2}, {"halved"}},
        {"counting", pool(average, 3, 2, 1, 0, true), {"large"}},
        {"not counting", pool(average, 3, 2, 1, 0, false), {"large"}},
        {"off centre", pool(average, 3, 2, 0, 1, false), {"large"}},
        {"means", ConcatOp{}, {"counting", "not counting", "off centre"}},
        {"shortcut", PadShortcutOp{2, 31}, {"means"}},
        {"mean", pool(average, 0, 1, 0, 0, true), {"shortcut"}},
        {"classify", LinearOp{random_tensor({5, 31}, 4), random_tensor({5}, 5)}, {"mean"}}};
    network.nodes.insert(network.nodes.end(), rest.begin(), rest.end());
    return network;
}

torch::Tensor as_tensor(const Network& network, const LabelledImages& images) {
    const auto extent = [](std::size_t value) { return static_cast<std::int64_t>(value); };
    std::vector<float> values(images.pixels.begin(), images.pixels.end());
    const auto raw = torch::tensor(at::ArrayRef<float>(values))
                         .reshape({extent(images.size()), extent(images.shape.channels),
                                   extent(images.shape.height), extent(images.shape.width)});
    const auto channels = [&](const std::vector<float>& of) {
        return torch::tensor(at::ArrayRef<float>(of)).reshape({1, extent(of.size()), 1, 1});
    };
    return (raw / 255 - channels(network.mean)) / channels(network.deviation);
}

}  // namespace

TEST_CASE("a network of every operator gives libtorch's outputs") {
    const Network network = every_operator();
    const LabelledImages images = test::random_images(network.input, 3);
    const torch::NoGradGuard no_gradient;
    const auto expected = TorchNetwork(network)
                              .forward(as_tensor(network, images), Phase::evaluate)
                              .reshape({-1})
                              .contiguous();
    const Graph graph(network);
    const auto found = network_outputs(graph, software_drivers(graph), images);
    REQUIRE(found.size() == 15);
    REQUIRE(expected.numel() == 15);
    // Sums of some thirty float products of order 1 in another order.
    for (std::size_t i = 0; i < found.size(); ++i)
        CHECK(std::abs(found[i] - expected.data_ptr<float>()[i]) < 1e-5F);
}
