#pragma once

#include <vector>

#include "data/dataset.hpp"
#include "data/network.hpp"
#include "nn/graph.hpp"

namespace kirchnet {

/// Feature maps of a block of images, [channels × images × height × width]: a channel's pixels of
/// all images lie together, so that a layer is one matrix product over the block.
struct FeatureMaps {
    ImageShape shape;
    std::size_t images = 0;
    std::vector<float> values;

    void resize(const ImageShape& new_shape, std::size_t new_images);
    [[nodiscard]] std::size_t plane() const { return images * shape.height * shape.width; }
    [[nodiscard]] float* channel(std::size_t c) { return values.data() + c * plane(); }
    [[nodiscard]] const float* channel(std::size_t c) const { return values.data() + c * plane(); }
};

/// Normalised pixels (p / 255 - mean) / deviation of images [first, first + count).
void load_images(const Network& network, const LabelledImages& images, std::size_t first,
                 std::size_t count, FeatureMaps& out);

/// Patches under the kernel for rows [first_row, first_row + rows) of group `group`:
/// [rows × images * positions], zero outside the input. Rows of the next groups follow.
void gather_patches(const LayerGeometry& geometry, const FeatureMaps& in, std::size_t group,
                    std::size_t first_row, std::size_t rows, std::vector<float>& out);

/// Batch norm of one channel: y = scale x + shift.
struct ChannelNorm {
    float scale = 1;
    float shift = 0;
};

/// Per channel.
std::vector<ChannelNorm> channel_norms(const BatchNormOp& norm);

/// An activation over `size` values; `in` and `out` may be the same.
void activate(const ActivationOp& activation, const float* in, std::size_t size, float* out);

/// Applies any operation but the weighted layers and the input.
void apply(const Operation& operation, const std::vector<const FeatureMaps*>& in, FeatureMaps& out);

}  // namespace kirchnet
