// Operators that take the mean or the largest of many pixels.
#include <fmt/format.h>

#include <algorithm>

#include "data/detail/onnx/operators.hpp"
#include "data/detail/onnx/slices.hpp"
#include "data/detail/onnx/windows.hpp"

namespace kirchnet::onnx_import {
namespace {

using Kind = PoolOp::Kind;

/// Pixels that the last window sticks out of `padding` on both sides.
std::size_t overhang(const WindowAxis& axis, std::size_t padding) {
    const std::size_t reach = (axis.outputs - 1) * axis.stride + axis.kernel;
    const std::size_t padded = axis.size + 2 * padding;
    return reach > padded ? reach - padded : 0;
}

/// Whether a window sees more than the image and the zeros asked for (ceil mode).
bool leaves_padding(const WindowAxis& axis) {
    return (axis.outputs - 1) * axis.stride + axis.kernel > axis.size + axis.before + axis.after;
}

bool covers_image(const Windows& windows) {
    const auto covers = [](const WindowAxis& axis) {
        return axis.kernel == axis.size && axis.before + axis.after == 0;
    };
    return covers(windows.rows) && covers(windows.columns);
}

/// Padding of a pool of ours that gives the same windows.
void set_padding(const OnnxNode& node, const Windows& windows, PoolOp& pool) {
    const WindowAxis& rows = windows.rows;
    const WindowAxis& columns = windows.columns;
    pool.padding = shared(node, "padding before the image", rows.before, columns.before);
    pool.extra_padding = std::max(overhang(rows, pool.padding), overhang(columns, pool.padding));
    const bool fits = rows.count(pool.padding, pool.extra_padding) == rows.outputs &&
                      columns.count(pool.padding, pool.extra_padding) == columns.outputs &&
                      2 * pool.padding <= pool.kernel &&
                      pool.padding + pool.extra_padding < pool.kernel;
    if (!fits)
        node.fail(
            fmt::format("pads rows by {} and {}, columns by {} and {}, which a pool of ours "
                        "cannot",
                        rows.before, rows.after, columns.before, columns.after));
}

/// Whether ONNX divides by the whole window where it lies in the zeros.
bool counts_padding(const OnnxNode& node, const Windows& windows, bool wanted) {
    const bool padded =
        windows.rows.before + windows.rows.after + windows.columns.before + windows.columns.after >
        0;
    if (!padded || !wanted) return false;
    if (leaves_padding(windows.rows) || leaves_padding(windows.columns))
        node.fail(
            "counts the zeros around the image but not those of its last windows "
            "(count_include_pad with ceil_mode), which a pool of ours cannot");
    return true;
}

std::pair<std::size_t, std::size_t> read_kernel(const OnnxNode& node) {
    constexpr std::int64_t largest_kernel = 65536;
    const auto kernel = node.integers("kernel_shape", {});
    for (const std::int64_t side : kernel)
        if (side < 1 || side > largest_kernel)
            node.fail(fmt::format("its kernel_shape holds {}", side));
    if (kernel.size() != 2) node.fail("its kernel_shape does not have two sides");
    return {static_cast<std::size_t>(kernel[0]), static_cast<std::size_t>(kernel[1])};
}

/// Whether no value is below 0, so that zeros around the image change no largest value.
bool is_rectified(const Operation& operation) {
    if (const auto* activation = std::get_if<ActivationOp>(&operation))
        return activation->kind == ActivationOp::Kind::relu6 ||
               activation->kind == ActivationOp::Kind::sigmoid ||
               activation->kind == ActivationOp::Kind::hard_sigmoid;
    return std::holds_alternative<ReluOp>(operation);
}

void convert_pool(Converter& converter, const OnnxNode& node, Kind kind) {
    const Padded input = padded_input(converter, node);
    const bool after_pad = input.top + input.left + input.bottom + input.right > 0;
    if (after_pad && node.has("pads"))
        for (const std::int64_t pad : node.integers("pads", {}))
            if (pad != 0) node.fail("pads what a Pad node has padded already");
    if (after_pad && kind == Kind::maximum && !is_rectified(converter.operation_of(input.of)))
        node.fail("takes the largest values among zeros that a Pad node put around them");
    const auto [height, width] = read_kernel(node);
    const Windows windows = read_windows(node, input, height, width);
    PoolOp pool{.kind = kind};
    if (!covers_image(windows)) {
        pool.kernel = shared(node, "kernel", height, width);
        pool.stride = shared(node, "stride", windows.rows.stride, windows.columns.stride);
        set_padding(node, windows, pool);
        const bool counted = after_pad || node.integer("count_include_pad", 0) != 0;
        if (kind == Kind::average) pool.counts_padding = counts_padding(node, windows, counted);
    }
    const ImageShape image{input.of.image.channels, windows.rows.outputs, windows.columns.outputs};
    converter.give(node, converter.add(node, pool, {input.of}, image));
}

Signal global_pool(Converter& converter, const OnnxNode& node, Kind kind) {
    const Signal input = converter.signal(node, 0);
    if (input.shape.size() != 4)
        node.fail(
            fmt::format("pools a tensor of shape {}, images are needed", to_string(input.shape)));
    return converter.add(node, PoolOp{.kind = kind}, {input}, {input.image.channels, 1, 1});
}

void convert_reduction(Converter& converter, const OnnxNode& node, Kind kind) {
    std::vector<bool> reduced(4, false);
    const auto axes = converter.integers(node, "axes", 1);
    for (const std::int64_t axis : axes) reduced[resolve_axis(node, axis, 4)] = true;
    if (reduced != std::vector<bool>{false, false, true, true})
        node.fail("works on other axes than height and width");
    Signal result = global_pool(converter, node, kind);
    if (node.integer("keepdims", 1) == 0) result.shape.resize(2);
    converter.give(node, result);
}

}  // namespace

const Conversions& pool_conversions() {
    static const Conversions known{
        {"MaxPool", [](Converter& c, const OnnxNode& n) { convert_pool(c, n, Kind::maximum); }},
        {"AveragePool", [](Converter& c, const OnnxNode& n) { convert_pool(c, n, Kind::average); }},
        {"GlobalMaxPool",
         [](Converter& c, const OnnxNode& n) { c.give(n, global_pool(c, n, Kind::maximum)); }},
        {"GlobalAveragePool",
         [](Converter& c, const OnnxNode& n) { c.give(n, global_pool(c, n, Kind::average)); }},
        {"ReduceMax",
         [](Converter& c, const OnnxNode& n) { convert_reduction(c, n, Kind::maximum); }},
        {"ReduceMean",
         [](Converter& c, const OnnxNode& n) { convert_reduction(c, n, Kind::average); }}};
    return known;
}

}  // namespace kirchnet::onnx_import
