#include <doctest/doctest.h>

#include <cmath>

#include "circuit/error.hpp"
#include "nn/training/admm.hpp"
#include "tests/training/networks.hpp"

// libtorch brings glog's macros of the same names.
#undef CHECK
#define CHECK(...) DOCTEST_CHECK(__VA_ARGS__)

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

/// conv: 4, -3, 2, 1 of which half go; fc: 0.5, -1, 0.25 of which one goes.
Network sample() {
    return chain({1, 1, 1},
                 {{"conv", convolution(tensor({4, 1, 1, 1}, {4, -3, 2, 1}))},
                  {"relu", ReluOp{}},
                  {"fc", LinearOp{tensor({1, 3}, {0.5F, -1, 0.25F}), tensor({1}, {7})}}});
}

const PruningRatios ratios{0.5, {{"fc", 0.3}}};

void set(const torch::Tensor& weight, const std::vector<double>& values) {
    const torch::NoGradGuard no_gradient;
    weight.copy_(torch::tensor(values, torch::kDouble).reshape(weight.sizes()));
}

}  // namespace

TEST_CASE("Z starts as the pruned weights and U as zero") {
    const TorchNetwork network(sample());
    const AdmmSplit admm(network, ratios);
    CHECK(admm.split().at("conv").values == std::vector<float>{4, -3, 0, 0});
    CHECK(admm.split().at("fc").values == std::vector<float>{0.5F, -1, 0});
    CHECK(admm.dual().at("conv").values == std::vector<float>(4, 0));
    // ‖W - Z‖² = 4 + 1 + 1/16, ‖W‖² = 16 + 9 + 4 + 1 + 1/4 + 1 + 1/16
    CHECK(admm.distance() == doctest::Approx(std::sqrt(5.0625 / 31.3125)).epsilon(1e-6));
}

TEST_CASE("Z and U are updated as on paper") {
    TorchNetwork network(sample());
    AdmmSplit admm(network, ratios);
    admm.update();  // Z = Π(W + 0) as before, U = W - Z
    CHECK(admm.split().at("conv").values == std::vector<float>{4, -3, 0, 0});
    CHECK(admm.dual().at("conv").values == std::vector<float>{0, 0, 2, 1});
    admm.update();  // W + U = 4, -3, 4, 2: Z keeps 4 and the later 4, U = 0, -3, 0, 2
    CHECK(admm.split().at("conv").values == std::vector<float>{4, 0, 4, 0});
    CHECK(admm.dual().at("conv").values == std::vector<float>{0, -3, 0, 2});
    admm.scale_dual(0.1);
    CHECK(admm.dual().at("conv").values[3] == doctest::Approx(0.2));
}

TEST_CASE("the penalty and its gradient are rho/2 |W - Z + U|^2 and rho (W - Z + U)") {
    const TorchNetwork network(sample(), torch::kDouble);
    AdmmSplit admm(network, ratios);
    admm.update();
    const auto conv = network.weight("conv");
    const auto fc = network.weight("fc");
    set(conv, {4.5, -3, 1, 1});
    // conv: W - Z + U = 0.5, 0, 3, 2; fc: 0, 0, 0.25 + 0.25.
    const double rho = 0.1;
    const auto penalty = admm.penalty(rho);
    CHECK(penalty.item<double>() ==
          doctest::Approx(rho / 2 * (0.25 + 9 + 4 + 0.25)).epsilon(1e-14));
    penalty.backward();
    const std::vector<double> expected{0.05, 0, 0.3, 0.2};
    for (std::int64_t i = 0; i < 4; ++i)
        CHECK(conv.grad().flatten()[i].item<double>() ==
              doctest::Approx(expected[static_cast<std::size_t>(i)]).epsilon(1e-14));
    CHECK(fc.grad().flatten()[2].item<double>() == doctest::Approx(0.05).epsilon(1e-14));
}

TEST_CASE("the penalty's gradient is its slope, in double precision") {
    const TorchNetwork network(sample(), torch::kDouble);
    AdmmSplit admm(network, ratios);
    admm.update();
    const auto conv = network.weight("conv");
    const std::vector<double> start{4.5, -2, 1.25, 0.75};
    set(conv, start);
    admm.penalty(0.3).backward();
    const double step = 1e-4;  // central differences of a quadratic: exact but for rounding
    for (std::size_t i = 0; i < start.size(); ++i) {
        auto moved = start;
        moved[i] = start[i] + step;
        set(conv, moved);
        const double above = admm.penalty(0.3).item<double>();
        moved[i] = start[i] - step;
        set(conv, moved);
        const double below = admm.penalty(0.3).item<double>();
        CHECK(conv.grad().flatten()[static_cast<std::int64_t>(i)].item<double>() ==
              doctest::Approx((above - below) / (2 * step)).epsilon(1e-9));
    }
}

TEST_CASE("without another loss ADMM brings a layer to its sparsity") {
    // W <- Z - U minimises the penalty alone; then W + U = Z, which is pruned already.
    TorchNetwork network(sample());
    AdmmSplit admm(network, ratios);
    admm.update();
    const auto conv = network.weight("conv");
    const auto fc = network.weight("fc");
    for (int round = 0; round < 200; ++round) {
        conv.mutable_grad() = torch::Tensor();
        fc.mutable_grad() = torch::Tensor();
        admm.penalty(1).backward();
        const torch::NoGradGuard no_gradient;
        conv.sub_(0.5 * conv.grad());
        fc.sub_(0.5 * fc.grad());
        if (round % 10 == 9) admm.update();
    }
    CHECK(admm.distance() < 1e-3);
}

TEST_CASE("Z and U come back as they were kept, and only for the same layers") {
    const TorchNetwork network(sample());
    AdmmSplit admm(network, ratios);
    admm.update();
    admm.update();
    AdmmSplit other(network, ratios);
    other.restore(admm.split(), admm.dual());
    // In parentheses: glog would print maps, and cannot print tensors.
    CHECK((other.split() == admm.split()));
    CHECK((other.dual() == admm.dual()));
    auto split = admm.split();
    split.erase("fc");
    CHECK_THROWS_AS(other.restore(split, admm.dual()), InvalidInput);
    split["fc"] = tensor({2}, {1, 2});
    CHECK_THROWS_AS(other.restore(split, admm.dual()), InvalidInput);
    CHECK_THROWS_AS(AdmmSplit(network, {0.5, {{"no such layer", 0.5}}}), InvalidInput);
}
