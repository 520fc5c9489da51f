#include <doctest/doctest.h>

#include "nn/feature_maps.hpp"
#include "small_networks.hpp"

using namespace kirchnet;

namespace {

FeatureMaps maps(const ImageShape& shape, std::size_t images, std::vector<float> values) {
    FeatureMaps result;
    result.resize(shape, images);
    result.values = std::move(values);
    return result;
}

FeatureMaps applied(const Operation& operation, const FeatureMaps& in) {
    FeatureMaps out;
    apply(operation, {&in}, out);
    return out;
}

}  // namespace

TEST_CASE("pixels are normalised per channel and laid out channel by channel over the images") {
    Network network;
    network.input = {2, 1, 1};
    network.mean = {0.0F, 1.0F};
    network.deviation = {1.0F, 0.5F};
    LabelledImages images{{2, 1, 1}, {0, 255, 255, 0, 51, 51}, {0, 0, 0}};
    FeatureMaps out;
    load_images(network, images, 1, 2, out);
    // Image 1 is (255, 0), image 2 is (51, 51): channel 0 first, both images.
    const std::vector<float> expected{1.0F, 0.2F, (0.0F - 1) / 0.5F, (0.2F - 1) / 0.5F};
    REQUIRE(out.values.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) CHECK(out.values[i] == doctest::Approx(expected[i]));
}

TEST_CASE("batch norm is weight (x - mean) / sqrt(variance + epsilon) + bias") {
    // (3 - 1) / sqrt(3 + 1) * 5 + 7 = 12 and (-1 - 1) / 2 * 5 + 7 = 2
    const BatchNormOp norm{{{1}, {5}}, {{1}, {7}}, {{1}, {1}}, {{1}, {3}}, 1.0F};
    CHECK(applied(norm, maps({1, 1, 2}, 1, {3, -1})).values == std::vector<float>{12, 2});
}

TEST_CASE("ReLU keeps what is positive") {
    CHECK(applied(ReluOp{}, maps({1, 1, 3}, 1, {-2, 0, 5})).values == std::vector<float>{0, 0, 5});
}

TEST_CASE("pooling over the whole map averages or takes the largest") {
    const auto in = maps({2, 2, 2}, 1, {1, 2, 3, 6, -1, -2, -3, -6});
    CHECK(applied(PoolOp{PoolOp::Kind::average, 0, 1, 0}, in).values == std::vector<float>{3, -3});
    CHECK(applied(PoolOp{PoolOp::Kind::maximum, 0, 1, 0}, in).values == std::vector<float>{6, -1});
}

TEST_CASE("a padded average counts zeros, a padded maximum ignores them") {
    // 2 x 2 windows, stride 2, padding 1 over [-1 -2; -3 -4]: each window holds one pixel.
    const auto in = maps({1, 2, 2}, 1, {-1, -2, -3, -4});
    CHECK(applied(PoolOp{PoolOp::Kind::average, 2, 2, 1}, in).values ==
          std::vector<float>{-0.25F, -0.5F, -0.75F, -1.0F});
    CHECK(applied(PoolOp{PoolOp::Kind::maximum, 2, 2, 1}, in).values ==
          std::vector<float>{-1, -2, -3, -4});
}

TEST_CASE("the shortcut without parameters takes every other pixel and pads channels evenly") {
    const auto in = maps({1, 3, 3}, 1, {1, 2, 3, 4, 5, 6, 7, 8, 9});
    const auto out = applied(PadShortcutOp{2, 3}, in);
    CHECK(out.shape == ImageShape{3, 2, 2});
    CHECK(out.values == std::vector<float>{0, 0, 0, 0, 1, 3, 7, 9, 0, 0, 0, 0});
}

TEST_CASE("patches hold every kernel position in the order (ic, ky, kx), zero outside") {
    LayerGeometry geometry;
    geometry.input = {1, 2, 3};
    geometry.output = {1, 2, 3};
    geometry.kernel_height = 3;
    geometry.kernel_width = 3;
    geometry.padding = 1;
    std::vector<float> patches;
    gather_patches(geometry, maps({1, 2, 3}, 1, {1, 2, 3, 4, 5, 6}), 0, 0, 9, patches);
    const auto row = [&](std::size_t i) {
        return std::vector<float>(patches.begin() + static_cast<std::ptrdiff_t>(6 * i),
                                  patches.begin() + static_cast<std::ptrdiff_t>(6 * i + 6));
    };
    CHECK(row(4) == std::vector<float>{1, 2, 3, 4, 5, 6});  // centre
    CHECK(row(0) == std::vector<float>{0, 0, 0, 0, 1, 2});  // up left
    CHECK(row(5) == std::vector<float>{2, 3, 0, 5, 6, 0});  // right
    CHECK(row(7) == std::vector<float>{4, 5, 6, 0, 0, 0});  // down
}
