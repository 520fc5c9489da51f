#pragma once

#include <cmath>

#include "circuit/random.hpp"
#include "data/dataset.hpp"
#include "data/network.hpp"

namespace kirchnet::test {

/// Numbers without a pattern, in [-1, 1).
inline Tensor random_tensor(std::vector<std::size_t> shape, std::uint64_t seed) {
    std::size_t size = 1;
    for (const auto side : shape) size *= side;
    Tensor tensor{std::move(shape), std::vector<float>(size)};
    for (std::size_t i = 0; i < size; ++i)
        tensor.values[i] = static_cast<float>(2 * keyed_uniform(seed, 77, {i, 0, 0, 0}) - 1);
    return tensor;
}

/// 2 x 6 x 5 images, a strided convolution, a grouped one, and a classifier of 3: every geometry
/// is asymmetric, so that a transposed index shows.
inline Network small_network() {
    Network network;
    network.name = "small";
    network.input = {2, 6, 5};
    network.mean = {0.5F, 0.25F};
    network.deviation = {0.25F, 0.5F};
    ConvOp first{random_tensor({4, 2, 3, 2}, 1), random_tensor({4}, 2), 2, 1, 1};
    ConvOp grouped{random_tensor({6, 2, 1, 2}, 3), {}, 1, 0, 2};
    LinearOp classify{random_tensor({3, 6 * 3 * 2}, 4), random_tensor({3}, 5)};
    network.nodes = {{"image", InputOp{}, {}},
                     {"first", first, {"image"}},
                     {"relu", ReluOp{}, {"first"}},
                     {"grouped", grouped, {"relu"}},
                     {"classify", classify, {"grouped"}}};
    return network;
}

inline LabelledImages random_images(const ImageShape& shape, std::size_t count,
                                    std::uint64_t seed = 9) {
    LabelledImages images;
    images.shape = shape;
    images.pixels.resize(count * shape.size());
    for (std::size_t i = 0; i < images.pixels.size(); ++i)
        images.pixels[i] = static_cast<std::uint8_t>(256 * keyed_uniform(seed, 78, {i, 0, 0, 0}));
    images.labels.assign(count, 0);
    return images;
}

}  // namespace kirchnet::test
