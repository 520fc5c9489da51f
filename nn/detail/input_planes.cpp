#include "nn/detail/input_planes.hpp"

#include <algorithm>

namespace kirchnet::detail {
namespace {

std::size_t divide_up(std::size_t x, std::size_t y) {
    return (x + y - 1) / y;
}

/// Reading in place computes margins; copying moves every patch. Per patch row and vector of
/// columns a product costs half a cycle an output, a copy about two cycles.
bool is_margin_cheaper(const LayerGeometry& geometry, std::size_t width) {
    constexpr double cycles_per_copy = 2;
    constexpr double cycles_per_output = 0.5;
    const auto wide = static_cast<double>(geometry.output.width);
    const double waste = (static_cast<double>(width) - wide) / wide;
    return waste * cycles_per_output * static_cast<double>(geometry.outputs_per_group()) <
           cycles_per_copy;
}

}  // namespace

void InputPlanes::fill(const LayerGeometry& geometry, const FeatureMaps& in,
                       const std::optional<DacCodes>& dac, float scale) {
    geometry_ = geometry;
    dac_ = dac;
    scale_ = scale;
    images_ = in.images;
    const std::size_t stride = geometry.stride;
    height_ = divide_up(geometry.input.height + 2 * geometry.padding, stride);
    width_ = divide_up(geometry.input.width + 2 * geometry.padding, stride);
    plane_ = images_ * height_ * width_;
    reads_in_place_ = is_margin_cheaper(geometry, width_);
    find_offsets();
    const std::size_t per_channel = stride * stride * plane_;
    planes_.assign(geometry.input.channels * per_channel + column_block, 0.0F);
    row_.resize(geometry.input.width);
    for (std::size_t c = 0; c < geometry.input.channels; ++c)
        fill_channel(in.channel(c), planes_.data() + c * per_channel);
}

void InputPlanes::fill_channel(const float* from, float* to) {
    const std::size_t stride = geometry_.stride;
    const std::size_t padding = geometry_.padding;
    const ImageShape& shape = geometry_.input;
    if (stride == 1 && padding == 0) {
        fill_row(from, images_ * shape.height * shape.width, to);
        return;
    }
    for (std::size_t image = 0; image < images_; ++image, to += height_ * width_)
        for (std::size_t y = 0; y < shape.height; ++y, from += shape.width) {
            if (stride == 1) {
                fill_row(from, shape.width, to + (y + padding) * width_ + padding);
                continue;
            }
            fill_row(from, shape.width, row_.data());
            const std::size_t padded_y = y + padding;
            float* const row =
                to + padded_y % stride * stride * plane_ + padded_y / stride * width_;
            for (std::size_t phase = 0; phase < stride; ++phase) {
                // The first input column of this phase, and where it goes.
                std::size_t x = (phase + stride - padding % stride) % stride;
                float* target = row + phase * plane_ + (x + padding) / stride;
                for (; x < shape.width; x += stride) *target++ = row_[x];
            }
        }
}

void InputPlanes::fill_row(const float* from, std::size_t width, float* to) const {
    if (dac_)
        product_kernels().convert(from, width, *dac_, to);
    else if (scale_ == 1)
        std::copy_n(from, width, to);
    else
        std::transform(from, from + width, to, [this](float x) { return x * scale_; });
}

void InputPlanes::find_offsets() {
    const std::size_t stride = geometry_.stride;
    offsets_.clear();
    for (std::size_t channel = 0; channel < geometry_.input.channels; ++channel)
        for (std::size_t ky = 0; ky < geometry_.kernel_height; ++ky)
            for (std::size_t kx = 0; kx < geometry_.kernel_width; ++kx) {
                const std::size_t phase = (channel * stride + ky % stride) * stride + kx % stride;
                offsets_.push_back(phase * plane_ + ky / stride * width_ + kx / stride);
            }
}

std::size_t InputPlanes::blocks() const {
    if (!reads_in_place_) return divide_up(images_ * geometry_.positions(), column_block);
    return images_ * divide_up(geometry_.output.height * width_, column_block);
}

void InputPlanes::describe(std::size_t number, ColumnBlock& block) const {
    const std::size_t height = geometry_.output.height;
    const std::size_t width = geometry_.output.width;
    const std::size_t pitch = reads_in_place_ ? width_ : width;  // columns per row
    const std::size_t per_image = reads_in_place_ ? divide_up(height * pitch, column_block) : 0;
    const std::size_t image = reads_in_place_ ? number / per_image : 0;
    const std::size_t first = (reads_in_place_ ? number % per_image : number) * column_block;
    const std::size_t rows = (reads_in_place_ ? image + 1 : images_) * height;  // of all images
    block.runs.clear();
    block.valid.assign(column_block, 0);
    block.columns = block.positions = 0;
    for (std::size_t row = image * height + first / pitch; row < rows; ++row) {
        const std::size_t row_start = (row - image * height) * pitch;
        if (row_start >= first + column_block) break;
        const std::size_t x = first > row_start ? first - row_start : 0;
        if (x >= width) continue;
        const std::size_t column = row_start + x - first;
        const std::size_t length = std::min(width - x, column_block - column);
        block.runs.push_back({column, ((row / height) * height_ + row % height) * width_ + x,
                              row * width + x, length});
        std::fill_n(block.valid.begin() + static_cast<std::ptrdiff_t>(column), length, -1);
        block.columns = column + length;
        block.positions += length;
    }
}

const float* const* InputPlanes::rows(std::size_t group, std::size_t first_row, std::size_t rows,
                                      const ColumnBlock& block) {
    const std::size_t* const offsets =
        offsets_.data() + group * geometry_.rows_per_group() + first_row;
    if (pointers_.size() < rows + 1) pointers_.resize(rows + 1);
    ones_.assign(column_block, 1.0F);
    pointers_[rows] = ones_.data();
    if (reads_in_place_) {
        const float* const start =
            planes_.data() + block.runs.front().plane - block.runs.front().column;
        for (std::size_t i = 0; i < rows; ++i) pointers_[i] = start + offsets[i];
    } else {
        if (copies_.size() < (rows + 1) * column_block) copies_.resize((rows + 1) * column_block);
        product_kernels().copy(
            {planes_.data(), offsets, rows, block.runs.data(), block.runs.size(), copies_.data()});
        for (std::size_t i = 0; i < rows; ++i) pointers_[i] = copies_.data() + i * column_block;
    }
    return pointers_.data();
}

}  // namespace kirchnet::detail
