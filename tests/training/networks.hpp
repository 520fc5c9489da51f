#pragma once

#include <string>
#include <utility>
#include <vector>

#include "data/network.hpp"

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

}  // namespace kirchnet::test
