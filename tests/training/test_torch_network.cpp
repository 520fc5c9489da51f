#include <doctest/doctest.h>

#include <cmath>

#include "circuit/error.hpp"
#include "nn/training/torch_network.hpp"
#include "tests/training/networks.hpp"

// libtorch brings glog's macro of the same name.
#undef CHECK
#define CHECK(...) DOCTEST_CHECK(__VA_ARGS__)

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

/// Runs one image of small integers, exact in float.
std::vector<float> run(const Network& network, const std::vector<float>& image) {
    const auto extent = [](std::size_t value) { return static_cast<std::int64_t>(value); };
    const torch::NoGradGuard no_gradient;
    const auto input = torch::tensor(at::ArrayRef<float>(image))
                           .reshape({1, extent(network.input.channels),
                                     extent(network.input.height), extent(network.input.width)});
    const auto output = TorchNetwork(network).forward(input, Phase::evaluate).contiguous();
    const float* values = output.data_ptr<float>();
    return {values, values + output.numel()};
}

const std::vector<float> one_to_nine{1, 2, 3, 4, 5, 6, 7, 8, 9};

/// y = a + 2 b - d + 1/2 over every 2 x 2 window [a b; c d].
ConvOp window_sum() {
    return convolution(tensor({1, 1, 2, 2}, {1, 2, 0, -1}), tensor({1}, {0.5F}));
}

std::string message_of(const Network& network, const std::vector<float>& image) {
    try {
        run(network, image);
    } catch (const InvalidInput& error) {
        return error.what();
    }
    return "no error";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a chain of layers gives what paper gives") {
    // Convolution: 1 + 4 - 5 = 0, 2 + 6 - 6 = 2, 4 + 10 - 8 = 6, 5 + 12 - 9 = 8, plus 1/2.
    auto network = chain({1, 3, 3}, {{"conv", window_sum()}});
    CHECK(run(network, one_to_nine) == std::vector<float>{0.5F, 2.5F, 6.5F, 8.5F});
    // Batch normalisation: 2 (x - 4.5) / sqrt(4) + 1 = x - 3.5.
    BatchNormOp norm{tensor({1}, {2}), tensor({1}, {1}), tensor({1}, {4.5F}), tensor({1}, {4})};
    norm.epsilon = 0;
    network = chain({1, 3, 3}, {{"conv", window_sum()}, {"bn", norm}});
    CHECK(run(network, one_to_nine) == std::vector<float>{-3, -1, 3, 5});
    network = chain({1, 3, 3}, {{"conv", window_sum()}, {"bn", norm}, {"relu", ReluOp{}}});
    CHECK(run(network, one_to_nine) == std::vector<float>{0, 0, 3, 5});
    // Linear: 3 3 + 4 5 + 1 = 30 and -3 + 5 / 2 + 2 = 1.5.
    LinearOp linear{tensor({2, 4}, {1, 2, 3, 4, 0, 1, -1, 0.5F}), tensor({2}, {1, 2})};
    network = chain({1, 3, 3},
                    {{"conv", window_sum()}, {"bn", norm}, {"relu", ReluOp{}}, {"fc", linear}});
    CHECK(run(network, one_to_nine) == std::vector<float>{30, 1.5F});
}

TEST_CASE("stride, padding and groups are the convolution's own") {
    ConvOp conv = convolution(tensor({2, 1, 1, 1}, {2, 3}));
    conv.groups = 2;
    CHECK(run(chain({2, 1, 2}, {{"conv", conv}}), {1, 2, 10, 20}) ==
          std::vector<float>{2, 4, 30, 60});
    ConvOp strided = convolution(tensor({1, 1, 1, 1}, {1}));
    strided.stride = 2;
    CHECK(run(chain({1, 3, 3}, {{"conv", strided}}), one_to_nine) ==
          std::vector<float>{1, 3, 7, 9});
    // [1 2; 3 4] in a frame of zeros, every window's lower right value.
    const auto padded = convolution(tensor({1, 1, 2, 2}, {0, 0, 0, 1}), {}, 1);
    CHECK(run(chain({1, 2, 2}, {{"conv", padded}}), {1, 2, 3, 4}) ==
          std::vector<float>{1, 2, 0, 3, 4, 0, 0, 0, 0});
}

