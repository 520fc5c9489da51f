#include "nn/training/detail/host_tensor.hpp"

#include <fmt/format.h>

#include "circuit/error.hpp"

namespace kirchnet::detail {

Tensor to_host(const torch::Tensor& tensor) {
    const torch::Tensor plain = tensor.detach().to(torch::kFloat).contiguous();
    Tensor host;
    for (const std::int64_t extent : plain.sizes())
        host.shape.push_back(static_cast<std::size_t>(extent));
    const float* values = plain.data_ptr<float>();
    host.values.assign(values, values + plain.numel());
    return host;
}

torch::Tensor to_torch_like(const Tensor& host, const torch::Tensor& like) {
    if (host.values.size() != static_cast<std::size_t>(like.numel()))
        throw InvalidInput(
            fmt::format("{} values are kept for a tensor of {}", host.values.size(), like.numel()));
    return torch::tensor(at::ArrayRef<float>(host.values))
        .reshape(like.sizes())
        .to(like.scalar_type());
}

}  // namespace kirchnet::detail
