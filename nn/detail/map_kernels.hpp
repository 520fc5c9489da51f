#pragma once

#include <cstddef>
#include <vector>

#include "nn/detail/product_kernels.hpp"

namespace kirchnet::detail {

/// One channel of one image, and its planes: one per remainder modulo the stride of a padded row
/// and column, [stride × stride] of them, `plane` apart.
struct Spread {
    const float* in;  ///< [height × width]
    std::size_t height;
    std::size_t width;
    std::size_t stride;
    std::size_t padding;
    std::size_t row_phases;     ///< remainders of rows that are wanted, from 0
    std::size_t column_phases;  ///< of columns
    float* out;                 ///< the first plane, [plane_height × plane_width]
    std::size_t plane;
    std::size_t plane_height;
    std::size_t plane_width;
};

/// Columns of a block that are positions of an output map, one after the other.
struct OutputSpan {
    std::size_t column;
    std::size_t position;  ///< [images × height × width]
    std::size_t length;
};

/// The digital end of one output:
/// out = sum * factor + shared * shared_factor + shift + addend, then ReLU.
struct OutputEnd {
    const float* sum;     ///< [columns]
    const float* shared;  ///< [columns], or null
    const float* addend;  ///< [positions], or null
    float* out;           ///< [positions], no other's memory
    const OutputSpan* spans;
    std::size_t span_count;
    float factor;
    float shared_factor;
    float shift;
    bool rectify;
};

/// What lies between feature maps and products, compiled per instruction set.
struct MapKernels {
    void (*spread)(const Spread&);
    void (*finish)(const OutputEnd&);
};

/// The best kernels this processor runs.
const MapKernels& map_kernels();

/// All kernels this processor runs, baseline first.
std::vector<const MapKernels*> available_map_kernels();

}  // namespace kirchnet::detail
