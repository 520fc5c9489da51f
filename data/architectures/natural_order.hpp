#pragma once

#include <string_view>

namespace kirchnet {

/// Whether a name comes before another where numbers within names count as numbers: conv2 before
/// conv10.
bool naturally_before(std::string_view a, std::string_view b);

}  // namespace kirchnet
