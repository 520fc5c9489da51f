#include "data/architectures/network_builder.hpp"

#include <fmt/format.h>

#include <utility>

#include "data/detail/shape.hpp"

namespace kirchnet {

NetworkBuilder::NetworkBuilder(StateDict& tensors, Network network)
    : tensors_(tensors), network_(std::move(network)) {
    add("input", InputOp{}, {});
}

void NetworkBuilder::add(const std::string& name, Operation operation,
                         std::vector<std::string> inputs) {
    network_.nodes.push_back({name, std::move(operation), std::move(inputs)});
}

Tensor NetworkBuilder::optional_bias(const std::string& layer, std::size_t outputs) {
    return tensors_.has(layer + ".bias") ? tensors_.take_shaped(layer + ".bias", {outputs})
                                         : Tensor{};
}

std::size_t NetworkBuilder::add_conv(const std::string& name, const std::string& input,
                                     std::size_t channels, std::size_t stride, std::size_t kernel) {
    Tensor weight = tensors_.take(name + ".weight", 4);
    const std::size_t outputs = weight.shape[0];
    if (weight.shape != Shape{outputs, channels, kernel, kernel})
        tensors_.fail(name + ".weight",
                      fmt::format("has shape {}, a {}x{} convolution of {} channels is needed",
                                  to_string(weight.shape), kernel, kernel, channels));
    ConvOp conv{.weight = std::move(weight),
                .bias = optional_bias(name, outputs),
                .stride = stride,
                .padding = kernel / 2,
                .groups = 1};
    add(name, std::move(conv), {input});
    return outputs;
}

void NetworkBuilder::add_batch_norm(const std::string& name, std::size_t channels, double epsilon) {
    const Shape shape{channels};
    BatchNormOp norm{.weight = tensors_.take_shaped(name + ".weight", shape),
                     .bias = tensors_.take_shaped(name + ".bias", shape),
                     .running_mean = tensors_.take_shaped(name + ".running_mean", shape),
                     .running_variance = tensors_.take_shaped(name + ".running_var", shape),
                     .epsilon = static_cast<float>(epsilon)};
    for (const float variance : norm.running_variance.values)
        if (variance < 0)
            tensors_.fail(name + ".running_var",
                          fmt::format("holds {}, a negative variance", variance));
    add(name, std::move(norm), {last()});
}

void NetworkBuilder::add_linear(const std::string& name, std::size_t features) {
    Tensor weight = tensors_.take(name + ".weight", 2);
    if (weight.shape[1] != features)
        tensors_.fail(name + ".weight",
                      fmt::format("has shape {}, the layer before gives {} features",
                                  to_string(weight.shape), features));
    const std::size_t outputs = weight.shape[0];
    add(name, LinearOp{std::move(weight), optional_bias(name, outputs)}, {last()});
}

Network NetworkBuilder::finish(std::string_view architecture) {
    tensors_.check_all_used(architecture);
    return std::move(network_);
}

}  // namespace kirchnet
