#pragma once

#include "data/state_dict.hpp"

namespace kirchnet {

/// Whether the file begins as one that torch.save wrote, in either format.
bool looks_like_pth(std::string_view bytes);

/// A PyTorch file: a state dict, or a checkpoint that holds one under `state_dict`,
/// `model_state_dict`, `model` or `net`. Nothing in it is run. Words, numbers and lists of numbers
/// beside the tensors become attributes.
/// @param where  the file, for messages
/// @throws InvalidInput  naming the file and the tensor, name or part of it that is refused
StateDict parse_pth(std::string_view bytes, const std::string& where);

}  // namespace kirchnet
