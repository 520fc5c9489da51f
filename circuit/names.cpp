#include "circuit/names.hpp"

#include <fmt/format.h>

#include <cctype>
#include <charconv>

namespace kirchnet {
namespace {

std::string positioned(std::string_view prefix, const CellPosition& at) {
    return fmt::format("{}_{}_{}_{}", prefix, to_char(at.polarity), at.word_line, at.bit_line);
}

/// Consumes a number without sign or leading zero from the front of `text`.
std::optional<Index> take_index(std::string_view& text) {
    Index value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (status != std::errc{} || text.front() == '-' || (length > 1 && text.front() == '0'))
        return std::nullopt;
    text.remove_prefix(length);
    return value;
}

}  // namespace

std::string cell_name(const CellPosition& position) {
    return positioned("xc", position);
}

std::string word_line_node(const CellPosition& position) {
    return positioned("wl", position);
}

std::string bit_line_node(const CellPosition& position) {
    return positioned("bl", position);
}

std::string input_node(ColumnPattern array, Index word_line) {
    return fmt::format("in_{}_{}", array_letters(array), word_line);
}

std::string sense_node(Polarity polarity, Index bit_line) {
    return fmt::format("out_{}_{}", to_char(polarity), bit_line);
}

std::string_view array_letters(ColumnPattern pattern) {
    switch (pattern) {
        case ColumnPattern::all_a:
            return "a";
        case ColumnPattern::all_b:
            return "b";
        case ColumnPattern::interleaved:
            break;
    }
    return "ab";
}

std::optional<CellPosition> parse_cell_name(std::string_view name) {
    if (!name.starts_with("xc_") || name.size() < 8 || name[4] != '_') return std::nullopt;
    CellPosition position;
    if (name[3] != 'a' && name[3] != 'b') return std::nullopt;
    position.polarity = name[3] == 'a' ? Polarity::a : Polarity::b;
    name.remove_prefix(5);
    const auto word_line = take_index(name);
    if (!word_line || !name.starts_with('_') || name.size() < 2) return std::nullopt;
    name.remove_prefix(1);
    const auto bit_line = take_index(name);
    if (!bit_line || !name.empty()) return std::nullopt;
    position.word_line = *word_line;
    position.bit_line = *bit_line;
    return position;
}

std::string spice_identifier(std::string_view name) {
    std::string result;
    for (const char letter : name) {
        const auto code = static_cast<unsigned char>(letter);
        result += std::isalnum(code) != 0 ? static_cast<char>(std::tolower(code)) : '_';
    }
    return result;
}

}  // namespace kirchnet
