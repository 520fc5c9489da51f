#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>
#include <vector>

#include "data/detail/onnx/values.hpp"
#include "data/detail/tensor_values.hpp"

namespace kirchnet::onnx_import {

/// A tensor as the file holds it: float, double, float16, bfloat16, int32, int64 or bool, raw or in
/// typed fields.
/// @throws InvalidInput  about `where`: another type, data in another file, or fewer or more
///                       numbers than the shape says
Numbers read_numbers(const ::onnx::TensorProto& tensor, MemoryBudget& budget,
                     const std::string& where);

/// Values as whole numbers; what lies beyond int64 (ONNX's "to the end") becomes its limit.
std::vector<std::int64_t> to_integers(const Tensor& tensor);

/// [values] of integers.
Numbers make_integers(const std::vector<std::int64_t>& values);

}  // namespace kirchnet::onnx_import
