#include "data/detail/shape.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

#include "circuit/error.hpp"

namespace kirchnet {

std::string to_string(const Shape& shape) {
    return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

std::size_t element_count(const Shape& shape, const std::string& where) {
    std::size_t count = 1;
    for (const std::size_t extent : shape)
        if (__builtin_mul_overflow(count, extent, &count) ||
            count > std::numeric_limits<std::size_t>::max() / 16)
            throw InvalidInput(where, fmt::format("shape {} is too large", to_string(shape)));
    return count;
}

}  // namespace kirchnet
