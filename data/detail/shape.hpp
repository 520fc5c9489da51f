#pragma once

#include <string>
#include <vector>

namespace kirchnet {

/// Extents of an array, last index fastest.
using Shape = std::vector<std::size_t>;

/// `3x4`; `scalar` for no dimension.
std::string to_string(const Shape& shape);

/// Number of elements.
/// @throws InvalidInput  naming `where` when the number does not fit any memory
std::size_t element_count(const Shape& shape, const std::string& where);

}  // namespace kirchnet
