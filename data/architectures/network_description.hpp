#pragma once

#include "data/state_dict.hpp"

namespace kirchnet {

/// What tensors do not tell about a network, from the state dict's attributes: `input_shape`
/// (`3x32x32` or three numbers), `normalisation_mean` and `normalisation_std` (one per channel);
/// words and single numbers become provenance, and so does what had to be assumed.
/// @param assumed  image where the attribute `input_shape` is missing; its channels are those of
///                 the first layer, which the attribute must match
/// @return         a network without nodes
/// @throws InvalidInput  naming the attribute that does not fit
Network describe_network(const StateDict& tensors, const ImageShape& assumed);

/// The attribute `name` as a batch norm's epsilon, in [0, 1); `fallback` where it is missing.
double read_epsilon(const StateDict& tensors, const std::string& name, double fallback);

inline constexpr double default_epsilon = 1e-5;  ///< PyTorch's batch norm

}  // namespace kirchnet
