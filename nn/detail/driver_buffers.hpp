#pragma once

#include <vector>

#include "nn/detail/input_planes.hpp"
#include "nn/layer_driver.hpp"

namespace kirchnet {

struct DriverWorkspace::Buffers {
    detail::InputPlanes planes;
    detail::ColumnBlock columns;
    std::vector<float> sum;        ///< [outputs × column_block]
    std::vector<float> input_sum;  ///< [groups × column_block]
    std::vector<float> samples;  ///< [outputs of a tile × column_block], while ranges are observed

    // Where a layer's outputs take several reads or samples.
    std::vector<float> codes;    ///< of one read, [slices × sides × outputs × column_block]
    std::vector<double> total;   ///< shifted and added, [outputs × column_block]
    std::vector<double> common;  ///< what `offset` takes out of its sums, [groups × column_block]
};

}  // namespace kirchnet
