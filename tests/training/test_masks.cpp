#include <doctest/doctest.h>

#include "nn/training/masks.hpp"
#include "tests/training/networks.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

Network sample() {
    return chain(
        {1, 1, 2},
        {{"conv", convolution(tensor({2, 1, 1, 1}, {0.0F, 3.0F}), tensor({2}, {0.0F, 0.0F}))},
         {"relu", ReluOp{}},
         {"fc", LinearOp{tensor({1, 4}, {0.0F, -0.0F, 1.0F, 0.0F}), {}}}});
}

}  // namespace

TEST_CASE("masks hold the weights that are zero now, of either sign") {
    const auto masks = masks_of_nonzero(sample());
    REQUIRE(masks.size() == 2);
    CHECK(masks.at("conv") == std::vector<std::uint8_t>{0, 1});
    CHECK(masks.at("fc") == std::vector<std::uint8_t>{0, 0, 1, 0});
}

TEST_CASE("sparsity counts weights layer by layer, biases left out") {
    const auto layers = sparsity_of(sample());
    REQUIRE(layers.size() == 2);
    CHECK(layers[0].layer == "conv");
    CHECK(layers[0].weights == 2);
    CHECK(layers[0].zeros == 1);
    CHECK(layers[1].layer == "fc");
    CHECK(layers[1].fraction() == 0.75);
}

TEST_CASE("a layer without weights has sparsity zero, not a division by zero") {
    CHECK(LayerSparsity{"empty", 0, 0}.fraction() == 0);
}
