#include "data/pruning.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

bool is_ratio(double ratio) {
    return ratio >= 0 && ratio < 1;
}

void check_weights(const Node& node, const std::vector<float>& weights) {
    for (std::size_t i = 0; i < weights.size(); ++i)
        if (std::isnan(weights[i]))
            throw InvalidInput(fmt::format("layer '{}'", node.name),
                               fmt::format("weight {} is not a number", i));
}

template <typename Number>
void zero_smallest_of(std::span<Number> weights, double ratio) {
    const auto count =
        static_cast<std::ptrdiff_t>(std::floor(ratio * static_cast<double>(weights.size()) + 0.5));
    std::vector<std::size_t> order(weights.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // A total order, so the chosen set is unique however nth_element arranges it.
    std::nth_element(order.begin(), order.begin() + count, order.end(),
                     [&](std::size_t i, std::size_t j) {
                         const Number x = std::abs(weights[i]);
                         const Number y = std::abs(weights[j]);
                         return x < y || (x == y && i < j);
                     });
    for (auto index = order.begin(); index != order.begin() + count; ++index) weights[*index] = 0;
}

}  // namespace

const Tensor* cell_weights(const Operation& operation) {
    if (const auto* conv = std::get_if<ConvOp>(&operation)) return &conv->weight;
    if (const auto* linear = std::get_if<LinearOp>(&operation)) return &linear->weight;
    return nullptr;
}

Tensor* cell_weights(Operation& operation) {
    return const_cast<Tensor*>(cell_weights(std::as_const(operation)));
}

void check(const PruningRatios& ratios, const Network& network) {
    if (!is_ratio(ratios.all))
        throw InvalidInput("pruning ratio",
                           fmt::format("{} is not at least 0 and below 1", ratios.all));
    std::vector<std::string> names;
    for (const Node& node : network.nodes)
        if (cell_weights(node.operation) != nullptr) names.push_back(node.name);
    for (const auto& [layer, ratio] : ratios.layers) {
        if (std::find(names.begin(), names.end(), layer) == names.end())
            throw InvalidInput(fmt::format("pruning ratio of layer '{}'", layer),
                               fmt::format("network '{}' has no such layer; it has {}",
                                           network.name, fmt::join(names, ", ")));
        if (!is_ratio(ratio))
            throw InvalidInput(fmt::format("pruning ratio of layer '{}'", layer),
                               fmt::format("{} is not at least 0 and below 1", ratio));
    }
}

void zero_smallest(std::span<float> weights, double ratio) {
    zero_smallest_of(weights, ratio);
}

void zero_smallest(std::span<double> weights, double ratio) {
    zero_smallest_of(weights, ratio);
}

void prune_by_magnitude(Network& network, const PruningRatios& ratios) {
    check(ratios, network);
    for (Node& node : network.nodes)
        if (Tensor* weight = cell_weights(node.operation)) {
            check_weights(node, weight->values);
            zero_smallest(std::span<float>(weight->values), ratios.of(node.name));
            node.pruned_ratio = ratios.of(node.name);
        }
}

void prune_by_magnitude(Network& network, double ratio) {
    prune_by_magnitude(network, PruningRatios{ratio, {}});
}

}  // namespace kirchnet
