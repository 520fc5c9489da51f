#include "nn/graph.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

std::string describe(const ImageShape& shape) {
    return fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width);
}

[[noreturn]] void refuse(const Node& node, const std::string& problem) {
    throw InvalidInput(fmt::format("network node {}", node.name), problem);
}

void check_tensor(const Node& node, const Tensor& tensor, const std::vector<std::size_t>& shape,
                  std::string_view what) {
    if (tensor.shape != shape)
        refuse(node, fmt::format("{} has shape {}, expected {}", what, tensor.shape, shape));
    std::size_t size = 1;
    for (const auto side : shape) size *= side;
    if (tensor.values.size() != size)
        refuse(node,
               fmt::format("{} holds {} values, expected {}", what, tensor.values.size(), size));
    if (!std::all_of(tensor.values.begin(), tensor.values.end(),
                     [](float value) { return std::isfinite(value); }))
        refuse(node, fmt::format("{} holds NaN or infinity", what));
}

void check_bias(const Node& node, const Tensor& bias, std::size_t outputs) {
    if (!bias.values.empty() || !bias.shape.empty()) check_tensor(node, bias, {outputs}, "bias");
}

constexpr std::size_t largest_upsampling = 64;

/// Number of window positions along one side.
std::size_t windows(const Node& node, std::size_t side, std::size_t kernel, std::size_t stride,
                    std::size_t padding, std::size_t extra_padding = 0) {
    if (kernel == 0 || stride == 0) refuse(node, "kernel and stride must be at least 1");
    if (side + 2 * padding + extra_padding < kernel)
        refuse(node, fmt::format("a kernel of {} does not fit an input of {} with padding {}",
                                 kernel, side, padding));
    return (side + 2 * padding + extra_padding - kernel) / stride + 1;
}

/// Infers a node's output shape from those of its inputs, checking its tensors on the way.
struct ShapeOf {
    const Node& node;
    const std::vector<ImageShape>& in;
    const ImageShape& image;

