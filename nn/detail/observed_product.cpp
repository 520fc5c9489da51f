#include "nn/detail/observed_product.hpp"

#include <algorithm>

namespace kirchnet::detail {

void add_observed(const TileProduct& product, SampleRange& range, Buffer& samples) {
    const auto& kernels = product_kernels();
    if (!range.histogram) {
        range.largest = std::max(range.largest, kernels.add_observed(product));
        return;
    }
    samples.assign(product.outputs * product.stride, 0.0F);
    TileProduct alone = product;
    alone.sum = samples.data();
    range.largest = std::max(range.largest, kernels.add_observed(alone));
    for (std::size_t j = 0; j < product.outputs; ++j)
        for (std::size_t i = 0; i < product.columns; ++i) {
            const float sample = samples[j * product.stride + i];
            product.sum[j * product.stride + i] += sample;
            if (product.valid[i] != 0) range.histogram->add(sample);
        }
}

}  // namespace kirchnet::detail
