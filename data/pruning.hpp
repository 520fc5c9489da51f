#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/network.hpp"

namespace kirchnet {

/// The share of its weights that each convolution and linear layer shall lose, at least 0 and below
/// 1. Biases are no crossbar cells and stay.
struct PruningRatios {
    double all = 0;                        ///< of layers not listed
    std::map<std::string, double> layers;  ///< by name

    [[nodiscard]] double of(const std::string& layer) const {
        const auto found = layers.find(layer);
        return found == layers.end() ? all : found->second;
    }
    friend bool operator==(const PruningRatios&, const PruningRatios&) = default;
};

/// What becomes crossbar cells of a node: the weight of a convolution or linear layer, else null.
const Tensor* cell_weights(const Operation& operation);
Tensor* cell_weights(Operation& operation);

/// @throws InvalidInput  naming the layer that does not exist or whose ratio is outside [0, 1)
void check(const PruningRatios& ratios, const Network& network);

/// The floor(ratio * size + 1/2) smallest |w| become +0, ties to the lower index.
void zero_smallest(std::span<float> weights, double ratio);
void zero_smallest(std::span<double> weights, double ratio);

/// Magnitude pruning, layer by layer as `zero_smallest`; each layer's `pruned_ratio` becomes its
/// ratio.
/// @throws InvalidInput  as `check`
void prune_by_magnitude(Network& network, const PruningRatios& ratios);
/// One ratio for all layers.
/// @throws InvalidInput  unless 0 <= ratio < 1
void prune_by_magnitude(Network& network, double ratio);

/// An output channel without a weight that is not zero is constant, and so is what a batch norm
/// makes of it: the norm's bias becomes that constant and its weight 0, which changes nothing the
/// network computes. It matters on a chip: training lets the variance of such a channel go to 0,
/// and the norm then multiplies the current of a single stuck cell by up to weight / sqrt(epsilon).
/// @return  how many channels
std::size_t retire_dead_channels(Network& network);

}  // namespace kirchnet
