#include "nn/detail/input_planes.hpp"

#include <algorithm>

#include "nn/detail/input_digits.hpp"

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

/// Weights of up to this size stay in the second-level cache from block to block.
constexpr std::size_t cached_weights = std::size_t{512} << 10;  // [bytes]

/// Planes of up to this size do, from the time they are filled until they have been multiplied.
constexpr std::size_t cached_planes = std::size_t{512} << 10;  // [bytes]

bool stays_cached(const LayerGeometry& geometry) {
    return geometry.outputs_per_group() * geometry.rows_per_group() * sizeof(float) <=
           cached_weights;
}

/// Takes columns that are positions into a block, joined to the last span where they go on from it.
void add_outputs(ColumnBlock& block, const OutputSpan& span) {
    const bool goes_on = !block.outputs.empty() && block.columns == span.column;
    if (goes_on)
        block.outputs.back().length += span.length;
    else
        block.outputs.push_back(span);
    std::fill_n(block.valid.begin() + static_cast<std::ptrdiff_t>(span.column), span.length, -1);
    block.columns = span.column + span.length;
    block.positions += span.length;
}

}  // namespace

std::size_t images_per_pass(const LayerGeometry& geometry, std::size_t images) {
    if (!stays_cached(geometry)) return images;
    const std::size_t size = geometry.input.channels *
                             (geometry.input.height + 2 * geometry.padding) *
                             (geometry.input.width + 2 * geometry.padding) * sizeof(float);
    return std::clamp(cached_planes / size, std::size_t{1}, images);
}

void InputPlanes::fill(const LayerGeometry& geometry, const FeatureMaps& in, ImageRange range,
                       const std::optional<DacCodes>& dac, float scale) {
    geometry_ = geometry;
    dac_ = dac;
    scale_ = scale;
    images_ = range.count;
    first_position_ = range.first * geometry.positions();
    const std::size_t stride = geometry.stride;
    height_ = divide_up(geometry.input.height + 2 * geometry.padding, stride);
    width_ = divide_up(geometry.input.width + 2 * geometry.padding, stride);
    plane_ = images_ * height_ * width_;
    reads_in_place_ = is_margin_cheaper(geometry, width_);
    choose_blocks();
    find_offsets();
    const std::size_t per_channel = stride * stride * plane_;
    grow(planes_, geometry.input.channels * per_channel + block_);
    const std::size_t first_pixel = range.first * geometry.input.height * geometry.input.width;
    for (std::size_t c = 0; c < geometry.input.channels; ++c)
        fill_channel(in.channel(c) + first_pixel, planes_.data() + c * per_channel);
    is_split_ = false;
    select(0);
}

/// Blocks of equal size, as large as they may be.
void InputPlanes::choose_blocks() {
    const std::size_t columns =
        reads_in_place_ ? geometry_.output.height * width_ : images_ * geometry_.positions();
    const std::size_t count =
        divide_up(columns, stays_cached(geometry_) ? column_block : wide_column_block);
    block_ = divide_up(divide_up(columns, count), column_step) * column_step;
    blocks_per_image_ = divide_up(columns, block_);
    blocks_ = reads_in_place_ ? images_ * blocks_per_image_ : blocks_per_image_;
}

void InputPlanes::split(const std::vector<InputRead>& reads) {
    is_split_ = true;
    if (digits_.size() < reads.size()) digits_.resize(reads.size());
    for (std::size_t i = 0; i < reads.size(); ++i) {
        grow(digits_[i], planes_.size());
        split_planes(reads[i], digits_[i].data());
    }
    select(0);
}

