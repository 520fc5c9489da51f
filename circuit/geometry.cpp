#include "circuit/geometry.hpp"

#include <fmt/format.h>

#include <charconv>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

constexpr Index largest_side = 65536;  // beyond it node numbers no longer fit in 32 bits

Index parse_side(std::string_view text, std::string_view whole) {
    Index value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc{} || end != text.data() + text.size() || value < 1 ||
        value > largest_side)
        throw InvalidInput(
            fmt::format("array size '{}' is not WORD_LINESxBIT_LINES with numbers from 1 to {}, "
                        "such as 128x128",
                        whole, largest_side));
    return value;
}

}  // namespace

std::string to_string(const ArrayShape& shape) {
    return fmt::format("{}x{}", shape.word_lines, shape.bit_lines);
}

ArrayShape parse_array_shape(std::string_view text) {
    const auto cross = text.find('x');
    if (cross == std::string_view::npos) parse_side("", text);
    return {parse_side(text.substr(0, cross), text), parse_side(text.substr(cross + 1), text)};
}

char to_char(Polarity polarity) {
    return polarity == Polarity::a ? 'a' : 'b';
}

std::string_view to_string(Layout layout) {
    return layout == Layout::split ? "split" : "interleaved";
}

Layout parse_layout(std::string_view text) {
    if (text == "split") return Layout::split;
    if (text == "interleaved") return Layout::interleaved;
    throw InvalidInput(fmt::format("layout '{}' is neither split nor interleaved", text));
}

std::string_view to_string(DriveSide side) {
    switch (side) {
        case DriveSide::left:
            return "left";
        case DriveSide::right:
            return "right";
        case DriveSide::both:
            break;
    }
    return "both";
}

DriveSide parse_drive_side(std::string_view text) {
    if (text == "left") return DriveSide::left;
    if (text == "right") return DriveSide::right;
    if (text == "both") return DriveSide::both;
    throw InvalidInput(fmt::format("driven side '{}' is none of left, right, both", text));
}

std::string_view to_string(SenseSide side) {
    switch (side) {
        case SenseSide::bottom:
            return "bottom";
        case SenseSide::top:
            return "top";
        case SenseSide::both:
            break;
    }
    return "both";
}

SenseSide parse_sense_side(std::string_view text) {
    if (text == "bottom") return SenseSide::bottom;
    if (text == "top") return SenseSide::top;
    if (text == "both") return SenseSide::both;
    throw InvalidInput(fmt::format("sensed side '{}' is none of bottom, top, both", text));
}

std::string_view to_string(ColumnPattern pattern) {
    switch (pattern) {
        case ColumnPattern::all_a:
            return "a";
        case ColumnPattern::all_b:
            return "b";
        case ColumnPattern::interleaved:
            break;
    }
    return "interleaved";
}

ColumnPattern parse_column_pattern(std::string_view text) {
    if (text == "a") return ColumnPattern::all_a;
    if (text == "b") return ColumnPattern::all_b;
    if (text == "interleaved") return ColumnPattern::interleaved;
    throw InvalidInput(fmt::format("column pattern '{}' is none of a, b, interleaved", text));
}

Polarity polarity_of(ColumnPattern pattern, Index bit_line) {
    if (pattern == ColumnPattern::all_a) return Polarity::a;
    if (pattern == ColumnPattern::all_b) return Polarity::b;
    return bit_line % 2 == 0 ? Polarity::a : Polarity::b;
}

}  // namespace kirchnet
