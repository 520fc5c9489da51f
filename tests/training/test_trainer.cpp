#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "circuit/error.hpp"
#include "data/digits.hpp"
#include "nn/training/trainer.hpp"
#include "tests/training/networks.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

std::vector<float>& weights_of(Network& network, const std::string& name) {
    for (Node& node : network.nodes) {
        if (node.name != name) continue;
        if (auto* conv = std::get_if<ConvOp>(&node.operation)) return conv->weight.values;
        return std::get<LinearOp>(node.operation).weight.values;
    }
    throw std::logic_error("no such layer");
}

/// One white pixel seen by two outputs.
Network two_outputs() {
    return chain({1, 1, 1}, {{"fc", LinearOp{tensor({2, 1}, {0.5F, 0.2F}), tensor({2}, {0, 0})}}});
}

const LabelledImages white_pixel{{1, 1, 1}, {255}, {0}};

}  // namespace

TEST_CASE("the first step of Adam is the learning rate against the sign of the gradient") {
    // d loss / d output = softmax - target: negative for the labelled class 0, positive for 1.
    // AdamW: w <- w (1 - rate decay) - rate sign(g); a bias does not decay.
    auto network = two_outputs();
    TrainingSettings settings{.epochs = 1, .learning_rate = 0.01, .weight_decay = 0.1};
    const auto losses = train(network, white_pixel, settings);
    const auto& linear = std::get<LinearOp>(network.nodes[1].operation);
    CHECK(linear.weight.values[0] == doctest::Approx(0.5 * 0.999 + 0.01).epsilon(1e-6));
    CHECK(linear.weight.values[1] == doctest::Approx(0.2 * 0.999 - 0.01).epsilon(1e-6));
    CHECK(linear.bias.values[0] == doctest::Approx(0.01).epsilon(1e-6));
    CHECK(linear.bias.values[1] == doctest::Approx(-0.01).epsilon(1e-6));
    REQUIRE(losses.size() == 1);
    CHECK(losses[0] == doctest::Approx(std::log(1 + std::exp(0.2 - 0.5))).epsilon(1e-6));
}

TEST_CASE("the learning rate falls along half a cosine") {
    // Two epochs of one step at rates r and r / 2. The gradient hardly changes between them, so
    // that each step is as long as its rate: 0.5 + 1.5 r.
    auto network = two_outputs();
    train(network, white_pixel, {.epochs = 2, .learning_rate = 0.01, .weight_decay = 0});
    const auto& linear = std::get<LinearOp>(network.nodes[1].operation);
    CHECK(linear.weight.values[0] == doctest::Approx(0.5 + 0.015).epsilon(2e-4));
}

TEST_CASE("SGD steps against the gradient and what is left of the steps before") {
    // One white pixel, weights a, b and biases zero: outputs a, b. Gradients of both weight and
    // bias of class 0 are p - 1 and of class 1 are 1 - p, with p the softmax of class 0. First step
    // at rate r: v = g + decay w, w -= r v.
    auto network = two_outputs();
    const double decay = 0.1;
    const double rate = 0.01;
    train(network, white_pixel,
          {.epochs = 1, .learning_rate = rate, .weight_decay = decay, .optimizer = Optimizer::sgd});
    const double p = 1 / (1 + std::exp(0.2 - 0.5));
    const auto& once = std::get<LinearOp>(network.nodes[1].operation);
    CHECK(once.weight.values[0] ==
          doctest::Approx(0.5 - rate * (p - 1 + decay * 0.5)).epsilon(1e-6));
    CHECK(once.weight.values[1] ==
          doctest::Approx(0.2 - rate * (1 - p + decay * 0.2)).epsilon(1e-6));
    CHECK(once.bias.values[0] == doctest::Approx(rate * (1 - p)).epsilon(1e-6));

    // Two epochs of one step at rates r and r / 2, no decay: the bias of class 0 becomes
    // r (1 - p) + r/2 (momentum (1 - p) + 1 - p'), p' after outputs moved apart by 4 r (1 - p).
    auto again = two_outputs();
    train(again, white_pixel,
          {.epochs = 2,
           .learning_rate = rate,
           .weight_decay = 0,
           .optimizer = Optimizer::sgd,
           .momentum = 0.5});
    const double apart = 0.3 + 4 * rate * (1 - p);
    const double p_after = 1 / (1 + std::exp(-apart));
    const auto& twice = std::get<LinearOp>(again.nodes[1].operation);
    CHECK(twice.bias.values[0] ==
          doctest::Approx(rate * (1 - p) + rate / 2 * (0.5 * (1 - p) + 1 - p_after)).epsilon(1e-6));
}

