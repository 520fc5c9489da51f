#include "data/detail/onnx/windows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace kirchnet::onnx_import {
namespace {

constexpr std::int64_t largest_number = 65536;  // of kernels, strides and padding

/// `count` numbers of an attribute, each at least `least`.
std::vector<std::size_t> read_numbers(const OnnxNode& node, const char* attribute,
                                      std::size_t count, std::int64_t least) {
    std::vector<std::size_t> numbers;
    for (const std::int64_t number :
         node.integers(attribute, std::vector<std::int64_t>(count, least))) {
        if (number < least || number > largest_number)
            node.fail(fmt::format("attribute '{}' holds {}", attribute, number));
        numbers.push_back(static_cast<std::size_t>(number));
    }
    if (numbers.size() != count)
        node.fail(fmt::format("attribute '{}' holds {} numbers, {} are needed for images",
                              attribute, numbers.size(), count));
    return numbers;
}

/// Sides divided by the stride, rounded up; an odd zero goes to the end (UPPER) or the beginning.
void pad_same(WindowAxis& axis, bool upper) {
    const std::size_t outputs = (axis.size + axis.stride - 1) / axis.stride;
    const std::size_t reach = (outputs - 1) * axis.stride + axis.kernel;
    const std::size_t total = reach > axis.size ? reach - axis.size : 0;
    axis.before += upper ? total / 2 : (total + 1) / 2;
    axis.after += upper ? (total + 1) / 2 : total / 2;
}

void pad(const OnnxNode& node, Windows& windows) {
    const std::string how = node.text("auto_pad", "NOTSET");
    if (how == "SAME_UPPER" || how == "SAME_LOWER") {
        if (windows.rows.before + windows.rows.after + windows.columns.before +
                windows.columns.after >
            0)
            node.fail("pads what a Pad node has padded already");
        pad_same(windows.rows, how == "SAME_UPPER");
        pad_same(windows.columns, how == "SAME_UPPER");
    } else if (how == "NOTSET") {
        const auto pads = read_numbers(node, "pads", 4, 0);
        windows.rows.before += pads[0];
        windows.columns.before += pads[1];
        windows.rows.after += pads[2];
        windows.columns.after += pads[3];
    } else if (how != "VALID") {
        node.fail(fmt::format("attribute 'auto_pad' is '{}'", how));
    }
}

/// PyTorch's rule, which ONNX took over: in ceil mode, a window must start inside the image or the
/// zeros before it.
void count_windows(const OnnxNode& node, WindowAxis& axis, bool ceil) {
    const std::size_t padded = axis.size + axis.before + axis.after;
    if (padded < axis.kernel)
        node.fail(fmt::format("a kernel of {} does not fit {} pixels with padding {} and {}",
                              axis.kernel, axis.size, axis.before, axis.after));
    const std::size_t span = padded - axis.kernel;
    axis.outputs = (ceil ? span + axis.stride - 1 : span) / axis.stride + 1;
    if (ceil && (axis.outputs - 1) * axis.stride >= axis.size + axis.before) --axis.outputs;
}

}  // namespace

std::size_t WindowAxis::count(std::size_t padding, std::size_t extra) const {
    const std::size_t padded = size + 2 * padding + extra;
    return padded < kernel ? 0 : (padded - kernel) / stride + 1;
}

Windows read_windows(const OnnxNode& node, const Padded& padded, std::size_t kernel_height,
                     std::size_t kernel_width) {
    const auto strides = read_numbers(node, "strides", 2, 1);
    for (const std::size_t dilation : read_numbers(node, "dilations", 2, 1))
        if (dilation != 1)
            node.fail(
                fmt::format("is dilated by {}; kernels without gaps are known alone", dilation));
    const ImageShape& image = padded.of.image;
    Windows windows{{image.height, kernel_height, strides[0], padded.top, padded.bottom, 0},
                    {image.width, kernel_width, strides[1], padded.left, padded.right, 0}};
    pad(node, windows);
    const bool ceil = node.integer("ceil_mode", 0) != 0;
    count_windows(node, windows.rows, ceil);
    count_windows(node, windows.columns, ceil);
    return windows;
}

std::size_t shared(const OnnxNode& node, const char* what, std::size_t rows, std::size_t columns) {
    if (rows != columns)
        node.fail(
            fmt::format("its {} is {} in rows and {} in columns; one number for both is "
                        "needed",
                        what, rows, columns));
    return rows;
}

Padded padded_input(Converter& converter, const OnnxNode& node) {
    if (const auto* padded = std::get_if<Padded>(&converter.value(node, 0))) return *padded;
    Padded plain;
    plain.of = converter.signal(node, 0);
    return plain;
}

}  // namespace kirchnet::onnx_import
