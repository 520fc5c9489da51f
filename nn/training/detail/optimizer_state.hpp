#pragma once

#include <torch/torch.h>

#include <vector>

#include "data/network.hpp"

namespace kirchnet::detail {

/// The buffers of SGD with momentum (one per parameter) or of AdamW (two), parameters in order of
/// their groups. Empty before the first step.
std::vector<Tensor> read_optimizer_state(torch::optim::Optimizer& optimizer);

/// @param steps  that AdamW has taken
/// @throws InvalidInput  when the buffers do not fit the parameters
void write_optimizer_state(torch::optim::Optimizer& optimizer, const std::vector<Tensor>& state,
                           std::size_t steps);

}  // namespace kirchnet::detail
