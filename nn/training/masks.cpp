#include "nn/training/masks.hpp"

#include <algorithm>

#include "data/pruning.hpp"

namespace kirchnet {

WeightMasks masks_of_nonzero(const Network& network) {
    WeightMasks masks;
    for (const Node& node : network.nodes) {
        const Tensor* weight = cell_weights(node.operation);
        if (weight == nullptr) continue;
        auto& mask = masks[node.name];
        for (const float value : weight->values) mask.push_back(value != 0.0F ? 1 : 0);
    }
    return masks;
}

std::vector<LayerSparsity> sparsity_of(const Network& network) {
    std::vector<LayerSparsity> layers;
    for (const Node& node : network.nodes) {
        const Tensor* weight = cell_weights(node.operation);
        if (weight == nullptr) continue;
        const auto& values = weight->values;
        const auto zeros = std::count(values.begin(), values.end(), 0.0F);
        layers.push_back({node.name, values.size(), static_cast<std::size_t>(zeros)});
    }
    return layers;
}

}  // namespace kirchnet