TEST_CASE("pooling: average counts its padding as zeros, maximum ignores it") {
    const auto average = PoolOp::Kind::average;
    const auto maximum = PoolOp::Kind::maximum;
    CHECK(run(chain({1, 2, 2}, {{"pool", pool(average, 2, 2, 1)}}), {1, 2, 3, 4}) ==
          std::vector<float>{0.25F, 0.5F, 0.75F, 1});
    CHECK(run(chain({1, 2, 2}, {{"pool", pool(maximum, 2, 2, 1)}}), {-1, -2, -3, -4}) ==
          std::vector<float>{-1, -2, -3, -4});
    CHECK(run(chain({2, 1, 2}, {{"pool", pool(average, 0, 1, 0)}}), {1, 3, 10, 30}) ==
          std::vector<float>{2, 20});
    CHECK(run(chain({2, 1, 2}, {{"pool", pool(maximum, 0, 1, 0)}}), {1, 3, 10, 30}) ==
          std::vector<float>{3, 30});
}

TEST_CASE("both residual shortcuts: an addition, and padding with zero channels") {
    auto network = chain({1, 3, 3}, {{"shortcut", PadShortcutOp{2, 3}}});
    CHECK(run(network, one_to_nine) == std::vector<float>{0, 0, 0, 0, 1, 3, 7, 9, 0, 0, 0, 0});
    network = chain({1, 1, 2}, {{"conv", convolution(tensor({1, 1, 1, 1}, {-2}))}});
    network.nodes.push_back({"add", AddOp{}, {"conv", "input"}});
    CHECK(run(network, {3, 5}) == std::vector<float>{-3, -5});
}

TEST_CASE("gradients of every parameter agree with finite differences") {
    BatchNormOp norm{tensor({2}, {1.5F, 0.7F}), tensor({2}, {0.2F, 0.1F}), tensor({2}, {0, 0}),
                     tensor({2}, {1, 1})};
    const auto conv = convolution(tensor({2, 1, 2, 2}, {.3F, -.2F, .5F, .1F, -.4F, .6F, .2F, .7F}),
                                  tensor({2}, {.1F, -.3F}));
    const LinearOp linear{tensor({3, 2}, {.5F, -.7F, .2F, .9F, -.1F, .4F}),
                          tensor({3}, {.1F, .2F, -.3F})};
    TorchNetwork network(chain({1, 4, 4}, {{"conv", conv},
                                           {"bn", norm},
                                           {"relu", ReluOp{}},
                                           {"pool", pool(PoolOp::Kind::average, 0, 1, 0)},
                                           {"fc", linear}}),
                         torch::kDouble);
    const auto images = torch::arange(48, torch::kDouble).mul(0.37).sin().reshape({3, 1, 4, 4});
    const auto labels = torch::tensor({0, 2, 1}, torch::kLong);
    const auto loss = [&] {
        return torch::nn::functional::cross_entropy(network.forward(images, Phase::train), labels);
    };
    loss().backward();
    auto parameters = network.weights();
    for (const auto& other : network.other_parameters()) parameters.push_back(other);
    REQUIRE(parameters.size() == 6);
    constexpr double step = 1e-5;  // error about step^2 and 1e-16 / step
    for (const auto& parameter : parameters) {
        const torch::NoGradGuard no_gradient;
        REQUIRE(parameter.grad().defined());
        double* values = parameter.data_ptr<double>();
        for (std::int64_t i = 0; i < parameter.numel(); ++i) {
            const double before = values[i];
            values[i] = before + step;
            const double above = loss().item<double>();
            values[i] = before - step;
            const double below = loss().item<double>();
            values[i] = before;
            const double gradient = parameter.grad().flatten()[i].item<double>();
            CHECK(std::abs((above - below) / (2 * step) - gradient) < 1e-8);
        }
    }
}

