#pragma once

#include <vector>

#include "nn/converters.hpp"
#include "nn/inference.hpp"
#include "nn/operators.hpp"

namespace kirchnet {

/// Second moments of what calibration images put on the rows of some of a layer's tiles.
struct InputMoments {
    std::size_t group = 0;
    std::size_t first_row = 0;
    std::size_t rows = 0;
    /// E[v vᵀ], [rows + 1 × rows + 1], v as shares of the read voltage. The last entry of v is 1:
    /// amplifiers' offsets come in by it.
    Eigen::MatrixXd second;
};

/// Of one layer, one per range of rows that tiles have.
using LayerMoments = std::vector<InputMoments>;

/// Moments of the inputs that images put on tiles, through these DACs, in the software network. Of
/// each image and layer at most 32 positions count. Does not depend on the number of threads.
/// @param layers  whose tiles
/// @param dacs    per layer
std::vector<LayerMoments> observe_moments(const Graph& graph,
                                          const std::vector<LayerOperators>& layers,
                                          const std::vector<Dac>& dacs,
                                          const LabelledImages& images,
                                          const Progress& progress = {});

/// Those of the rows that a tile has; nullptr: none.
const InputMoments* find_moments(const LayerMoments& layer, const TileOperator& tile);

/// Whether moments are those of a layer's tiles.
bool has_moments(const LayerOperators& layer, const LayerMoments& moments);

}  // namespace kirchnet
