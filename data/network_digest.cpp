#include "data/network_digest.hpp"

#include <fmt/format.h>

#include <string_view>

#include "circuit/overloaded.hpp"
#include "data/digest.hpp"

namespace kirchnet {
namespace {

/// Text of a fixed order: numbers with a mark behind each, tensors as their bytes.
class Serial {
  public:
    template <typename... Values>
    void add(const Values&... values) {
        (put(values), ...);
    }
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    template <typename Number>
    requires std::is_arithmetic_v<Number>
    void put(Number value) { text_ += fmt::format("{};", value); }
    void put(const std::string& word) { text_ += fmt::format("{}:{};", word.size(), word); }
    void put(const std::vector<float>& values) {
        put(values.size());
        text_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    }
    void put(const Tensor& tensor) {
        put(tensor.shape.size());
        for (const std::size_t side : tensor.shape) put(side);
        put(tensor.values);
    }

    std::string text_;
};

void add_operation(Serial& serial, const Operation& operation) {
    serial.add(operation.index());
    const Overloaded add{
        [&](const ConvOp& op) { serial.add(op.weight, op.bias, op.stride, op.padding, op.groups); },
        [&](const LinearOp& op) { serial.add(op.weight, op.bias); },
        [&](const BatchNormOp& op) {
            serial.add(op.weight, op.bias, op.running_mean, op.running_variance, op.epsilon);
        },
        [&](const ActivationOp& op) { serial.add(static_cast<int>(op.kind), op.slope); },
        [&](const SliceOp& op) { serial.add(op.first, op.count); },
        [&](const UpsampleOp& op) { serial.add(op.factor); },
        [&](const PoolOp& op) {
            serial.add(static_cast<int>(op.kind), op.kernel, op.stride, op.padding,
                       op.extra_padding, op.counts_padding);
        },
        [&](const PadShortcutOp& op) { serial.add(op.stride, op.out_channels); },
        [](const InputOp&) {},
        [](const ReluOp&) {},
        [](const AddOp&) {},
        [](const ConcatOp&) {}};
    std::visit(add, operation);
}

}  // namespace

std::string digest_of(const Network& network) {
    Serial serial;
    serial.add(network.input.channels, network.input.height, network.input.width, network.mean,
               network.deviation, network.nodes.size());
    for (const Node& node : network.nodes) {
        serial.add(node.name, node.inputs.size());
        for (const std::string& input : node.inputs) serial.add(input);
        add_operation(serial, node.operation);
    }
    serial.add(network.heads.size(), network.detection_classes);
    for (const DetectionHead& head : network.heads) {
        serial.add(head.node, head.scale_xy, head.anchors.size());
        for (const AnchorBox& anchor : head.anchors) serial.add(anchor.width, anchor.height);
    }
    return digest_of(std::string_view(serial.text()));
}

}  // namespace kirchnet
