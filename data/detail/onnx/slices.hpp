#pragma once

#include <functional>

#include "data/detail/onnx/node.hpp"
#include "data/detail/shape.hpp"

namespace kirchnet::onnx_import {

/// Part of one axis that a Slice node keeps.
struct AxisSlice {
    std::size_t axis = 0;
    std::int64_t first = 0;
    std::int64_t step = 1;  ///< not 0; below 0: backwards
    std::size_t count = 0;
};

/// Whole numbers that an operator takes as an attribute in its older versions and as an input
/// since; empty where it has neither.
using IntegerArgument =
    std::function<std::vector<std::int64_t>(const char* name, std::size_t input)>;

/// Which axis an ONNX index means; counted from the end below 0.
/// @throws InvalidInput  about the node when there is no such axis
std::size_t resolve_axis(const OnnxNode& node, std::int64_t axis, std::size_t rank);

/// What a Slice node keeps of a tensor, its indices made plain.
/// @throws InvalidInput  about the node when its arguments do not fit each other or the shape
std::vector<AxisSlice> read_slices(const OnnxNode& node, const Shape& shape,
                                   const IntegerArgument& argument);

}  // namespace kirchnet::onnx_import
