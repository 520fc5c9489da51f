#pragma once

#include <string>

#include "data/detail/onnx/node.hpp"

namespace kirchnet::onnx_import {

/// What a node of ours is called: `layer1.0.conv1` after its weights `layer1.0.conv1.weight`, else
/// after the ONNX node (`/layer1/layer1.0/relu/Relu` gives `layer1.0.relu`), else after its output.
/// @param weights  which input holds the layer's weights; 0 for none
std::string suggest_name(const OnnxNode& node, std::size_t weights);

}  // namespace kirchnet::onnx_import
