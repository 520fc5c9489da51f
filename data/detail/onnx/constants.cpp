#include "data/detail/onnx/constants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "circuit/error.hpp"

namespace kirchnet::onnx_import {
namespace {

using ::onnx::TensorProto;

NumberType number_type(const TensorProto& tensor, const std::string& where) {
    switch (tensor.data_type()) {
        case TensorProto::FLOAT:
            return NumberType::f32;
        case TensorProto::DOUBLE:
            return NumberType::f64;
        case TensorProto::FLOAT16:
            return NumberType::f16;
        case TensorProto::BFLOAT16:
            return NumberType::bf16;
        case TensorProto::INT32:
            return NumberType::i32;
        case TensorProto::INT64:
            return NumberType::i64;
        case TensorProto::BOOL:
            return NumberType::boolean;
        default:
            throw InvalidInput(
                where, fmt::format("holds numbers of type {}; float, double, float16, "
                                   "bfloat16, int32, int64 and bool are read",
                                   TensorProto::DataType_IsValid(tensor.data_type())
                                       ? TensorProto::DataType_Name(
                                             static_cast<TensorProto::DataType>(tensor.data_type()))
                                       : fmt::to_string(tensor.data_type())));
    }
}

bool is_integral(NumberType type) {
    return type == NumberType::i32 || type == NumberType::i64 || type == NumberType::boolean;
}

template <class Field>
std::string bytes_of(const Field& field) {
    return {reinterpret_cast<const char*>(field.data()),
            static_cast<std::size_t>(field.size()) * sizeof(*field.data())};
}

/// The typed field that ONNX keeps numbers of a type in; the small types share one of int32.
std::string typed_bytes(const TensorProto& tensor, NumberType type) {
    if (type == NumberType::f32) return bytes_of(tensor.float_data());
    if (type == NumberType::f64) return bytes_of(tensor.double_data());
    if (type == NumberType::i64) return bytes_of(tensor.int64_data());
    if (type == NumberType::i32) return bytes_of(tensor.int32_data());
    std::string bytes;
    for (const std::int32_t number : tensor.int32_data()) {
        const auto low = static_cast<std::uint32_t>(number);
        bytes.push_back(static_cast<char>(low & 0xFFU));
        if (size_of(type) == 2) bytes.push_back(static_cast<char>(low >> 8U & 0xFFU));
    }
    return bytes;
}

Shape shape_of(const TensorProto& tensor, const std::string& where) {
    Shape shape;
    for (const std::int64_t extent : tensor.dims()) {
        if (extent < 0) throw InvalidInput(where, fmt::format("has an extent of {}", extent));
        shape.push_back(static_cast<std::size_t>(extent));
    }
    return shape;
}

}  // namespace

Numbers read_numbers(const TensorProto& tensor, MemoryBudget& budget, const std::string& where) {
    if (tensor.data_location() == TensorProto::EXTERNAL)
        throw InvalidInput(where, "keeps its numbers in another file; save the model as one file");
    const NumberType type = number_type(tensor, where);
    const Shape shape = shape_of(tensor, where);
    const std::size_t count = element_count(shape, where);
    const std::string typed = tensor.has_raw_data() ? std::string{} : typed_bytes(tensor, type);
    const std::string_view stored = tensor.has_raw_data() ? tensor.raw_data() : typed;
    if (stored.size() != count * size_of(type))
        throw InvalidInput(
            where, fmt::format("has shape {}, which needs {} bytes; it holds {}", to_string(shape),
                               count * size_of(type), stored.size()));
    return {decode_tensor(stored, type, {shape, dense_strides(shape), 0}, budget, where),
            is_integral(type)};
}

std::vector<std::int64_t> to_integers(const Tensor& tensor) {
    constexpr float beyond = 9.2e18F;  // less than 2^63
    std::vector<std::int64_t> integers;
    for (const float value : tensor.values) {
        const bool inside = value > -beyond && value < beyond;
        integers.push_back(inside      ? static_cast<std::int64_t>(value)
                           : value > 0 ? std::numeric_limits<std::int64_t>::max()
                                       : std::numeric_limits<std::int64_t>::min());
    }
    return integers;
}

Numbers make_integers(const std::vector<std::int64_t>& values) {
    Numbers numbers{{{values.size()}, {}}, true};
    for (const std::int64_t value : values)
        numbers.tensor.values.push_back(static_cast<float>(value));
    return numbers;
}

}  // namespace kirchnet::onnx_import
