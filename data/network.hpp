#pragma once

#include <map>
#include <string>
#include <string_view>
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

/// Element by element: every activation but ReLU.
struct ActivationOp {
    enum class Kind {
        leaky_relu,    ///< x > 0 ? x : slope x
        relu6,         ///< min(max(x, 0), 6)
        sigmoid,       ///< 1 / (1 + exp(-x))
        tanh,          ///< tanh(x)
        silu,          ///< x sigmoid(x)
        mish,          ///< x tanh(ln(1 + exp(x)))
        hard_sigmoid,  ///< min(max(x / 6 + 1/2, 0), 1)
        hard_swish     ///< x hard_sigmoid(x)
    };
    Kind kind = Kind::leaky_relu;
    float slope = 0.1F;  ///< of `leaky_relu` below 0
    friend bool operator==(const ActivationOp&, const ActivationOp&) = default;
};

std::string_view to_string(ActivationOp::Kind kind);
/// @throws InvalidInput  naming the accepted words
ActivationOp::Kind parse_activation(std::string_view text);

/// Sum of two inputs of equal shape.
struct AddOp {
    friend bool operator==(const AddOp&, const AddOp&) = default;
};

/// Channels of all inputs one after another; heights and widths are equal.
struct ConcatOp {
    friend bool operator==(const ConcatOp&, const ConcatOp&) = default;
};

/// Channels [first, first + count).
struct SliceOp {
    std::size_t first = 0;
    std::size_t count = 0;
    friend bool operator==(const SliceOp&, const SliceOp&) = default;
};

/// Every pixel becomes a block of factor x factor pixels (nearest neighbour).
struct UpsampleOp {
    std::size_t factor = 2;
    friend bool operator==(const UpsampleOp&, const UpsampleOp&) = default;
};

struct PoolOp {
    enum class Kind { average, maximum };
    Kind kind = Kind::average;
    std::size_t kernel = 0;  ///< 0: the whole feature map (global pooling)
    std::size_t stride = 1;
    std::size_t padding = 0;  ///< counted as zeros by `average`, ignored by `maximum`
    /// Further pixels of padding at the bottom and right alone: a last window that starts inside
    /// the map but sticks out of it (ceil mode, or an even kernel that keeps the size).
    std::size_t extra_padding = 0;
    bool counts_padding = true;  ///< whether `average` divides by windows that lie in the padding
    friend bool operator==(const PoolOp&, const PoolOp&) = default;
};

/// ResNet shortcut without parameters ("option A", He et al. 2016): every `stride`-th pixel, zero
/// channels added evenly before and after.
struct PadShortcutOp {
    std::size_t stride = 2;
    std::size_t out_channels = 0;
    friend bool operator==(const PadShortcutOp&, const PadShortcutOp&) = default;
};

using Operation = std::variant<InputOp, ConvOp, LinearOp, BatchNormOp, ReluOp, ActivationOp, AddOp,
                               ConcatOp, SliceOp, UpsampleOp, PoolOp, PadShortcutOp>;

struct Node {
    std::string name;  ///< unique; a layer's PyTorch name where it has one
    Operation operation;
    std::vector<std::string> inputs;  ///< names of earlier nodes
    /// Share of a layer's weights that pruning set to 0; the zeros are its mask, which training
    /// holds. 0: not pruned.
    double pruned_ratio = 0;
    friend bool operator==(const Node&, const Node&) = default;
};

/// Size of a reference box of a detector, in pixels of the network's input.
struct AnchorBox {
    float width = 0;
    float height = 0;
    friend bool operator==(const AnchorBox&, const AnchorBox&) = default;
};

/// One output map of a YOLO detector (Redmon and Farhadi, YOLOv3, 2018): per anchor the channels
/// x, y, width, height, objectness and a score per class, all before their sigmoid or exponential.
struct DetectionHead {
    std::string node;  ///< whose map this is, [anchors * (5 + classes)] channels
    std::vector<AnchorBox> anchors;
    float scale_xy = 1;  ///< box centres reach (scale_xy - 1) / 2 of a cell beyond their cell
    friend bool operator==(const DetectionHead&, const DetectionHead&) = default;
};

/// A trained network as plain data: nodes in executable order, the last one is the output of a
/// classifier; a detector's outputs are those its heads name. What may be wrong with it is found
/// by `nn/graph`, when it is made to run.
struct Network {
    std::string name;
    ImageShape input;
    std::vector<float> mean;       ///< per input channel; pixels are (p / 255 - mean) / deviation
    std::vector<float> deviation;  ///< per input channel
    std::vector<Node> nodes;
    std::vector<DetectionHead> heads;               ///< none: a classifier
    std::size_t detection_classes = 0;              ///< of a detector
    std::map<std::string, std::string> provenance;  ///< source, licence, published accuracy, ...
    friend bool operator==(const Network&, const Network&) = default;
};

}  // namespace kirchnet
