#pragma once

#include "data/state_dict.hpp"

namespace kirchnet {

/// Whether the file begins as a safetensors file: a length, then a JSON object.
bool looks_like_safetensors(std::string_view bytes);

/// A safetensors file. The texts of its `__metadata__` become attributes.
/// @param where  the file, for messages
/// @throws InvalidInput  naming the file and the tensor or part of it that is refused
StateDict parse_safetensors(std::string_view bytes, const std::string& where);

}  // namespace kirchnet
