// Operators with weights.
#include <fmt/format.h>

#include "data/detail/onnx/operators.hpp"
#include "data/detail/onnx/windows.hpp"

namespace kirchnet::onnx_import {
namespace {

/// Bias of `outputs` numbers: [outputs], [1, outputs] or one number for all.
Tensor read_bias(Converter& converter, const OnnxNode& node, std::size_t input, std::size_t outputs,
                 float factor = 1) {
    if (!converter.has_input(node, input)) return {};
    const Tensor& found = converter.weights(node, input);
    if (found.values.size() != 1 && found.values.size() != outputs)
        node.fail(fmt::format("its bias '{}' has shape {}, {} outputs need as many numbers",
                              node.input(input), to_string(found.shape), outputs));
    Tensor bias{{outputs}, std::vector<float>(outputs)};
    for (std::size_t i = 0; i < outputs; ++i)
        bias.values[i] = factor * found.values[found.values.size() == 1 ? 0 : i];
    return bias;
}

std::size_t read_groups(const OnnxNode& node, const Tensor& weight, std::size_t channels) {
    const std::int64_t group = node.integer("group", 1);
    if (weight.shape.size() != 4)
        node.fail(fmt::format("its weights '{}' have shape {}; 2-D convolutions are known alone",
                              node.input(1), to_string(weight.shape)));
    const std::size_t groups = group < 1 ? 0 : static_cast<std::size_t>(group);
    if (groups == 0 || channels % groups != 0 || weight.shape[0] % groups != 0 ||
        weight.shape[1] != channels / groups)
        node.fail(
            fmt::format("its weights '{}' of shape {} in {} groups do not fit {} input "
                        "channels",
                        node.input(1), to_string(weight.shape), group, channels));
    return groups;
}

/// Zeros on every side alike that give the same windows.
std::size_t symmetric_padding(const OnnxNode& node, const Windows& windows) {
    const WindowAxis& rows = windows.rows;
    const WindowAxis& columns = windows.columns;
    const std::size_t padding = rows.before;
    if (columns.before != padding || rows.count(padding) != rows.outputs ||
        columns.count(padding) != columns.outputs)
        node.fail(
            fmt::format("pads rows by {} and {}, columns by {} and {}; a convolution of ours "
                        "pads all sides alike",
                        rows.before, rows.after, columns.before, columns.after));
    return padding;
}

void convert_conv(Converter& converter, const OnnxNode& node) {
    const Padded input = padded_input(converter, node);
    const Tensor& weight = converter.weights(node, 1);
    const std::size_t groups = read_groups(node, weight, input.of.image.channels);
    const Windows windows = read_windows(node, input, weight.shape[2], weight.shape[3]);
    const std::size_t stride = shared(node, "stride", windows.rows.stride, windows.columns.stride);
    const ImageShape image{weight.shape[0], windows.rows.outputs, windows.columns.outputs};
    ConvOp conv{.weight = weight,
                .bias = read_bias(converter, node, 2, weight.shape[0]),
                .stride = stride,
                .padding = symmetric_padding(node, windows),
                .groups = groups};
    converter.give(node, converter.add(node, std::move(conv), {input.of}, image, 1));
}

/// [outputs, inputs] as we have it.
Tensor read_matrix(Converter& converter, const OnnxNode& node, bool transposed, float factor) {
    Tensor matrix = converter.weights(node, 1);
    if (matrix.shape.size() != 2)
        node.fail(fmt::format("its weights '{}' have shape {}, a matrix is needed", node.input(1),
                              to_string(matrix.shape)));
    if (!transposed) {
        const std::size_t inputs = matrix.shape[0];
        const std::size_t outputs = matrix.shape[1];
        Tensor turned{{outputs, inputs}, std::vector<float>(matrix.values.size())};
        for (std::size_t i = 0; i < matrix.values.size(); ++i)
            turned.values[i % outputs * inputs + i / outputs] = matrix.values[i];
        matrix = std::move(turned);
    }
    if (factor != 1)
        for (float& value : matrix.values) value *= factor;
    return matrix;
}

void give_linear(Converter& converter, const OnnxNode& node, Tensor matrix, Tensor bias) {
    const Signal input = converter.signal(node, 0);
    const std::size_t outputs = matrix.shape[0];
    if (input.shape.size() != 2 || input.image.size() != matrix.shape[1])
        node.fail(fmt::format("its weights '{}' take {} features, its input has shape {}",
                              node.input(1), matrix.shape[1], to_string(input.shape)));
    LinearOp linear{std::move(matrix), std::move(bias)};
    converter.give(node, converter.add(node, std::move(linear), {input}, {outputs, 1, 1}, 1));
}

void convert_gemm(Converter& converter, const OnnxNode& node) {
    if (node.integer("transA", 0) != 0) node.fail("transposes its input (transA)");
    Tensor matrix =
        read_matrix(converter, node, node.integer("transB", 0) != 0, node.number("alpha", 1));
    Tensor bias = read_bias(converter, node, 2, matrix.shape[0], node.number("beta", 1));
    give_linear(converter, node, std::move(matrix), std::move(bias));
}

void convert_matmul(Converter& converter, const OnnxNode& node) {
    give_linear(converter, node, read_matrix(converter, node, false, 1), {});
}

Tensor per_channel(Converter& converter, const OnnxNode& node, std::size_t input,
                   std::size_t channels) {
    const Tensor& found = converter.weights(node, input);
    if (found.shape != Shape{channels})
        node.fail(fmt::format("its input '{}' has shape {}, {} channels need as many numbers",
                              node.input(input), to_string(found.shape), channels));
    return found;
}

void convert_batch_norm(Converter& converter, const OnnxNode& node) {
    if (node.integer("training_mode", 0) != 0)
        node.fail("normalises as in training; export the model for inference");
    const Signal input = converter.signal(node, 0);
    const std::size_t channels = input.image.channels;
    if (input.shape.size() == 2 && input.image.size() != channels)
        node.fail("normalises every pixel by itself, behind a Flatten");
    BatchNormOp norm{.weight = per_channel(converter, node, 1, channels),
                     .bias = per_channel(converter, node, 2, channels),
                     .running_mean = per_channel(converter, node, 3, channels),
                     .running_variance = per_channel(converter, node, 4, channels),
                     .epsilon = node.number("epsilon", 1e-5F)};
    for (const float variance : norm.running_variance.values)
        if (!(variance >= 0) || !(variance + norm.epsilon > 0))
            node.fail(fmt::format("its variances '{}' hold {}", node.input(4), variance));
    converter.give(node, converter.add(node, std::move(norm), {input}, input.image, 1));
}

}  // namespace

const Conversions& layer_conversions() {
    static const Conversions known{{"Conv", convert_conv},
                                   {"Gemm", convert_gemm},
                                   {"MatMul", convert_matmul},
                                   {"BatchNormalization", convert_batch_norm}};
    return known;
}

}  // namespace kirchnet::onnx_import
