#pragma once

#include <functional>

#include "data/detail/onnx/constants.hpp"
#include "data/detail/onnx/node.hpp"

namespace kirchnet::onnx_import {

/// Whether `fold` knows the operator. Exporters leave whole sums of such nodes behind a single
/// `view` or `pad`.
bool is_foldable(const std::string& kind);

/// What a node of constants gives.
/// @param inputs  one per input of the node, null where it is left out
/// @throws InvalidInput  about the node when its inputs do not fit it or take too much memory
Numbers fold(const OnnxNode& node, const std::vector<Constant>& inputs, MemoryBudget& budget);

/// Where Reshape's target has 0 the extent stays, where it has -1 the extent follows.
/// @throws InvalidInput  about the node when the number of elements cannot stay the same
Shape reshaped(const OnnxNode& node, const Shape& shape, const std::vector<std::int64_t>& target);

}  // namespace kirchnet::onnx_import
