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

/// An output channel that is the same whatever comes in.
struct DeadChannel {
    std::size_t channel;
    double value;
};

std::vector<DeadChannel> dead_channels(const Operation& operation, const Tensor& weights) {
    const auto* conv = std::get_if<ConvOp>(&operation);
    const Tensor& bias = conv != nullptr ? conv->bias : std::get<LinearOp>(operation).bias;
    const std::size_t channels = weights.shape.front();
    const std::size_t row = channels == 0 ? 0 : weights.values.size() / channels;
    std::vector<DeadChannel> dead;
    for (std::size_t c = 0; c < channels; ++c) {
        const auto first = weights.values.begin() + static_cast<std::ptrdiff_t>(c * row);
        if (std::all_of(first, first + static_cast<std::ptrdiff_t>(row),
                        [](float w) { return w == 0; }))
            dead.push_back({c, bias.values.empty() ? 0.0 : bias.values[c]});
    }
    return dead;
}

void retire(BatchNormOp& norm, const DeadChannel& dead) {
    const std::size_t c = dead.channel;
    const double deviation =
        std::sqrt(static_cast<double>(norm.running_variance.values[c]) + norm.epsilon);
    const double gain = norm.weight.values[c] / deviation;
    norm.bias.values[c] =
        static_cast<float>(norm.bias.values[c] + gain * (dead.value - norm.running_mean.values[c]));
    norm.weight.values[c] = 0;
    norm.running_mean.values[c] = 0;
    norm.running_variance.values[c] = 1;
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

std::size_t retire_dead_channels(Network& network) {
    std::map<std::string, std::vector<DeadChannel>> dead;
    for (const Node& node : network.nodes)
        if (const Tensor* weights = cell_weights(node.operation))
            dead[node.name] = dead_channels(node.operation, *weights);
    std::size_t retired = 0;
    for (Node& node : network.nodes) {
        auto* norm = std::get_if<BatchNormOp>(&node.operation);
        const auto layer = norm == nullptr ? dead.end() : dead.find(node.inputs.front());
        if (layer == dead.end()) continue;
        for (const DeadChannel& channel : layer->second) retire(*norm, channel);
        retired += layer->second.size();
    }
    return retired;
}

}  // namespace kirchnet
