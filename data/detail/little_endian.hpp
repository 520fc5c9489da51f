#pragma once

#include <bit>
#include <cstring>
#include <string_view>

namespace kirchnet {

static_assert(std::endian::native == std::endian::little, "values are copied as they are stored");

/// The number stored at `bytes[at]`, little-endian; the caller has checked that it lies inside.
template <class Number>
Number load_little_endian(std::string_view bytes, std::size_t at) {
    Number value;
    std::memcpy(&value, bytes.data() + at, sizeof(Number));
    return value;
}

}  // namespace kirchnet
