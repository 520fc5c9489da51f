#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "circuit/crossbar.hpp"

namespace kirchnet::detail {

/// Printable ASCII on one line: text of users, made harmless for a deck. Line ends and other
/// control characters become blanks, bytes beyond ASCII a `?`.
std::string one_line(std::string_view text);

/// `* text`, with its line end. The blank keeps `*#` and `*ng_script`, which ngspice would run,
/// from ever standing at the start of a line.
std::string comment(std::string_view text);

/// A number as SPICE reads it, with as many digits as an exact round trip takes.
std::string number(double value);

/// Tolerances tight enough for twelve digits.
std::string_view options_line();

/// The 0 V source that measures the current of one bit line, `vs_a_3`.
std::string ammeter_name(ColumnPattern pattern, Index bit_line);

/// The source of one word line, `v_in_a_3`.
std::string source_name(ColumnPattern pattern, Index word_line);

/// What ends a deck in SPICE3's dialect: `.op`, `.dc` of one point on `source`, and `.print` lines
/// of a few vectors each, as old programs take them.
std::string plain_analysis(const std::string& source, double value,
                           const std::vector<std::string>& outputs);

}  // namespace kirchnet::detail