TEST_CASE("augmented training replays, and sees other images") {
    const auto images = draw_digits(2, 0, 40);
    TrainingSettings settings{.epochs = 2, .batch_size = 20, .augmentation = {3, true}};
    auto first = small_digit_network();
    auto second = small_digit_network();
    auto plain = small_digit_network();
    train(first, images, settings);
    train(second, images, settings);
    settings.augmentation = {};
    train(plain, images, settings);
    CHECK(first == second);
    CHECK(weights_of(first, "fc") != weights_of(plain, "fc"));
}

TEST_CASE("masked weights stay exactly zero and the others learn") {
    auto network = small_digit_network();
    auto& before = weights_of(network, "fc");
    for (std::size_t i = 0; i < before.size(); i += 3) before[i] = 0;
    auto& kernel = weights_of(network, "conv");
    kernel[4] = 0;
    const auto masks = masks_of_nonzero(network);
    const auto start = network;
    train(network, draw_digits(2, 0, 100), {.epochs = 2, .batch_size = 20}, masks);
    for (const auto& [layer, mask] : masks) {
        const auto& weights = weights_of(network, layer);
        auto untrained = start;
        const auto& old = weights_of(untrained, layer);
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (mask[i] == 0) {
                CHECK(weights[i] == 0.0F);
                CHECK_FALSE(std::signbit(weights[i]));
            } else if (layer == "conv") {
                CHECK(weights[i] != old[i]);
            }
        }
    }
    CHECK(sparsity_of(network)[0].zeros == 1);
    CHECK(sparsity_of(network)[1].zeros == 480);  // every third of 1,440
}

TEST_CASE("a mask zeroes a weight that was not zero") {
    auto network = two_outputs();
    train(network, white_pixel, {.epochs = 1}, {{"fc", {1, 0}}});
    CHECK(weights_of(network, "fc")[1] == 0.0F);
    CHECK(weights_of(network, "fc")[0] != 0.0F);
}

TEST_CASE("the loss falls and digits are recognised") {
    auto network = small_digit_network();
    const auto images = draw_digits(2, 0, 200);
    const double before = classification_accuracy(network, images);
    const auto losses =
        train(network, images, {.epochs = 12, .batch_size = 20, .learning_rate = 0.01});
    REQUIRE(losses.size() == 12);
    CHECK(losses.back() < 0.3 * losses.front());
    CHECK(before < 0.4);  // chance: 0.1
    CHECK(classification_accuracy(network, images) > 0.75);
}

TEST_CASE("the same seed gives the same weights, another seed others") {
    const auto images = draw_digits(2, 0, 60);
    auto first = small_digit_network();
    auto second = small_digit_network();
    auto third = small_digit_network();
    const auto losses = train(first, images, {.epochs = 2, .batch_size = 20, .seed = 4});
    CHECK(train(second, images, {.epochs = 2, .batch_size = 20, .seed = 4}) == losses);
    train(third, images, {.epochs = 2, .batch_size = 20, .seed = 5});
    CHECK(first == second);
    CHECK(weights_of(first, "fc") != weights_of(third, "fc"));
}

TEST_CASE("initial weights have variance 2 / inputs and depend on the seed") {
    auto network = chain({1, 1, 100}, {{"fc", LinearOp{zeros({200, 100}), zeros({200})}}});
    auto& bias = std::get<LinearOp>(network.nodes[1].operation).bias.values;
    bias.assign(200, 7.0F);
    initialize_weights(network, 1);
    const auto weights = weights_of(network, "fc");
    double sum = 0;
    double squares = 0;
    for (const float weight : weights) {
        sum += static_cast<double>(weight);
        squares += static_cast<double>(weight) * static_cast<double>(weight);
        CHECK(std::abs(weight) <= std::sqrt(6.0F / 100));
    }
    // 20,000 weights: the mean is within 4 deviations 0.141 / sqrt(20000), the variance, whose
    // relative deviation is sqrt(0.8 / 20000), within 4 of those.
    CHECK(std::abs(sum / 20000) < 0.004);
    CHECK(squares / 20000 == doctest::Approx(0.02).epsilon(0.026));
    CHECK(std::all_of(bias.begin(), bias.end(), [](float value) { return value == 0; }));
    initialize_weights(network, 2);
    CHECK(weights_of(network, "fc") != weights);
}

