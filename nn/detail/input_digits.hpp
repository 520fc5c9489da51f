#pragma once

#include <cstddef>

#include "nn/converters.hpp"

namespace kirchnet::detail {

/// The digits that one read drives, of codes that are whole numbers: `input_digit` of each.
void take_digits(const InputRead& read, const float* codes, std::size_t size, float* out);

}  // namespace kirchnet::detail
