#pragma once

#include "data/detail/onnx/converter.hpp"

namespace kirchnet::onnx_import {

/// Turns one ONNX node into nodes of ours: reads its inputs from the converter, gives its outputs.
/// @throws InvalidInput  about the node when it does not fit or asks for what we cannot do
using Conversion = void (*)(Converter& converter, const OnnxNode& node);
using Conversions = std::map<std::string, Conversion>;

// By operator; one file each.
const Conversions& layer_conversions();        // Conv, Gemm, MatMul, BatchNormalization
const Conversions& pool_conversions();         // MaxPool, GlobalAveragePool, ReduceMean, ...
const Conversions& elementwise_conversions();  // activations, Add, Mul, ...
const Conversions& shape_conversions();        // Flatten, Concat, Slice, Resize, Pad, ...

/// Null where the operator is unknown.
Conversion find_conversion(const std::string& kind);

/// y = scale x + shift per channel, as a batch norm.
void give_affine(Converter& converter, const OnnxNode& node, const Signal& input, Tensor scale,
                 Tensor shift);

}  // namespace kirchnet::onnx_import