    ImageShape operator()(const InputOp&) const { return image; }
    ImageShape operator()(const ConvOp& conv) const {
        const auto& shape = conv.weight.shape;
        if (shape.size() != 4) refuse(node, "a convolution's weight needs four dimensions");
        const std::size_t outputs = shape[0];
        if (conv.groups == 0 || in[0].channels % conv.groups != 0 || outputs % conv.groups != 0 ||
            outputs == 0)
            refuse(node, fmt::format("{} groups do not divide {} input and {} output channels",
                                     conv.groups, in[0].channels, outputs));
        check_tensor(node, conv.weight, {outputs, in[0].channels / conv.groups, shape[2], shape[3]},
                     "weight");
        check_bias(node, conv.bias, outputs);
        return {outputs, windows(node, in[0].height, shape[2], conv.stride, conv.padding),
                windows(node, in[0].width, shape[3], conv.stride, conv.padding)};
    }
    ImageShape operator()(const LinearOp& linear) const {
        if (linear.weight.shape.size() != 2 || linear.weight.shape[0] == 0)
            refuse(node, "a linear layer's weight needs two dimensions");
        check_tensor(node, linear.weight, {linear.weight.shape[0], in[0].size()}, "weight");
        check_bias(node, linear.bias, linear.weight.shape[0]);
        return {linear.weight.shape[0], 1, 1};
    }
    ImageShape operator()(const BatchNormOp& norm) const {
        const std::vector<std::size_t> channels{in[0].channels};
        check_tensor(node, norm.weight, channels, "weight");
        check_tensor(node, norm.bias, channels, "bias");
        check_tensor(node, norm.running_mean, channels, "running_mean");
        check_tensor(node, norm.running_variance, channels, "running_var");
        for (const float variance : norm.running_variance.values)
            if (!(variance + norm.epsilon > 0)) refuse(node, "variance + epsilon is not positive");
        return in[0];
    }
    ImageShape operator()(const ReluOp&) const { return in[0]; }
    ImageShape operator()(const ActivationOp& activation) const {
        if (!std::isfinite(activation.slope)) refuse(node, "the slope is not finite");
        return in[0];
    }
    ImageShape operator()(const AddOp&) const {
        if (in[0] != in[1])
            refuse(node, fmt::format("adds {} to {}", describe(in[0]), describe(in[1])));
        return in[0];
    }
    ImageShape operator()(const ConcatOp&) const {
        ImageShape all{0, in[0].height, in[0].width};
        for (const ImageShape& shape : in) {
            if (shape.height != all.height || shape.width != all.width)
                refuse(node,
                       fmt::format("concatenates {} and {}", describe(in[0]), describe(shape)));
            all.channels += shape.channels;
        }
        return all;
    }
    ImageShape operator()(const SliceOp& slice) const {
        if (slice.count == 0 || slice.first >= in[0].channels ||
            slice.count > in[0].channels - slice.first)
            refuse(node, fmt::format("takes {} channels from {} on, its input has {}", slice.count,
                                     slice.first, in[0].channels));
        return {slice.count, in[0].height, in[0].width};
    }
    ImageShape operator()(const UpsampleOp& upsample) const {
        if (upsample.factor == 0 || upsample.factor > largest_upsampling)
            refuse(node, fmt::format("the factor {} is not within 1 to {}", upsample.factor,
                                     largest_upsampling));
        return {in[0].channels, in[0].height * upsample.factor, in[0].width * upsample.factor};
    }
    ImageShape operator()(const PoolOp& pool) const {
        if (pool.kernel == 0) return {in[0].channels, 1, 1};
        if (2 * pool.padding > pool.kernel) refuse(node, "padding exceeds half the kernel");
        if (pool.padding + pool.extra_padding >= pool.kernel)
            refuse(node, "a window would lie in the padding alone");
        const auto side = [&](std::size_t size) {
            return windows(node, size, pool.kernel, pool.stride, pool.padding, pool.extra_padding);
        };
        return {in[0].channels, side(in[0].height), side(in[0].width)};
    }
    ImageShape operator()(const PadShortcutOp& shortcut) const {
        if (shortcut.stride == 0) refuse(node, "stride must be at least 1");
        if (shortcut.out_channels < in[0].channels ||
            (shortcut.out_channels - in[0].channels) % 2 != 0)
            refuse(node, fmt::format("cannot pad {} channels evenly to {}", in[0].channels,
                                     shortcut.out_channels));
        return {shortcut.out_channels, (in[0].height + shortcut.stride - 1) / shortcut.stride,
                (in[0].width + shortcut.stride - 1) / shortcut.stride};
    }
};

/// How many inputs a node needs; a concatenation takes any number from 1 on.
std::size_t expected_inputs(const Node& node) {
    if (std::holds_alternative<InputOp>(node.operation)) return 0;
    if (std::holds_alternative<ConcatOp>(node.operation))
        return std::max<std::size_t>(node.inputs.size(), 1);
    return std::holds_alternative<AddOp>(node.operation) ? 2 : 1;
}

std::vector<std::size_t> resolve_inputs(const Node& node,
                                        const std::map<std::string, std::size_t>& earlier) {
    if (node.inputs.size() != expected_inputs(node))
        refuse(node, fmt::format("has {} inputs, expected {}", node.inputs.size(),
                                 expected_inputs(node)));
    std::vector<std::size_t> resolved;
    for (const auto& name : node.inputs) {
        const auto found = earlier.find(name);
        if (found == earlier.end())
            refuse(node, fmt::format("its input {} is no earlier node", name));
        resolved.push_back(found->second);
    }
    return resolved;
}

void check_image(const Network& network) {
    if (network.input.size() == 0)
        throw InvalidInput(fmt::format("network {}", network.name), "the input shape is empty");
    if (network.mean.size() != network.input.channels ||
        network.deviation.size() != network.input.channels)
        throw InvalidInput(fmt::format("network {}", network.name),
                           "mean and deviation need one value per input channel");
    for (const float deviation : network.deviation)
        if (!(deviation > 0))
            throw InvalidInput(fmt::format("network {}", network.name),
                               "a deviation of the input normalisation is not positive");
}

