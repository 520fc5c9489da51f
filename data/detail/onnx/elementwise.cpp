// Operators that take every value by itself, and pairs of feature maps.
#include <fmt/format.h>

#include <cmath>

#include "data/detail/onnx/operators.hpp"

namespace kirchnet::onnx_import {
namespace {

using Kind = ActivationOp::Kind;

void give_activation(Converter& converter, const OnnxNode& node, const Signal& input,
                     const ActivationOp& activation) {
    converter.give(node, converter.add(node, activation, {input}, input.image));
}

template <Kind kind>
void convert_activation(Converter& converter, const OnnxNode& node) {
    give_activation(converter, node, converter.signal(node, 0), {kind});
}

void convert_relu(Converter& converter, const OnnxNode& node) {
    const Signal input = converter.signal(node, 0);
    converter.give(node, converter.add(node, ReluOp{}, {input}, input.image));
}

void give_leaky(Converter& converter, const OnnxNode& node, float slope) {
    if (!std::isfinite(slope)) node.fail(fmt::format("its slope is {}", slope));
    give_activation(converter, node, converter.signal(node, 0), {Kind::leaky_relu, slope});
}

void convert_leaky_relu(Converter& converter, const OnnxNode& node) {
    give_leaky(converter, node, node.number("alpha", 0.01F));
}

void convert_prelu(Converter& converter, const OnnxNode& node) {
    const Tensor& slope = converter.weights(node, 1);
    if (slope.values.size() != 1)
        node.fail(
            fmt::format("has {} slopes; one for all channels is known alone", slope.values.size()));
    give_leaky(converter, node, slope.values[0]);
}

/// A bound of Clip: an input, in older operator sets an attribute.
float read_bound(Converter& converter, const OnnxNode& node, std::size_t input,
                 const char* attribute, float fallback) {
    if (!converter.has_input(node, input)) return node.number(attribute, fallback);
    const Tensor* bound = converter.constant(node, input);
    if (bound == nullptr || bound->values.size() != 1)
        node.fail(fmt::format("its {} is not one constant", attribute));
    return bound->values[0];
}

void convert_clip(Converter& converter, const OnnxNode& node) {
    constexpr float largest = 3e38F;  // exporters write "no bound" as the largest float
    const float low = read_bound(converter, node, 1, "min", -INFINITY);
    const float high = read_bound(converter, node, 2, "max", INFINITY);
    if (low == 0 && high == 6) return convert_activation<Kind::relu6>(converter, node);
    if (low == 0 && high > largest) return convert_relu(converter, node);
    node.fail(fmt::format("clips to {} and {}; 0 and 6 (ReLU6) are known, or 0 alone", low, high));
}

void convert_hard_sigmoid(Converter& converter, const OnnxNode& node) {
    const float slope = node.number("alpha", 0.2F);
    const float offset = node.number("beta", 0.5F);
    if (std::abs(slope - 1.0F / 6) > 1e-6F || offset != 0.5F)
        node.fail(
            fmt::format("has alpha {} and beta {}; 1/6 and 1/2 are known alone", slope, offset));
    convert_activation<Kind::hard_sigmoid>(converter, node);
}

void convert_tanh(Converter& converter, const OnnxNode& node) {
    if (const auto* inner = std::get_if<Softplus>(&converter.value(node, 0)))
        return converter.give(node, TanhOfSoftplus{inner->of});
    convert_activation<Kind::tanh>(converter, node);
}

void convert_softmax(Converter& converter, const OnnxNode& node) {
    const Signal input = converter.signal(node, 0);
    const std::int64_t axis = node.integer("axis", converter.model().operator_set() < 13 ? 1 : -1);
    const bool over_classes = axis == 1 || (axis == -1 && input.shape.size() == 2);
    if (!over_classes || input.image.size() != input.image.channels)
        node.fail("runs over something else than the classes of an image");
    converter.give(node, Softmax{input});
}

/// A constant as one number per channel: one number, or as many as channels where it lies along
/// that axis.
Tensor spread(Converter& converter, const OnnxNode& node, const Tensor& constant,
              const Signal& signal) {
    const std::size_t channels = signal.image.channels;
    converter.charge(node, channels);
    if (constant.values.size() == 1)
        return {{channels}, std::vector<float>(channels, constant.values[0])};
    const std::size_t behind = signal.shape.size() == 4 ? 3 : 1;  // axes from the channels on
    const std::size_t rank = constant.shape.size();
    const bool along = rank >= behind && constant.shape[rank - behind] == channels;
    if (!along || constant.values.size() != channels ||
        (behind == 1 && signal.image.size() != channels))
        node.fail(
            fmt::format("combines feature maps of shape {} with a constant of shape {}; one "
                        "number, or one for each channel, is known",
                        to_string(signal.shape), to_string(constant.shape)));
    return {{channels}, constant.values};
}

/// Adds to the bias of the layer before, if nobody else reads that layer.
bool merge_bias(Converter& converter, const OnnxNode& node, std::size_t input, const Signal& layer,
                const Tensor& shift) {
    if (!converter.is_only_reader(node, input, layer)) return false;
    Operation& operation = converter.operation_of(layer);
    Tensor* bias = nullptr;
    if (auto* linear = std::get_if<LinearOp>(&operation)) bias = &linear->bias;
    if (auto* conv = std::get_if<ConvOp>(&operation)) bias = &conv->bias;
    if (bias == nullptr || !bias->values.empty()) return false;
    *bias = shift;
    return true;
}

/// scale x + shift, where one of the two comes from a constant input.
void give_shifted(Converter& converter, const OnnxNode& node, std::size_t input, float sign,
                  std::size_t constant, float constant_sign) {
    const Signal signal = converter.signal(node, input);
    Tensor shift = spread(converter, node, converter.weights(node, constant), signal);
    for (float& value : shift.values) value *= constant_sign;
    if (sign == 1 && merge_bias(converter, node, input, signal, shift))
        return converter.give(node, signal);
    const std::size_t channels = signal.image.channels;
    give_affine(converter, node, signal, {{channels}, std::vector<float>(channels, sign)},
                std::move(shift));
}

void give_scaled(Converter& converter, const OnnxNode& node, std::size_t input,
                 std::size_t constant, bool divides) {
    const Signal signal = converter.signal(node, input);
    Tensor scale = spread(converter, node, converter.weights(node, constant), signal);
    for (float& value : scale.values) {
        if (divides) value = 1 / value;
        if (!std::isfinite(value)) node.fail("divides by 0");
    }
    const std::size_t channels = signal.image.channels;
    give_affine(converter, node, signal, std::move(scale),
                {{channels}, std::vector<float>(channels, 0)});
}

void convert_add(Converter& converter, const OnnxNode& node) {
    if (converter.constant(node, 1) != nullptr) return give_shifted(converter, node, 0, 1, 1, 1);
    if (converter.constant(node, 0) != nullptr) return give_shifted(converter, node, 1, 1, 0, 1);
    const Signal a = converter.signal(node, 0);
    const Signal b = converter.signal(node, 1);
    if (a.image != b.image || a.shape.size() != b.shape.size())
        node.fail(fmt::format("adds shapes {} and {}; equal ones are known alone",
                              to_string(a.shape), to_string(b.shape)));
    converter.give(node, converter.add(node, AddOp{}, {a, b}, a.image));
}

void convert_sub(Converter& converter, const OnnxNode& node) {
    if (converter.constant(node, 1) != nullptr) return give_shifted(converter, node, 0, 1, 1, -1);
    if (converter.constant(node, 0) != nullptr) return give_shifted(converter, node, 1, -1, 0, 1);
    node.fail("subtracts feature maps");
}

void convert_div(Converter& converter, const OnnxNode& node) {
    if (converter.constant(node, 1) == nullptr) node.fail("divides by feature maps");
    give_scaled(converter, node, 0, 1, true);
}

/// x times a function of x: SiLU, hard swish, Mish.
bool give_gated(Converter& converter, const OnnxNode& node, std::size_t plain, std::size_t gate) {
    const auto* x = std::get_if<Signal>(&converter.value(node, plain));
    if (x == nullptr) return false;
    const Value& other = converter.value(node, gate);
    if (const auto* mish = std::get_if<TanhOfSoftplus>(&other); mish && mish->of.node == x->node) {
        give_activation(converter, node, Signal(*x), {Kind::mish});
        return true;
    }
    const auto* function = std::get_if<Signal>(&other);
    if (function == nullptr || converter.input_of(*function) != x->node) return false;
    const auto* known = std::get_if<ActivationOp>(&converter.operation_of(*function));
    if (known == nullptr) return false;
    const Kind inner = known->kind;
    if (inner != Kind::sigmoid && inner != Kind::hard_sigmoid) return false;
    give_activation(converter, node, Signal(*x),
                    {inner == Kind::sigmoid ? Kind::silu : Kind::hard_swish});
    return true;
}

void convert_mul(Converter& converter, const OnnxNode& node) {
    if (converter.constant(node, 1) != nullptr) return give_scaled(converter, node, 0, 1, false);
    if (converter.constant(node, 0) != nullptr) return give_scaled(converter, node, 1, 0, false);
    if (give_gated(converter, node, 0, 1) || give_gated(converter, node, 1, 0)) return;
    node.fail(
        "multiplies feature maps; x times Sigmoid(x), HardSigmoid(x) or Tanh(Softplus(x)) is "
        "known alone");
}

}  // namespace

const Conversions& elementwise_conversions() {
    static const Conversions known{
        {"Relu", convert_relu},
        {"LeakyRelu", convert_leaky_relu},
        {"PRelu", convert_prelu},
        {"Clip", convert_clip},
        {"Sigmoid", convert_activation<Kind::sigmoid>},
        {"Tanh", convert_tanh},
        {"HardSigmoid", convert_hard_sigmoid},
        {"HardSwish", convert_activation<Kind::hard_swish>},
        {"Mish", convert_activation<Kind::mish>},
        {"Softplus", [](Converter& c, const OnnxNode& n) { c.give(n, Softplus{c.signal(n, 0)}); }},
        {"Softmax", convert_softmax},
        {"LogSoftmax", convert_softmax},
        {"Add", convert_add},
        {"Sub", convert_sub},
        {"Mul", convert_mul},
        {"Div", convert_div}};
    return known;
}

}  // namespace kirchnet::onnx_import
