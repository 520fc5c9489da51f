#include "circuit/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

struct Prefix {
    char letter;
    double factor;
};
constexpr std::array<Prefix, 10> prefixes{{{'f', 1e-15},
                                           {'p', 1e-12},
                                           {'n', 1e-9},
                                           {'u', 1e-6},
                                           {'m', 1e-3},
                                           {' ', 1.0},
                                           {'k', 1e3},
                                           {'M', 1e6},
                                           {'G', 1e9},
                                           {'T', 1e12}}};

const Prefix* find_prefix(std::string_view letter) {
    for (const auto& prefix : prefixes)
        if (letter.size() == 1 && letter.front() == prefix.letter && prefix.letter != ' ')
            return &prefix;
    return nullptr;
}

/// Dividing by the exact power of ten keeps 20u equal to the literal 20e-6.
double scale(double value, double factor) {
    return factor < 1 ? value / std::round(1 / factor) : value * factor;
}

[[noreturn]] void refuse(std::string_view text, std::string_view what) {
    throw InvalidInput(std::string(what),
                       fmt::format("'{}' is not a number such as 1e-4, 20u, 1k or inf", text));
}

}  // namespace

double parse_quantity(std::string_view text, std::string_view what) {
    if (text == "inf") return std::numeric_limits<double>::infinity();
    double value = 0;
    const char* begin = text.data();
    const char* end = begin + text.size();
    if (text.starts_with('+') && !text.starts_with("+-")) ++begin;  // from_chars knows no '+'
    const auto [rest, status] = std::from_chars(begin, end, value);
    if (status != std::errc{}) refuse(text, what);
    if (rest != end) {
        const auto* prefix = find_prefix({rest, static_cast<std::size_t>(end - rest)});
        if (prefix == nullptr) refuse(text, what);
        value = scale(value, prefix->factor);
    }
    if (!std::isfinite(value)) refuse(text, what);
    return value;
}

std::string format_quantity(double value, std::string_view unit) {
    if (value == 0 || !std::isfinite(value)) return fmt::format("{:g} {}", value, unit);
    auto chosen = prefixes.front();
    for (const auto& prefix : prefixes)
        if (std::abs(value) >= prefix.factor * (1 - 5e-5)) chosen = prefix;  // 4 digits round up
    const double scaled = value / chosen.factor;
    if (chosen.letter == ' ') return fmt::format("{:.4g} {}", scaled, unit);
    return fmt::format("{:.4g} {}{}", scaled, chosen.letter, unit);
}

std::string format_exact(double value) {
    std::array<char, 40> buffer{};
    const auto [end, status] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    (void)status;  // 40 characters hold the shortest form of every double
    return {buffer.data(), end};
}

}  // namespace kirchnet
