#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace kirchnet_test {

/// The deck with the line that begins with `start` replaced; an empty `by` deletes it.
inline std::string with_line(const std::string& deck, const std::string& start,
                             const std::string& by) {
    const std::size_t begin = deck.find("\n" + start) + 1;
    REQUIRE(begin != 0);
    const std::size_t end = deck.find('\n', begin);
    return deck.substr(0, begin) + (by.empty() ? "" : by + "\n") + deck.substr(end + 1);
}

inline std::size_t line_number(const std::string& deck, const std::string& start) {
    const std::size_t at = deck.find("\n" + start);
    REQUIRE(at != std::string::npos);
    return 2 + static_cast<std::size_t>(
                   std::count(deck.begin(), deck.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

/// The line that begins with `start`.
inline std::string line_of(const std::string& deck, const std::string& start) {
    const std::size_t begin = deck.find("\n" + start) + 1;
    REQUIRE(begin != 0);
    return deck.substr(begin, deck.find('\n', begin) - begin);
}

/// The deck with the first place of a text replaced.
inline std::string with_text(const std::string& deck, const std::string& text,
                             const std::string& by) {
    const std::size_t at = deck.find(text);
    REQUIRE(at != std::string::npos);
    return std::string(deck).replace(at, text.size(), by);
}

}  // namespace kirchnet_test
