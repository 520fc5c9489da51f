#include <algorithm>
#include <cmath>

#include "data/network_file.hpp"
#include "data/pruning.hpp"
#include "support.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

Network layers(std::vector<float> conv, std::vector<float> linear) {
    Network network;
    const std::size_t m = conv.size();
    const std::size_t n = linear.size();
    network.nodes = {{"conv", ConvOp{{{m, 1, 1, 1}, std::move(conv)}, {{1}, {0.001F}}}, {}},
                     {"fc", LinearOp{{{1, n}, std::move(linear)}, {{1}, {0.002F}}}, {}}};
    return network;
}

const std::vector<float>& conv_weights(const Network& network) {
    return std::get<ConvOp>(network.nodes[0].operation).weight.values;
}
const std::vector<float>& linear_weights(const Network& network) {
    return std::get<LinearOp>(network.nodes[1].operation).weight.values;
}

}  // namespace

TEST_CASE("the smallest magnitudes of each layer become zero, ties to the lower index") {
    // conv: floor(0.5 * 5 + 0.5) = 3 of 5; |W| in order is 1, 1, 2, 2, 3 and the first 2 goes.
    // linear: floor(0.5 * 3 + 0.5) = 2 of 3, although all are larger than conv's.
    Network network = layers({-2, 1, 2, -1, 3}, {30, -10, 20});
    prune_by_magnitude(network, 0.5);
    CHECK(conv_weights(network) == std::vector<float>{0, 0, 2, 0, 3});
    CHECK(linear_weights(network) == std::vector<float>{30, 0, 0});
    CHECK(std::get<ConvOp>(network.nodes[0].operation).bias.values[0] == 0.001F);
    CHECK(!std::signbit(conv_weights(network)[3]));
}

TEST_CASE("the number of zeros is floor(ratio * size + 1/2)") {
    const std::vector<float> weights{1, 2, 3, 4, 5, 6, 7};
    const std::pair<double, std::ptrdiff_t> cases[] = {{0.0, 0}, {0.07, 0}, {0.0715, 1}, {0.5, 4},
                                                       {0.6, 4}, {0.9, 6},  {0.95, 7}};
    for (const auto& [ratio, zeros] : cases) {
        Network network = layers(weights, weights);
        prune_by_magnitude(network, ratio);
        CHECK(std::count(conv_weights(network).begin(), conv_weights(network).end(), 0.0F) ==
              zeros);
    }
}

TEST_CASE("a large layer is pruned as a stable sort by magnitude would") {
    // Magnitudes 0 to 9, each three hundred times, in a scattered order: many ties.
    std::vector<float> weights;
    for (int i = 0; i < 3000; ++i)
        weights.push_back(static_cast<float>((i * 7) % 10) * (i % 2 == 0 ? 1.0F : -1.0F));
    Network network = layers(weights, {1});
    prune_by_magnitude(network, 0.55);
    // 1650 go: all below 5 and the first 150 of those that are 5 (sorted by index, i = 5, 15, ...).
    int fives = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const float magnitude = std::abs(weights[i]);
        const bool gone = magnitude < 5 || (magnitude == 5 && fives++ < 150);
        CHECK(conv_weights(network)[i] == (gone ? 0.0F : weights[i]));
    }
}

TEST_CASE("a layer may have a ratio of its own, and each remembers what it was pruned to") {
    Network network = layers({1, 2, 3, 4}, {1, 2, 3, 4});
    prune_by_magnitude(network, PruningRatios{0.75, {{"fc", 0.25}}});
    CHECK(conv_weights(network) == std::vector<float>{0, 0, 0, 4});
    CHECK(linear_weights(network) == std::vector<float>{0, 2, 3, 4});
    CHECK(network.nodes[0].pruned_ratio == 0.75);
    CHECK(network.nodes[1].pruned_ratio == 0.25);
}

TEST_CASE("ratios are shares of the whole layer: zeros count") {
    Network network = layers({0, 0, 3, 4}, {1});
    prune_by_magnitude(network, 0.5);
    CHECK(conv_weights(network) == std::vector<float>{0, 0, 3, 4});
}

TEST_CASE("a ratio for a layer that is none names the layers there are") {
    Network network = layers({1}, {1});
    const auto before = network;
    const auto message = refusal([&] {
        prune_by_magnitude(network, PruningRatios{0, {{"fc2", 0.5}}});
    });
    CHECK(message.find("'fc2'") != std::string::npos);
    CHECK(message.find("conv, fc") != std::string::npos);
    CHECK(refusal([&] {
              prune_by_magnitude(network, PruningRatios{0, {{"fc", 1.0}}});
          }).find("'fc'") != std::string::npos);
    CHECK(network == before);
}

TEST_CASE("a pruning ratio outside [0, 1) is refused") {
    for (const double ratio : {-0.1, 1.0, 2.0, std::nan("")}) {
        Network network = layers({1}, {1});
        CHECK(refusal([&] { prune_by_magnitude(network, ratio); }).find("pruning ratio") == 0);
    }
}

TEST_CASE("channels without weights become constants, and the network computes what it did") {
    Network network;
    network.input = {1, 1, 1};
    ConvOp conv;
    conv.weight = {{3, 1, 1, 1}, {0, 2, -0.0F}};
    conv.bias = {{3}, {5, 6, 0}};
    BatchNormOp norm;
    norm.weight = {{3}, {2, 3, 0.25F}};
    norm.bias = {{3}, {1, 1, 1}};
    norm.running_mean = {{3}, {4, 0, 1}};
    norm.running_variance = {{3}, {0.25F, 1, 0}};
    norm.epsilon = 0.0625F;
    network.nodes = {{"x", InputOp{}, {}}, {"conv", conv, {"x"}}, {"bn", norm, {"conv"}}};
    CHECK(retire_dead_channels(network) == 2);
    const auto& found = operation<BatchNormOp>(network, "bn");
    CHECK(found.weight.values == std::vector<float>{0, 3, 0});
    CHECK(found.running_mean.values == std::vector<float>{0, 0, 0});
    CHECK(found.running_variance.values == std::vector<float>{1, 1, 1});
    // By hand: 1 + 2 (5 - 4) / sqrt(0.3125), and 1 + 0.25 (0 - 1) / 0.25.
    CHECK(found.bias.values[0] == doctest::Approx(1 + 2 / std::sqrt(0.3125)));
    CHECK(found.bias.values[1] == 1);
    CHECK(found.bias.values[2] == 0);
    CHECK(operation<ConvOp>(network, "conv") == conv);
    CHECK(retire_dead_channels(network) == 2);  // again: nothing changes
    CHECK(operation<BatchNormOp>(network, "bn").bias.values[1] == 1);
}
