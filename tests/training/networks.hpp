#pragma once

#include <string>
#include <utility>
#include <vector>

#include "data/digits.hpp"
#include "data/network.hpp"
#include "nn/training/trainer.hpp"

namespace kirchnet::test {

inline Tensor tensor(std::vector<std::size_t> shape, std::vector<float> values) {
    return {std::move(shape), std::move(values)};
}

/// A network whose pixels reach the first node as p / 255, each node reading the one before.
inline Network chain(ImageShape input, std::vector<std::pair<std::string, Operation>> nodes) {
    Network network;
    network.name = "test";
    network.input = input;
    network.mean.assign(input.channels, 0.0F);
    network.deviation.assign(input.channels, 1.0F);
    network.nodes.push_back({"input", InputOp{}, {}});
    for (auto& [name, operation] : nodes)
        network.nodes.push_back({name, std::move(operation), {network.nodes.back().name}});
    return network;
}

inline ConvOp convolution(Tensor weight, Tensor bias = {}, std::size_t padding = 0) {
    ConvOp conv;
    conv.weight = std::move(weight);
    conv.bias = std::move(bias);
    conv.padding = padding;
    return conv;
}

inline PoolOp pool(PoolOp::Kind kind, std::size_t kernel, std::size_t stride, std::size_t padding) {
    return {kind, kernel, stride, padding};
}

inline Tensor zeros(std::vector<std::size_t> shape) {
    std::size_t size = 1;
    for (const std::size_t extent : shape) size *= extent;
    return {std::move(shape), std::vector<float>(size)};
}

/// Learns digits; small enough that an epoch of a hundred takes a blink.
inline Network small_digit_network() {
    auto network = chain(digit_image_shape,
                         {{"pool0", pool(PoolOp::Kind::average, 2, 2, 0)},
                          {"conv", convolution(zeros({4, 1, 3, 3}))},
                          {"bn", BatchNormOp{zeros({4}), zeros({4}), zeros({4}), zeros({4})}},
                          {"relu", ReluOp{}},
                          {"pool1", pool(PoolOp::Kind::maximum, 2, 2, 0)},
                          {"fc", LinearOp{zeros({10, 144}), zeros({10})}}});
    initialize_weights(network, 5);
    return network;
}

}  // namespace kirchnet::test
