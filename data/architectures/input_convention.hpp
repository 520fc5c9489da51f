#pragma once

#include "data/state_dict.hpp"

namespace kirchnet {

/// Brings a network whose attribute `input_scale` speaks of pixels `0..255` or of `BGR` to our
/// convention, (pixel / 255 - mean) / deviation of RGB: mean and deviation are divided by 255, the
/// channels of them and of the kernels that read the image are reversed. Provenance says so.
/// @throws InvalidInput  when reversing makes no sense: not three channels, or no convolution first
void adopt_input_convention(const StateDict& tensors, Network& network);

}  // namespace kirchnet
