#include "data/architectures/input_convention.hpp"

#include <algorithm>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

void divide_by_255(Network& network) {
    for (auto* values : {&network.mean, &network.deviation})
        for (float& value : *values) value /= 255.0F;
    network.provenance["converted_input_scale"] = "mean and deviation divided by 255";
}

/// [outputs, 3, height, width]: the planes of each kernel in reverse.
void reverse_channels(Tensor& weight) {
    const std::size_t plane = weight.shape[2] * weight.shape[3];
    for (std::size_t kernel = 0; kernel < weight.shape[0]; ++kernel) {
        float* first = weight.values.data() + kernel * weight.shape[1] * plane;
        std::swap_ranges(first, first + plane, first + (weight.shape[1] - 1) * plane);
    }
}

void reverse_input(const StateDict& tensors, Network& network) {
    const std::string problem =
        "attribute 'input_scale' speaks of BGR, but the first layer is no "
        "convolution of three channels";
    if (network.input.channels != 3) throw InvalidInput(tensors.source(), problem);
    for (Node& node : network.nodes) {
        if (node.inputs != std::vector<std::string>{network.nodes.front().name}) continue;
        auto* conv = std::get_if<ConvOp>(&node.operation);
        if (conv == nullptr || conv->groups != 1) throw InvalidInput(tensors.source(), problem);
        reverse_channels(conv->weight);
    }
    std::reverse(network.mean.begin(), network.mean.end());
    std::reverse(network.deviation.begin(), network.deviation.end());
    network.provenance["converted_channels"] =
        "BGR to RGB: input channels of the first layer, mean and deviation reversed";
}

}  // namespace

void adopt_input_convention(const StateDict& tensors, Network& network) {
    const auto found = tensors.attributes().find("input_scale");
    if (found == tensors.attributes().end()) return;
    const auto* text = std::get_if<std::string>(&found->second);
    if (text == nullptr) return;
    if (text->find("0..255") != std::string::npos) divide_by_255(network);
    if (text->find("BGR") != std::string::npos) reverse_input(tensors, network);
}

}  // namespace kirchnet
