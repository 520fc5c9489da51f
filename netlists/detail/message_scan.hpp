#pragma once

#include <string>
#include <string_view>

namespace kirchnet::detail {

/// The lines by which ngspice admits a failure that its return codes hide; empty when there are
/// none. Lines that begin with `stdout ` count only when an error opens them, since the deck's
/// title is echoed there; all others are scanned.
/// @return  at most three lines, joined by ` | `
std::string find_failure(std::string_view messages);

/// What ngspice says about a deck that it refuses, without its notes and its farewell: at most
/// eight lines, joined by ` | `.
std::string all_that_tells(std::string_view messages);

}  // namespace kirchnet::detail
