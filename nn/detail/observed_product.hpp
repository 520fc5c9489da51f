#pragma once

#include "nn/detail/buffer.hpp"
#include "nn/detail/product_kernels.hpp"
#include "nn/layer_driver.hpp"

namespace kirchnet::detail {

/// sum += W X, and every sample of a column that counts goes into `range`.
/// @param samples  buffer, used where the range keeps a histogram
void add_observed(const TileProduct& product, SampleRange& range, Buffer& samples);

}  // namespace kirchnet::detail