TEST_CASE("training normalises by the batch and follows its statistics") {
    BatchNormOp norm{tensor({1}, {1}), tensor({1}, {0}), tensor({1}, {0}), tensor({1}, {1})};
    norm.epsilon = 0;
    TorchNetwork network(chain({1, 1, 2}, {{"bn", norm}}));
    const torch::NoGradGuard no_gradient;
    // Mean 3, variance 4 (population), 16 / 3 (sample).
    const auto images = torch::tensor({1.0F, 1.0F, 5.0F, 5.0F}).reshape({2, 1, 1, 2});
    const auto output = network.forward(images, Phase::train).flatten();
    CHECK(output[0].item<float>() == doctest::Approx(-1));
    CHECK(output[3].item<float>() == doctest::Approx(1));
    const auto after = network.network();
    const auto& stored = std::get<BatchNormOp>(after.nodes[1].operation);
    CHECK(stored.running_mean.values[0] == doctest::Approx(0.3));                  // 0.1 x 3
    CHECK(stored.running_variance.values[0] == doctest::Approx(0.9 + 1.6 / 3.0));  // + 0.1 x 16/3
}

TEST_CASE("weights come back as they went in") {
    BatchNormOp norm{tensor({1}, {2}), tensor({1}, {1}), tensor({1}, {4.5F}), tensor({1}, {4})};
    const auto network =
        chain({1, 3, 3}, {{"conv", window_sum()},
                          {"bn", norm},
                          {"fc", LinearOp{tensor({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}), {}}}});
    CHECK(TorchNetwork(network).network() == network);
    CHECK(TorchNetwork(network).weight("fc").sizes() == at::IntArrayRef{2, 4});
}

TEST_CASE("changing the tensors leaves the network they came from alone") {
    const auto network = chain({1, 1, 1}, {{"fc", LinearOp{tensor({1, 1}, {3}), {}}}});
    const auto copy = network;
    TorchNetwork torch_network(network);
    const torch::NoGradGuard no_gradient;
    torch_network.weight("fc").fill_(9);
    CHECK(network == copy);
    CHECK(std::get<LinearOp>(torch_network.network().nodes[1].operation).weight.values[0] == 9);
}

TEST_CASE("a network that cannot run is refused by the name of the node") {
    SUBCASE("an input that does not exist") {
        auto network = chain({1, 3, 3}, {{"conv", window_sum()}});
        network.nodes[1].inputs = {"ghost"};
        CHECK(contains(message_of(network, one_to_nine), "ghost"));
    }
    SUBCASE("an input that comes later") {
        auto network = chain({1, 3, 3}, {{"relu", ReluOp{}}, {"conv", window_sum()}});
        network.nodes[1].inputs = {"conv"};
        CHECK(contains(message_of(network, one_to_nine), "'relu'"));
    }
    SUBCASE("an addition of one") {
        const auto network = chain({1, 3, 3}, {{"add", AddOp{}}});
        CHECK(contains(message_of(network, one_to_nine), "'add'"));
    }
    SUBCASE("a shape that does not hold its values") {
        const auto network = chain({1, 3, 3}, {{"conv", convolution(tensor({1, 1, 2, 2}, {1}))}});
        CHECK(contains(message_of(network, one_to_nine), "1 x 1 x 2 x 2 has 1 values"));
    }
    SUBCASE("a layer without weights") {
        const auto network = chain({1, 3, 3}, {{"fc", LinearOp{}}});
        CHECK(contains(message_of(network, one_to_nine), "'fc': has no weights"));
    }
    SUBCASE("weights for another number of inputs") {
        const auto network = chain({1, 3, 3}, {{"fc", LinearOp{tensor({1, 2}, {1, 2}), {}}}});
        CHECK(contains(message_of(network, one_to_nine), "'fc'"));
    }
    SUBCASE("channels that cannot be padded evenly") {
        const auto network = chain({1, 3, 3}, {{"shortcut", PadShortcutOp{2, 4}}});
        CHECK(contains(message_of(network, one_to_nine), "'shortcut'"));
    }
    SUBCASE("no nodes at all") {
        CHECK_THROWS_WITH_AS(TorchNetwork{Network{}}, "the network has no nodes", InvalidInput);
    }
}

TEST_CASE("masks that do not fit are refused by layer") {
    TorchNetwork network(chain({1, 3, 3}, {{"relu", ReluOp{}}, {"conv", window_sum()}}));
    CHECK_THROWS_WITH_AS(network.set_masks({{"conv", {1, 0}}}),
                         "node 'conv': has 4 weights, its mask 2", InvalidInput);
    CHECK_THROWS_WITH_AS(network.set_masks({{"relu", {1}}}), "node 'relu': has no weights to mask",
                         InvalidInput);
    CHECK_THROWS_AS(network.set_masks({{"ghost", {1}}}), InvalidInput);
}
