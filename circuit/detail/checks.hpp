#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <string_view>

#include "circuit/error.hpp"

// What numbers of a user may be.
namespace kirchnet::detail {

/// @throws InvalidInput  naming the quantity
inline void check_finite(double value, std::string_view what) {
    if (!std::isfinite(value))
        throw InvalidInput(std::string(what), fmt::format("{} is not finite", value));
}

/// @throws InvalidInput  naming the quantity
inline void check_positive(double value, std::string_view what) {
    if (!(value > 0) || !std::isfinite(value))
        throw InvalidInput(std::string(what),
                           fmt::format("{} is not a finite number above 0", value));
}

/// @throws InvalidInput  naming the quantity
inline void check_not_negative(double value, std::string_view what) {
    if (!(value >= 0) || !std::isfinite(value))
        throw InvalidInput(std::string(what),
                           fmt::format("{} is not a finite number of at least 0", value));
}

/// @throws InvalidInput  naming the quantity
inline void check_probability(double value, std::string_view what) {
    if (!(value >= 0 && value <= 1))
        throw InvalidInput(std::string(what), fmt::format("{} is not within 0 and 1", value));
}

}  // namespace kirchnet::detail