/// The planes that were filled, and no others: what lies in them is not set.
void InputPlanes::split_planes(const InputRead& read, float* digits) const {
    const std::size_t stride = geometry_.stride;
    const std::size_t row_phases = std::min(stride, geometry_.kernel_height);
    const std::size_t column_phases = std::min(stride, geometry_.kernel_width);
    for (std::size_t c = 0; c < geometry_.input.channels; ++c)
        for (std::size_t y = 0; y < row_phases; ++y)
            for (std::size_t x = 0; x < column_phases; ++x) {
                const std::size_t plane = ((c * stride + y) * stride + x) * plane_;
                take_digits(read, planes_.data() + plane, plane_, digits + plane);
            }
}

void InputPlanes::fill_channel(const float* from, float* to) {
    const ImageShape& shape = geometry_.input;
    const std::size_t stride = geometry_.stride;
    const std::size_t pixels = shape.height * shape.width;
    if (stride == 1 && geometry_.padding == 0) {
        convert(from, images_ * pixels, to);
        return;
    }
    const std::size_t row_phases = std::min(stride, geometry_.kernel_height);
    const std::size_t column_phases = std::min(stride, geometry_.kernel_width);
    for (std::size_t image = 0; image < images_; ++image)
        map_kernels().spread({from + image * pixels, shape.height, shape.width, stride,
                              geometry_.padding, row_phases, column_phases,
                              to + image * height_ * width_, plane_, height_, width_});
    // Zeros around the input are code 0 too.
    for (std::size_t y = 0; y < row_phases; ++y)
        for (std::size_t x = 0; x < column_phases; ++x) {
            float* const plane = to + (y * stride + x) * plane_;
            convert(plane, plane_, plane);
        }
}

void InputPlanes::convert(const float* from, std::size_t size, float* to) const {
    if (dac_)
        product_kernels().convert(from, size, *dac_, to);
    else
        std::transform(from, from + size, to, [this](float x) { return x * scale_; });
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

void InputPlanes::describe(std::size_t number, ColumnBlock& block) const {
    const std::size_t height = geometry_.output.height;
    const std::size_t width = geometry_.output.width;
    const std::size_t pitch = reads_in_place_ ? width_ : width;  // columns per row
    const std::size_t image = reads_in_place_ ? number / blocks_per_image_ : 0;
    const std::size_t first = number % blocks_per_image_ * block_;
    const std::size_t rows = (reads_in_place_ ? image + 1 : images_) * height;  // of all images
    block.runs.clear();
    block.outputs.clear();
    block.valid.assign(block_, 0);
    block.stride = block_;
    block.columns = block.positions = 0;
    for (std::size_t row = image * height + first / pitch; row < rows; ++row) {
        const std::size_t row_start = (row - image * height) * pitch;
        if (row_start >= first + block_) break;
        const std::size_t x = first > row_start ? first - row_start : 0;
        if (x >= width) continue;
        const std::size_t column = row_start + x - first;
        const std::size_t length = std::min(width - x, block_ - column);
        block.runs.push_back(
            {column, ((row / height) * height_ + row % height) * width_ + x, length});
        add_outputs(block, {column, first_position_ + row * width + x, length});
    }
}

const float* const* InputPlanes::rows(std::size_t group, std::size_t first_row, std::size_t rows,
                                      const ColumnBlock& block, float full_drive) {
    const std::size_t* const offsets =
        offsets_.data() + group * geometry_.rows_per_group() + first_row;
    if (pointers_.size() < rows + 1) pointers_.resize(rows + 1);
    full_drive_.assign(block_ + column_step, full_drive);
    pointers_[rows] = full_drive_.data();
    if (reads_in_place_) {
        const float* const start = current_ + block.runs.front().plane - block.runs.front().column;
        for (std::size_t i = 0; i < rows; ++i) pointers_[i] = start + offsets[i];
    } else {
        const std::size_t stride = block_ + column_step;
        grow(copies_, rows * stride);
        product_kernels().copy({current_, offsets, rows, block.runs.data(), block.runs.size(),
                                copies_.data(), stride});
        for (std::size_t i = 0; i < rows; ++i) pointers_[i] = copies_.data() + i * stride;
    }
    return pointers_.data();
}

}  // namespace kirchnet::detail
