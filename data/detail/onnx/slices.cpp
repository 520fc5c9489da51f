#include "data/detail/onnx/slices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace kirchnet::onnx_import {
namespace {

/// ONNX's rules for starts and ends: below 0 they count from the end, beyond the axis they are cut.
AxisSlice cut(std::size_t axis, std::int64_t extent, std::int64_t start, std::int64_t end,
              std::int64_t step) {
    if (extent == 0) return {axis, 0, step, 0};
    const auto from_front = [extent](std::int64_t index) {
        return index < 0 ? std::max(index, -extent - 1) + extent : index;
    };
    const std::int64_t lowest = step > 0 ? 0 : -1;
    const std::int64_t highest = step > 0 ? extent : extent - 1;
    const std::int64_t first = std::clamp(from_front(start), std::int64_t{0}, highest);
    const std::int64_t last = std::clamp(from_front(end), lowest, extent);
    const std::int64_t span = step > 0 ? last - first : first - last;
    const std::int64_t size = step > 0 ? step : -step;
    return {axis, first, step, span <= 0 ? 0U : static_cast<std::size_t>((span - 1) / size + 1)};
}

}  // namespace

std::size_t resolve_axis(const OnnxNode& node, std::int64_t axis, std::size_t rank) {
    const auto size = static_cast<std::int64_t>(rank);
    if (axis < -size || axis >= size)
        node.fail(fmt::format("works on axis {} of a tensor of {} dimensions", axis, rank));
    return static_cast<std::size_t>(axis < 0 ? axis + size : axis);
}

std::vector<AxisSlice> read_slices(const OnnxNode& node, const Shape& shape,
                                   const IntegerArgument& argument) {
    constexpr std::int64_t largest_step = 65536;
    const auto starts = argument("starts", 1);
    const auto ends = argument("ends", 2);
    auto axes = argument("axes", 3);
    auto steps = argument("steps", 4);
    if (axes.empty()) {
        axes.resize(starts.size());
        std::iota(axes.begin(), axes.end(), 0);
    }
    if (steps.empty()) steps.assign(starts.size(), 1);
    if (ends.size() != starts.size() || axes.size() != starts.size() ||
        steps.size() != starts.size())
        node.fail("starts, ends, axes and steps are not equally many");
    std::vector<AxisSlice> slices;
    for (std::size_t i = 0; i < starts.size(); ++i) {
        if (steps[i] == 0 || steps[i] < -largest_step || steps[i] > largest_step)
            node.fail(fmt::format("takes steps of {}", steps[i]));
        const std::size_t axis = resolve_axis(node, axes[i], shape.size());
        slices.push_back(
            cut(axis, static_cast<std::int64_t>(shape[axis]), starts[i], ends[i], steps[i]));
    }
    return slices;
}

}  // namespace kirchnet::onnx_import