void check_head(const Network& network, const DetectionHead& head, const ImageShape& shape) {
    const std::string where = fmt::format("detection head {}", head.node);
    const std::size_t channels = head.anchors.size() * (5 + network.detection_classes);
    if (network.detection_classes == 0 || head.anchors.empty() || shape.channels != channels)
        throw InvalidInput(where, fmt::format("{} anchors of {} classes need {} channels, its map "
                                              "has {}",
                                              head.anchors.size(), network.detection_classes,
                                              channels, shape.channels));
    for (const AnchorBox& anchor : head.anchors)
        if (!(anchor.width > 0 && anchor.height > 0) || !std::isfinite(anchor.width) ||
            !std::isfinite(anchor.height))
            throw InvalidInput(
                where, fmt::format("an anchor of {} x {} pixels", anchor.width, anchor.height));
    if (!(head.scale_xy >= 1 && head.scale_xy < 10))
        throw InvalidInput(where, fmt::format("scale_xy {} is not within 1 and 10", head.scale_xy));
}

}  // namespace

Graph::Graph(Network network) : network_(std::move(network)) {
    check_image(network_);
    if (network_.nodes.empty())
        throw InvalidInput(fmt::format("network {}", network_.name), "has no nodes");
    std::map<std::string, std::size_t> earlier;
    for (std::size_t i = 0; i < network_.nodes.size(); ++i) {
        const Node& node = network_.nodes[i];
        inputs_.push_back(resolve_inputs(node, earlier));
        std::vector<ImageShape> in;
        for (const auto input : inputs_.back()) in.push_back(shapes_[input]);
        shapes_.push_back(std::visit(ShapeOf{node, in, network_.input}, node.operation));
        if (std::holds_alternative<ConvOp>(node.operation) ||
            std::holds_alternative<LinearOp>(node.operation))
            layers_.push_back(i);
        if (!earlier.emplace(node.name, i).second) refuse(node, "a second node of this name");
    }
    if (!is_detector()) outputs_.push_back(network_.nodes.size() - 1);
    for (const DetectionHead& head : network_.heads) {
        const auto found = earlier.find(head.node);
        if (found == earlier.end())
            throw InvalidInput(
                fmt::format("network {}", network_.name),
                fmt::format("its detection head reads node {}, which is missing", head.node));
        check_head(network_, head, shapes_[found->second]);
        outputs_.push_back(found->second);
    }
}

std::size_t Graph::find_layer(std::string_view name) const {
    std::vector<std::string> names;
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
        if (layer_name(layer) == name) return layer;
        names.push_back(layer_name(layer));
    }
    throw InvalidInput(
        fmt::format("layer '{}'", name),
        fmt::format("the network has no such mapped layer; it has: {}", fmt::join(names, ", ")));
}

LayerGeometry Graph::geometry(std::size_t layer) const {
    const std::size_t index = layers_[layer];
    LayerGeometry geometry;
    geometry.input = shapes_[inputs_[index].front()];
    geometry.output = shapes_[index];
    if (const auto* conv = std::get_if<ConvOp>(&node(index).operation)) {
        geometry.kernel_height = conv->weight.shape[2];
        geometry.kernel_width = conv->weight.shape[3];
        geometry.stride = conv->stride;
        geometry.padding = conv->padding;
        geometry.groups = conv->groups;
    } else {
        geometry.kernel_height = geometry.input.height;
        geometry.kernel_width = geometry.input.width;
    }
    return geometry;
}

const Tensor& Graph::weights(std::size_t layer) const {
    const auto& operation = node(layers_[layer]).operation;
    if (const auto* conv = std::get_if<ConvOp>(&operation)) return conv->weight;
    return std::get<LinearOp>(operation).weight;
}

const Tensor& Graph::bias(std::size_t layer) const {
    const auto& operation = node(layers_[layer]).operation;
    if (const auto* conv = std::get_if<ConvOp>(&operation)) return conv->bias;
    return std::get<LinearOp>(operation).bias;
}

}  // namespace kirchnet
