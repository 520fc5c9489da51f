#include "data/detail/plain_text.hpp"

#include <algorithm>

namespace kirchnet {
namespace {

constexpr std::size_t longest_shown = 120;  // [characters]

bool is_plain(char c) {
    return c >= ' ' && c <= '~';
}

}  // namespace

bool is_plain_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_plain);
}

std::string printable(std::string_view text) {
    std::string shown(text.substr(0, longest_shown));
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return !is_plain(c); }, '?');
    if (text.size() > longest_shown) shown += "...";
    return shown;
}

}  // namespace kirchnet
