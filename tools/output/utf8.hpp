#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace kirchnet {

/// Offset of the first byte that does not belong to well-formed UTF-8 (RFC 3629), if any.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

}  // namespace kirchnet
