#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace kirchnet {

/// The whole of `text` as a number of pixels, stages or blocks, at most 65536.
inline std::optional<std::size_t> parse_name_number(std::string_view text) {
    constexpr std::size_t most = 65536;
    std::size_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data(), end, number);
    if (text.empty() || status != std::errc{} || rest != end || number > most) return std::nullopt;
    return number;
}

}  // namespace kirchnet
