#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/network.hpp"

namespace kirchnet {

/// Which weights of a convolution or linear layer may differ from zero: by node name, one entry
/// per weight in the order of its tensor, 1 free, 0 held at zero. Layers not listed are free.
using WeightMasks = std::map<std::string, std::vector<std::uint8_t>>;

/// Holds every weight that is zero now.
WeightMasks masks_of_nonzero(const Network& network);

/// Zeros among the weights of one layer (biases are no crossbar cells and do not count).
struct LayerSparsity {
    std::string layer;
    std::size_t weights = 0;
    std::size_t zeros = 0;

    [[nodiscard]] double fraction() const {
        return weights == 0 ? 0 : static_cast<double>(zeros) / static_cast<double>(weights);
    }
};

/// Every convolution and linear layer in order.
std::vector<LayerSparsity> sparsity_of(const Network& network);

}  // namespace kirchnet
