#include "nn/training/admm.hpp"

#include <fmt/format.h>

#include <cmath>

#include "circuit/error.hpp"
#include "nn/training/detail/host_tensor.hpp"

namespace kirchnet {
namespace {

template <typename Number>
void zero_smallest_values(torch::Tensor& tensor, double ratio) {
    zero_smallest(
        std::span<Number>(tensor.data_ptr<Number>(), static_cast<std::size_t>(tensor.numel())),
        ratio);
}

/// The nearest tensor that has its share of zeros.
torch::Tensor pruned(const torch::Tensor& tensor, double ratio) {
    torch::Tensor result = tensor.detach().clone(torch::MemoryFormat::Contiguous);
    if (result.scalar_type() == torch::kDouble)
        zero_smallest_values<double>(result, ratio);
    else
        zero_smallest_values<float>(result, ratio);
    return result;
}

torch::Tensor find(const std::map<std::string, Tensor>& kept, const std::string& layer,
                   const torch::Tensor& like) {
    const auto found = kept.find(layer);
    if (found == kept.end())
        throw InvalidInput(fmt::format("layer '{}'", layer), "has no Z and U of ADMM kept");
    try {
        return detail::to_torch_like(found->second, like);
    } catch (const InvalidInput& error) {
        throw InvalidInput(fmt::format("layer '{}'", layer), error.what());
    }
}

}  // namespace

AdmmSplit::AdmmSplit(const TorchNetwork& network, const PruningRatios& ratios) {
    check(ratios, network.description());
    for (const Node& node : network.description().nodes) {
        if (cell_weights(node.operation) == nullptr) continue;
        const torch::Tensor weight = network.weight(node.name);
        const double ratio = ratios.of(node.name);
        layers_.push_back(
            {node.name, ratio, weight, pruned(weight, ratio), torch::zeros_like(weight.detach())});
    }
    if (layers_.empty())
        throw InvalidInput(fmt::format("network '{}'", network.description().name),
                           "has no layer to prune");
}

torch::Tensor AdmmSplit::penalty(double rho) const {
    torch::Tensor sum;
    for (const Layer& layer : layers_) {
        const auto squares = (layer.weight - layer.split + layer.dual).square().sum();
        sum = sum.defined() ? sum + squares : squares;
    }
    return rho / 2 * sum;
}

void AdmmSplit::update() {
    const torch::NoGradGuard no_gradient;
    for (Layer& layer : layers_) {
        const torch::Tensor target = layer.weight + layer.dual;
        layer.split = pruned(target, layer.ratio);
        layer.dual = target - layer.split;
    }
}

void AdmmSplit::scale_dual(double factor) {
    for (Layer& layer : layers_) layer.dual *= factor;
}

double AdmmSplit::distance() const {
    const torch::NoGradGuard no_gradient;
    double difference = 0;
    double whole = 0;
    for (const Layer& layer : layers_) {
        difference += (layer.weight - layer.split).square().sum().item<double>();
        whole += layer.weight.square().sum().item<double>();
    }
    return whole > 0 ? std::sqrt(difference / whole) : 0;
}

std::map<std::string, Tensor> AdmmSplit::split() const {
    std::map<std::string, Tensor> kept;
    for (const Layer& layer : layers_) kept[layer.name] = detail::to_host(layer.split);
    return kept;
}

std::map<std::string, Tensor> AdmmSplit::dual() const {
    std::map<std::string, Tensor> kept;
    for (const Layer& layer : layers_) kept[layer.name] = detail::to_host(layer.dual);
    return kept;
}

void AdmmSplit::restore(const std::map<std::string, Tensor>& split,
                        const std::map<std::string, Tensor>& dual) {
    for (Layer& layer : layers_) {
        layer.split = find(split, layer.name, layer.weight);
        layer.dual = find(dual, layer.name, layer.weight);
    }
}

}  // namespace kirchnet
