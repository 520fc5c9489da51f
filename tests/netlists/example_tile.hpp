#pragma once

#include "circuit/tile.hpp"

namespace kirchnet_test {

/// Three inputs, two outputs of a convolution, on a 4 x 6 array.
inline kirchnet::WeightBlock example_block() {
    kirchnet::WeightBlock block;
    block.layer = "layer1.0.conv1";
    block.tile_row = 0;
    block.tile_column = 1;
    block.weights.resize(3, 2);
    block.weights << -0.0312, 0.244, 1.0, -0.7, 0.0, 0.35;
    block.inputs = {{5, 0, 0}, {5, 0, 1}, {6, 2, 0}};
    block.first_output_channel = 64;
    return block;
}

inline kirchnet::TileSettings example_settings(kirchnet::Mapping mapping, kirchnet::Layout layout) {
    kirchnet::TileSettings settings;
    settings.array = {4, 6};
    settings.mapping = mapping;
    settings.layout = layout;
    settings.device = {1.0 / 3e3, 1.0 / 7e5};
    return settings;
}

inline const Eigen::Vector3d example_inputs{0.2, -0.13, 0.07};

}  // namespace kirchnet_test