TEST_CASE("pixels are normalised per channel as the network says") {
    // Channel 0: (255/255 - 0.5) / 0.25 = 2; channel 1: (51/255 - 0.2) / 1 = 0.
    auto network =
        chain({2, 1, 1}, {{"fc", LinearOp{tensor({2, 2}, {1, 0, 0, 1}), tensor({2}, {0, 1})}}});
    network.mean = {0.5F, 0.2F};
    network.deviation = {0.25F, 1.0F};
    // Outputs 2 and 1: class 0. Without normalisation they would be 1 and 1.2: class 1.
    CHECK(predict_classes(network, {{2, 1, 1}, {255, 51}, {0}}) == std::vector<std::int32_t>{0});
}

TEST_CASE("accuracy is the share of images whose label is the largest output") {
    const auto network = chain({1, 1, 2}, {{"fc", LinearOp{tensor({2, 2}, {1, 0, 0, 1}), {}}}});
    const LabelledImages images{{1, 1, 2}, {9, 1, 1, 9, 9, 1, 1, 9}, {0, 1, 1, 1}};
    CHECK(predict_classes(network, images) == std::vector<std::int32_t>{0, 1, 0, 1});
    CHECK(classification_accuracy(network, images) == 0.75);
}

TEST_CASE("progress counts every batch, the last of which may be short") {
    auto network = small_digit_network();
    std::vector<std::pair<std::size_t, std::size_t>> seen;
    train(network, draw_digits(2, 0, 25), {.epochs = 2, .batch_size = 10}, {},
          [&](const TrainingProgress& now) {
              seen.emplace_back(now.epoch, now.batch);
              CHECK(now.batches == 3);
              CHECK(std::isfinite(now.loss));
          });
    CHECK(seen == std::vector<std::pair<std::size_t, std::size_t>>{
                      {0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}});
}

TEST_CASE("an interrupted training leaves the network as it was") {
    auto network = small_digit_network();
    const auto before = network;
    const auto interrupt = [](const TrainingProgress& now) {
        if (now.epoch == 1) throw Interrupted();
    };
    CHECK_THROWS_AS(train(network, draw_digits(2, 0, 20), {.epochs = 3}, {}, interrupt),
                    Interrupted);
    CHECK(network == before);
}

TEST_CASE("images, labels and settings that do not fit are refused") {
    auto network = two_outputs();
    CHECK_THROWS_AS(train(network, {{1, 1, 1}, {}, {}}, {}), InvalidInput);
    CHECK_THROWS_AS(train(network, {{1, 1, 2}, {1, 2}, {0}}, {}), InvalidInput);
    CHECK_THROWS_WITH_AS(train(network, {{1, 1, 1}, {1}, {2}}, {}),
                         "label 2 is none of the network's 2 classes", InvalidInput);
    CHECK_THROWS_AS(train(network, {{1, 1, 1}, {1}, {-1}}, {}), InvalidInput);
    CHECK_THROWS_AS(train(network, white_pixel, {.batch_size = 0}), InvalidInput);
    CHECK_THROWS_AS(train(network, white_pixel, {.learning_rate = 0}), InvalidInput);
    CHECK_THROWS_AS(train(network, white_pixel, {.learning_rate = NAN}), InvalidInput);
    CHECK_THROWS_AS(train(network, white_pixel, {.weight_decay = -1}), InvalidInput);
    CHECK_THROWS_AS(train(network, white_pixel, {.momentum = 1}), InvalidInput);
    CHECK_THROWS_AS(train(network, white_pixel, {.threads = 0}), InvalidInput);
    network.mean.clear();
    CHECK_THROWS_AS(train(network, white_pixel, {}), InvalidInput);
    CHECK(network.nodes == two_outputs().nodes);
}
