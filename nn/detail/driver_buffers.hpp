#pragma once

#include <vector>

#include "nn/detail/buffer.hpp"
#include "nn/detail/input_planes.hpp"
#include "nn/layer_driver.hpp"

namespace kirchnet {
namespace detail {

/// A tile's samples that were found elsewhere, as the inputs of the identity.
struct SampleRows {
    Buffer values;  ///< [outputs of a tile × stride]
    std::vector<const float*> pointers;
    std::vector<float> identity;  ///< packed
    std::size_t identity_size = 0;
};

}  // namespace detail

struct DriverWorkspace::Buffers {
    detail::InputPlanes planes;
    detail::ColumnBlock columns;
    // A row has the stride of the block of columns.
    detail::Buffer sum;           ///< [outputs × stride]
    detail::Buffer input_sum;     ///< [groups × stride]
    detail::Buffer foreign_sum;   ///< [stride]
    detail::Buffer samples;       ///< [outputs of a tile × stride], while ranges are observed, and
                                  ///< where ADCs are not ideal
    std::size_t first_image = 0;  ///< of the images at hand, within their data set
    detail::SampleRows sample_rows;
    detail::Buffer tile_sum;        ///< [outputs of a tile × stride], where samples are corrected
    detail::Buffer tile_input_sum;  ///< [stride], likewise

    // Where a layer's outputs take several reads or samples.
    detail::Buffer codes;          ///< of one read, [slices × sides × outputs × stride]
    std::vector<double> total;     ///< shifted and added, [outputs × stride]
    std::vector<double> common;    ///< what `offset` takes out of its sums, [groups × stride]
    std::vector<double> row_sums;  ///< Σ of a tile's inputs, of its own groups last [stride] each
};

}  // namespace kirchnet
