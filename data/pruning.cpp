#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "circuit/error.hpp"
#include "data/network_file.hpp"

namespace kirchnet {
namespace {

/// The layer's weights, or null where a node has none that are pruned.
std::vector<float>* prunable_weights(Operation& operation) {
    if (auto* conv = std::get_if<ConvOp>(&operation)) return &conv->weight.values;
    if (auto* linear = std::get_if<LinearOp>(&operation)) return &linear->weight.values;
    return nullptr;
}

void check_weights(const Node& node, const std::vector<float>& weights) {
    for (std::size_t i = 0; i < weights.size(); ++i)
        if (std::isnan(weights[i]))
            throw InvalidInput(fmt::format("layer '{}'", node.name),
                               fmt::format("weight {} is not a number", i));
}

void zero_smallest(std::vector<float>& weights, double ratio) {
    const auto count =
        static_cast<std::ptrdiff_t>(std::floor(ratio * static_cast<double>(weights.size()) + 0.5));
    std::vector<std::size_t> order(weights.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // A total order, so the chosen set is unique however nth_element arranges it.
    std::nth_element(order.begin(), order.begin() + count, order.end(),
                     [&](std::size_t i, std::size_t j) {
                         const float x = std::abs(weights[i]);
                         const float y = std::abs(weights[j]);
                         return x < y || (x == y && i < j);
                     });
    for (auto index = order.begin(); index != order.begin() + count; ++index) weights[*index] = 0;
}

}  // namespace

void prune_by_magnitude(Network& network, double ratio) {
    if (!(ratio >= 0 && ratio < 1))
        throw InvalidInput("pruning ratio", fmt::format("{} is not at least 0 and below 1", ratio));
    for (Node& node : network.nodes)
        if (auto* weights = prunable_weights(node.operation)) {
            check_weights(node, *weights);
            zero_smallest(*weights, ratio);
        }
}

}  // namespace kirchnet
