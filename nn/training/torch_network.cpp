#include "nn/training/torch_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

using Host = Tensor;  // the plain data that files hold

constexpr double statistics_momentum = 0.1;  // PyTorch's default for batch normalisation

std::int64_t integer(std::size_t value) {
    return static_cast<std::int64_t>(value);
}

[[noreturn]] void reject(const Node& node, std::string_view problem) {
    throw InvalidInput(fmt::format("node '{}'", node.name), std::string(problem));
}

std::vector<std::int64_t> torch_shape(const Host& host) {
    std::vector<std::int64_t> shape;
    for (const std::size_t extent : host.shape) shape.push_back(integer(extent));
    return shape;
}

torch::Tensor to_torch(const Host& host, const Node& node, torch::ScalarType type) {
    const auto size = std::accumulate(host.shape.begin(), host.shape.end(), std::size_t{1},
                                      [](std::size_t x, std::size_t y) { return x * y; });
    if (host.values.empty()) return {};
    if (size != host.values.size())
        reject(node, fmt::format("a tensor of shape {} has {} values", fmt::join(host.shape, " x "),
                                 host.values.size()));
    return torch::tensor(at::ArrayRef<float>(host.values)).reshape(torch_shape(host)).to(type);
}

void to_host(const torch::Tensor& tensor, Host& host) {
    if (!tensor.defined()) return;
    const torch::Tensor plain = tensor.detach().to(torch::kFloat).contiguous();
    const float* values = plain.data_ptr<float>();
    host.values.assign(values, values + plain.numel());
}

/// libtorch pads both sides alike, so padding is laid around the input first.
torch::Tensor pool_off_centre(const PoolOp& op, const torch::Tensor& input,
                              const std::vector<std::int64_t>& kernel,
                              const std::vector<std::int64_t>& stride) {
    const auto before = integer(op.padding);
    const auto after = integer(op.padding + op.extra_padding);
    const auto pad = [&](const torch::Tensor& tensor, double value) {
        return torch::constant_pad_nd(tensor, {before, after, before, after}, value);
    };
    if (op.kind == PoolOp::Kind::maximum)
        return torch::max_pool2d(pad(input, -std::numeric_limits<double>::infinity()), kernel,
                                 stride);
    const torch::Tensor mean = torch::avg_pool2d(pad(input, 0), kernel, stride);
    if (op.counts_padding) return mean;
    return mean / torch::avg_pool2d(pad(torch::ones_like(input), 0), kernel, stride);
}

torch::Tensor pool(const PoolOp& op, const torch::Tensor& input) {
    const bool average = op.kind == PoolOp::Kind::average;
    if (op.kernel == 0)
        return average ? input.mean({2, 3}, true) : torch::amax(input, {2, 3}, true);
    const std::vector<std::int64_t> kernel(2, integer(op.kernel));
    const std::vector<std::int64_t> stride(2, integer(op.stride));
    const std::vector<std::int64_t> padding(2, integer(op.padding));
    if (op.extra_padding != 0) return pool_off_centre(op, input, kernel, stride);
    return average ? torch::avg_pool2d(input, kernel, stride, padding, false, op.counts_padding)
                   : torch::max_pool2d(input, kernel, stride, padding);
}

torch::Tensor activate(const ActivationOp& op, const torch::Tensor& input) {
    using Kind = ActivationOp::Kind;
    switch (op.kind) {
        case Kind::leaky_relu:
            return torch::leaky_relu(input, op.slope);
        case Kind::relu6:
            return torch::clamp(input, 0, 6);
        case Kind::sigmoid:
            return torch::sigmoid(input);
        case Kind::tanh:
            return torch::tanh(input);
        case Kind::silu:
            return torch::silu(input);
        case Kind::mish:
            return torch::mish(input);
        case Kind::hard_sigmoid:
            return torch::hardsigmoid(input);
        case Kind::hard_swish:
            break;
    }
    return torch::hardswish(input);
}

torch::Tensor upsample(const UpsampleOp& op, const torch::Tensor& input) {
    return input.repeat_interleave(integer(op.factor), 2).repeat_interleave(integer(op.factor), 3);
}

