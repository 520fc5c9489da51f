#pragma once

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "circuit/error.hpp"

// Values of an experiment's keys as text, of the command line and of TOML.
namespace kirchnet {

/// Parts between commas; of an empty text one empty part.
std::vector<std::string_view> split_list(std::string_view text);
/// Likewise, but of an empty text none.
std::vector<std::string> parse_texts(std::string_view list);
/// Numbers [LSB] between commas. @throws InvalidInput  naming what is none
std::vector<double> parse_inl(std::string_view list);
/// @throws InvalidInput  unless the text is `true` or `false`
bool parse_truth(std::string_view text);
/// @throws InvalidInput  naming `what`, unless the quantity is at least 0
double positive_or_zero(std::string_view text, std::string_view what);

/// @throws InvalidInput  unless the text is a whole number that fits
template <typename Integer>
Integer parse_integer(std::string_view text) {
    Integer value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc{} || end != text.data() + text.size())
        throw InvalidInput(fmt::format("'{}' is not a whole number in range", text));
    return value;
}

/// In quotes, as TOML wants it.
std::string toml_string(std::string_view text);
/// A TOML list.
std::string toml_list(const std::vector<std::string>& list);
std::string toml_list(const std::vector<double>& list);

}  // namespace kirchnet
