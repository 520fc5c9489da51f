#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace kirchnet {

/// Numbers with a shape, last index fastest.
struct Tensor {
    std::vector<std::size_t> shape;
    std::vector<float> values;

    friend bool operator==(const Tensor&, const Tensor&) = default;
};

/// Shape of one image or feature map.
struct ImageShape {
    std::size_t channels = 0;
    std::size_t height = 0;
    std::size_t width = 0;

    [[nodiscard]] std::size_t size() const { return channels * height * width; }
    friend bool operator==(const ImageShape&, const ImageShape&) = default;
};

// What a node computes. PyTorch's meaning and weight layout throughout.

struct InputOp {
    friend bool operator==(const InputOp&, const InputOp&) = default;
};

struct ConvOp {
    Tensor weight;  ///< [out_channels, in_channels / groups, kernel_height, kernel_width]
    Tensor bias;    ///< [out_channels], or no values
    std::size_t stride = 1;
    std::size_t padding = 0;
    std::size_t groups = 1;
    friend bool operator==(const ConvOp&, const ConvOp&) = default;
};

struct LinearOp {
    Tensor weight;  ///< [out_features, in_features]; the input is flattened
    Tensor bias;    ///< [out_features], or no values
    friend bool operator==(const LinearOp&, const LinearOp&) = default;
};

/// y = weight (x - mean) / sqrt(variance + epsilon) + bias, per channel.
struct BatchNormOp {
    Tensor weight;
    Tensor bias;
    Tensor running_mean;
    Tensor running_variance;
    float epsilon = 1e-5F;
    friend bool operator==(const BatchNormOp&, const BatchNormOp&) = default;
};

struct ReluOp {
    friend bool operator==(const ReluOp&, const ReluOp&) = default;
};

/// Sum of two inputs of equal shape.
struct AddOp {
    friend bool operator==(const AddOp&, const AddOp&) = default;
};

struct PoolOp {
    enum class Kind { average, maximum };
    Kind kind = Kind::average;
    std::size_t kernel = 0;  ///< 0: the whole feature map (global pooling)
    std::size_t stride = 1;
    std::size_t padding = 0;  ///< counted as zeros by `average`, ignored by `maximum`
    friend bool operator==(const PoolOp&, const PoolOp&) = default;
};

/// ResNet shortcut without parameters ("option A", He et al. 2016): every `stride`-th pixel, zero
/// channels added evenly before and after.
struct PadShortcutOp {
    std::size_t stride = 2;
    std::size_t out_channels = 0;
    friend bool operator==(const PadShortcutOp&, const PadShortcutOp&) = default;
};

using Operation =
    std::variant<InputOp, ConvOp, LinearOp, BatchNormOp, ReluOp, AddOp, PoolOp, PadShortcutOp>;

struct Node {
    std::string name;  ///< unique; a layer's PyTorch name where it has one
    Operation operation;
    std::vector<std::string> inputs;  ///< names of earlier nodes
    friend bool operator==(const Node&, const Node&) = default;
};

/// A trained network as plain data: nodes in executable order, the last one is the output. What
/// may be wrong with it is found by `nn/graph`, when it is made to run.
struct Network {
    std::string name;
    ImageShape input;
    std::vector<float> mean;       ///< per input channel; pixels are (p / 255 - mean) / deviation
    std::vector<float> deviation;  ///< per input channel
    std::vector<Node> nodes;
    std::map<std::string, std::string> provenance;  ///< source, licence, published accuracy, ...
    friend bool operator==(const Network&, const Network&) = default;
};

}  // namespace kirchnet