torch::Tensor pad_shortcut(const PadShortcutOp& op, const torch::Tensor& input) {
    using torch::indexing::None;
    using torch::indexing::Slice;
    const auto step = integer(op.stride);
    const torch::Tensor thinned =
        input.index({Slice(), Slice(), Slice(None, None, step), Slice(None, None, step)});
    const auto missing = integer(op.out_channels) - input.size(1);
    if (missing < 0 || missing % 2 != 0)
        throw InvalidInput(fmt::format("{} channels cannot be padded evenly to {}", input.size(1),
                                       op.out_channels));
    return torch::constant_pad_nd(thinned, {0, 0, 0, 0, missing / 2, missing / 2});
}

bool takes_inputs(const Operation& operation, std::size_t count) {
    if (std::holds_alternative<ConcatOp>(operation)) return count > 0;
    if (std::holds_alternative<InputOp>(operation)) return count == 0;
    return count == (std::holds_alternative<AddOp>(operation) ? 2 : 1);
}

/// The first line of libtorch's message, without its call stack.
std::string first_line(const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    return text.substr(0, text.find('\n'));
}

}  // namespace

TorchNetwork::TorchNetwork(Network network, torch::ScalarType type)
    : network_(std::move(network)), type_(type) {
    if (network_.nodes.empty()) throw InvalidInput("the network has no nodes");
    tensors_.resize(network_.nodes.size());
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
        const Node& node = network_.nodes[i];
        if (!takes_inputs(node.operation, node.inputs.size()))
            reject(node, fmt::format("has {} inputs", node.inputs.size()));
        for (const std::string& input : node.inputs) {
            const std::size_t source = index_of(input);
            if (source >= i) reject(node, fmt::format("input '{}' is no earlier node", input));
            tensors_[i].inputs.push_back(source);
        }
        load_tensors(i);
    }
}

void TorchNetwork::load_tensors(std::size_t index) {
    const Node& node = network_.nodes[index];
    NodeTensors& tensors = tensors_[index];
    if (const auto* conv = std::get_if<ConvOp>(&node.operation)) {
        tensors.weight = to_torch(conv->weight, node, type_);
        tensors.bias = to_torch(conv->bias, node, type_);
    } else if (const auto* linear = std::get_if<LinearOp>(&node.operation)) {
        tensors.weight = to_torch(linear->weight, node, type_);
        tensors.bias = to_torch(linear->bias, node, type_);
    } else if (const auto* norm = std::get_if<BatchNormOp>(&node.operation)) {
        tensors.weight = to_torch(norm->weight, node, type_);
        tensors.bias = to_torch(norm->bias, node, type_);
        tensors.running_mean = to_torch(norm->running_mean, node, type_);
        tensors.running_variance = to_torch(norm->running_variance, node, type_);
    } else {
        return;
    }
    if (!tensors.weight.defined()) reject(node, "has no weights");
    tensors.weight.requires_grad_();
    if (tensors.bias.defined()) tensors.bias.requires_grad_();
}

torch::Tensor TorchNetwork::forward(const torch::Tensor& images, Phase phase) {
    std::vector<torch::Tensor> values(tensors_.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Node& node = network_.nodes[i];
        try {
            values[i] = std::holds_alternative<InputOp>(node.operation)
                            ? images
                            : evaluate(i, values, phase);
        } catch (const c10::Error& error) {
            reject(node, first_line(error));
        } catch (const InvalidInput& error) {
            reject(node, error.what());
        }
    }
    return values.back().flatten(1);
}

