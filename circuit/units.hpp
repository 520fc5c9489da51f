#pragma once

#include <string>
#include <string_view>

namespace kirchnet {

/// Reads a number with an optional SI suffix: f p n u m k M G T (`1k`, `20u`, `1M` = 1e6), or
/// `inf`. This is the command line's notation; SPICE's own (where M is milli) is never read here.
/// @throws InvalidInput  naming `what` when `text` is no such number, or not finite and not `inf`
double parse_quantity(std::string_view text, std::string_view what);

/// A value with an SI prefix and unit for people: `10 kohm`, `33.3 uS`.
std::string format_quantity(double value, std::string_view unit);

/// The shortest text that reads back as exactly the same double, with a plain exponent (`1e-3`).
std::string format_exact(double value);

}  // namespace kirchnet
