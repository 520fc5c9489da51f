#pragma once

#include <torch/torch.h>

#include "data/network.hpp"

namespace kirchnet::detail {

/// Values as plain floats.
Tensor to_host(const torch::Tensor& tensor);
/// In shape and type of `like`. @throws InvalidInput  when the number of values is another
torch::Tensor to_torch_like(const Tensor& host, const torch::Tensor& like);

}  // namespace kirchnet::detail
