#include "data/detail/tensor_values.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>

#include "circuit/error.hpp"
#include "data/detail/little_endian.hpp"

namespace kirchnet {
namespace {

constexpr std::size_t smallest_budget = 1U << 22U;  // [values] whatever the file's size

template <class Stored>
float load(std::string_view bytes, std::size_t index) {
    return static_cast<float>(load_little_endian<Stored>(bytes, index * sizeof(Stored)));
}

/// The upper half of a float32.
float load_bfloat16(std::string_view bytes, std::size_t index) {
    const auto bits = std::uint32_t{load_little_endian<std::uint16_t>(bytes, index * 2)};
    return std::bit_cast<float>(bits << 16U);
}

/// IEEE 754 binary16: sign, 5 bits of exponent (bias 15), 10 of fraction.
float load_half(std::string_view bytes, std::size_t index) {
    const auto bits = std::uint32_t{load_little_endian<std::uint16_t>(bytes, index * 2)};
    const auto exponent = static_cast<int>(bits >> 10U & 31U);
    const auto fraction = static_cast<float>(bits & 1023U);
    float magnitude = std::ldexp(1024.0F + fraction, exponent - 25);
    if (exponent == 0) magnitude = std::ldexp(fraction, -24);
    if (exponent == 31)
        magnitude = fraction == 0 ? std::numeric_limits<float>::infinity()
                                  : std::numeric_limits<float>::quiet_NaN();
    return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

struct NumberFormat {
    std::size_t size;  // [bytes]
    float (*load)(std::string_view bytes, std::size_t index);
};

NumberFormat format_of(NumberType type) {
    switch (type) {
        case NumberType::f16:
            return {2, load_half};
        case NumberType::bf16:
            return {2, load_bfloat16};
        case NumberType::f32:
            return {4, load<float>};
        case NumberType::f64:
            return {8, load<double>};
        case NumberType::i8:
            return {1, load<std::int8_t>};
        case NumberType::i16:
            return {2, load<std::int16_t>};
        case NumberType::i32:
            return {4, load<std::int32_t>};
        case NumberType::i64:
            return {8, load<std::int64_t>};
        case NumberType::u8:
        case NumberType::boolean:
            break;
    }
    return {1, load<std::uint8_t>};
}

/// One past the last number that the layout reaches.
std::optional<std::size_t> reach_of(const TensorLayout& layout) {
    std::size_t last = layout.offset;
    for (std::size_t k = 0; k < layout.shape.size(); ++k) {
        std::size_t step = 0;
        if (layout.shape[k] == 0) return 0;
        if (__builtin_mul_overflow(layout.shape[k] - 1, layout.strides[k], &step) ||
            __builtin_add_overflow(last, step, &last))
            return std::nullopt;
    }
    return last == std::numeric_limits<std::size_t>::max() ? std::nullopt : std::optional(last + 1);
}

void check_reach(const TensorLayout& layout, std::size_t stored, const std::string& where) {
    const auto reach = reach_of(layout);
    if (!reach || *reach > stored)
        throw InvalidInput(where, fmt::format("of shape {} reaches past the {} numbers that are "
                                              "stored for it",
                                              to_string(layout.shape), stored));
}

/// Adds one to the last index, carrying over; keeps `place` the number it stands for.
void advance(Shape& index, std::size_t& place, const TensorLayout& layout) {
    for (std::size_t k = index.size(); k-- > 0;) {
        place += layout.strides[k];
        if (++index[k] < layout.shape[k]) return;
        place -= layout.strides[k] * layout.shape[k];
        index[k] = 0;
    }
}

}  // namespace

std::size_t size_of(NumberType type) {
    return format_of(type).size;
}

MemoryBudget::MemoryBudget(std::size_t file_size, std::size_t expansion)
    : left_(file_size / sizeof(float) * expansion + smallest_budget) {}

void MemoryBudget::take(std::size_t values, const std::string& where) {
    if (values > left_)
        throw InvalidInput(where,
                           "makes the tensors far larger than their file: refused, since "
                           "they would take any amount of memory");
    left_ -= values;
}

Shape dense_strides(const Shape& shape) {
    Shape strides(shape.size(), 1);
    for (std::size_t k = shape.size(); k-- > 1;) strides[k - 1] = strides[k] * shape[k];
    return strides;
}

Tensor decode_tensor(std::string_view stored, NumberType type, const TensorLayout& layout,
                     MemoryBudget& budget, const std::string& where) {
    if (layout.shape.size() != layout.strides.size() || layout.shape.size() > most_dimensions)
        throw InvalidInput(
            where, fmt::format("has {} extents and {} strides, at most {} are read",
                               layout.shape.size(), layout.strides.size(), most_dimensions));
    const NumberFormat format = format_of(type);
    const std::size_t count = element_count(layout.shape, where);
    check_reach(layout, stored.size() / format.size, where);
    budget.take(count, where);
    Tensor tensor{layout.shape, std::vector<float>(count)};
    Shape index(layout.shape.size(), 0);
    std::size_t place = layout.offset;
    for (float& value : tensor.values) {
        value = format.load(stored, place);
        advance(index, place, layout);
    }
    return tensor;
}

}  // namespace kirchnet