torch::Tensor TorchNetwork::evaluate(std::size_t index, const std::vector<torch::Tensor>& values,
                                     Phase phase) const {
    const NodeTensors& own = tensors_[index];
    const Operation& operation = network_.nodes[index].operation;
    const torch::Tensor& input = values[own.inputs[0]];
    if (const auto* conv = std::get_if<ConvOp>(&operation))
        return torch::conv2d(input, own.weight, own.bias, integer(conv->stride),
                             integer(conv->padding), 1, integer(conv->groups));
    if (std::holds_alternative<LinearOp>(operation))
        return torch::linear(input.flatten(1), own.weight, own.bias);
    if (const auto* norm = std::get_if<BatchNormOp>(&operation))
        return torch::batch_norm(input, own.weight, own.bias, own.running_mean,
                                 own.running_variance, phase == Phase::train, statistics_momentum,
                                 static_cast<double>(norm->epsilon), false);
    if (std::holds_alternative<ReluOp>(operation)) return torch::relu(input);
    if (std::holds_alternative<AddOp>(operation)) return input + values[own.inputs[1]];
    if (const auto* activation = std::get_if<ActivationOp>(&operation))
        return activate(*activation, input);
    if (std::holds_alternative<ConcatOp>(operation)) {
        std::vector<torch::Tensor> parts;
        for (const std::size_t source : own.inputs) parts.push_back(values[source]);
        return torch::cat(parts, 1);
    }
    if (const auto* slice = std::get_if<SliceOp>(&operation))
        return input.narrow(1, integer(slice->first), integer(slice->count));
    if (const auto* up = std::get_if<UpsampleOp>(&operation)) return upsample(*up, input);
    if (const auto* pool_op = std::get_if<PoolOp>(&operation)) return pool(*pool_op, input);
    return pad_shortcut(std::get<PadShortcutOp>(operation), input);
}

std::size_t TorchNetwork::index_of(const std::string& name) const {
    const auto& nodes = network_.nodes;
    const auto found = std::find_if(nodes.begin(), nodes.end(),
                                    [&](const Node& node) { return node.name == name; });
    if (found == nodes.end())
        throw InvalidInput(fmt::format("network '{}'", network_.name),
                           fmt::format("has no node '{}'", name));
    return static_cast<std::size_t>(found - nodes.begin());
}

bool TorchNetwork::is_crossbar(std::size_t index) const {
    const Operation& operation = network_.nodes[index].operation;
    return std::holds_alternative<ConvOp>(operation) || std::holds_alternative<LinearOp>(operation);
}

std::vector<torch::Tensor> TorchNetwork::weights() const {
    std::vector<torch::Tensor> found;
    for (std::size_t i = 0; i < tensors_.size(); ++i)
        if (is_crossbar(i)) found.push_back(tensors_[i].weight);
    return found;
}

std::vector<torch::Tensor> TorchNetwork::other_parameters() const {
    std::vector<torch::Tensor> found;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
        if (!is_crossbar(i) && tensors_[i].weight.defined()) found.push_back(tensors_[i].weight);
        if (tensors_[i].bias.defined()) found.push_back(tensors_[i].bias);
    }
    return found;
}

torch::Tensor TorchNetwork::weight(const std::string& name) const {
    const std::size_t index = index_of(name);
    if (!tensors_[index].weight.defined()) reject(network_.nodes[index], "has no weights");
    return tensors_[index].weight;
}

void TorchNetwork::set_masks(const WeightMasks& masks) {
    for (const auto& [name, mask] : masks) {
        const std::size_t index = index_of(name);
        const torch::Tensor& weight = tensors_[index].weight;
        if (!is_crossbar(index)) reject(network_.nodes[index], "has no weights to mask");
        if (integer(mask.size()) != weight.numel())
            reject(network_.nodes[index],
                   fmt::format("has {} weights, its mask {}", weight.numel(), mask.size()));
        tensors_[index].held = torch::tensor(at::ArrayRef<std::uint8_t>(mask), torch::kUInt8)
                                   .reshape(weight.sizes())
                                   .eq(0);
    }
    apply_masks();
}

void TorchNetwork::apply_masks() {
    const torch::NoGradGuard no_gradient;
    for (NodeTensors& tensors : tensors_)
        if (tensors.held.defined()) tensors.weight.masked_fill_(tensors.held, 0);
}

Network TorchNetwork::network() const {
    Network result = network_;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
        const NodeTensors& tensors = tensors_[i];
        Operation& operation = result.nodes[i].operation;
        if (auto* conv = std::get_if<ConvOp>(&operation)) {
            to_host(tensors.weight, conv->weight);
            to_host(tensors.bias, conv->bias);
        } else if (auto* linear = std::get_if<LinearOp>(&operation)) {
            to_host(tensors.weight, linear->weight);
            to_host(tensors.bias, linear->bias);
        } else if (auto* norm = std::get_if<BatchNormOp>(&operation)) {
            to_host(tensors.weight, norm->weight);
            to_host(tensors.bias, norm->bias);
            to_host(tensors.running_mean, norm->running_mean);
            to_host(tensors.running_variance, norm->running_variance);
        }
    }
    return result;
}

}  // namespace kirchnet
