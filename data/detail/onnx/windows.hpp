#pragma once

#include "data/detail/onnx/converter.hpp"

namespace kirchnet::onnx_import {

/// Windows of a convolution or pool along one side of the image.
struct WindowAxis {
    std::size_t size = 0;  ///< of the image
    std::size_t kernel = 1;
    std::size_t stride = 1;
    std::size_t before = 0;  ///< zeros
    std::size_t after = 0;
    std::size_t outputs = 0;

    /// Number of windows with `padding` on both sides and `extra` at the end.
    [[nodiscard]] std::size_t count(std::size_t padding, std::size_t extra = 0) const;
};

struct Windows {
    WindowAxis rows;
    WindowAxis columns;
};

/// Strides, dilations, padding (`pads` or `auto_pad`) and `ceil_mode` of a node.
/// @param padded  zeros that a Pad node before it adds
/// @throws InvalidInput  about the node when they do not fit the image, or windows are dilated
Windows read_windows(const OnnxNode& node, const Padded& padded, std::size_t kernel_height,
                     std::size_t kernel_width);

/// The one number that both axes share, such as the stride.
/// @throws InvalidInput  about the node, saying `what` differs
std::size_t shared(const OnnxNode& node, const char* what, std::size_t rows, std::size_t columns);

/// Input 0 with the zeros a Pad node puts around it, if any.
Padded padded_input(Converter& converter, const OnnxNode& node);

}  // namespace kirchnet::onnx_import
