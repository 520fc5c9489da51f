#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "netlists/characterise.hpp"

namespace kirchnet::detail {

/// The line of a user's file that a message of ngspice is about: `line 4 'bcell wl bl i=...'`, or
/// nothing. Messages name elements, parameters in brackets, and functions in quotes.
std::string find_culprit(const UserCellSource& source, std::string_view message);

}  // namespace kirchnet::detail
