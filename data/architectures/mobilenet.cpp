// MobileNets. Version 1 (Howard et al., 2017): depthwise and 1x1 convolutions in turn, with names
// model.N.0 ... model.N.4 and ReLU. Version 2 (Sandler et al., CVPR 2018) as torchvision names it:
// features.N.conv of inverted bottlenecks with ReLU6, whose ends add up where nothing changes
// shape. Strides do not show in names or shapes: they are those of the papers, for 224 x 224
// pixels.
#include <fmt/format.h>

#include <array>

#include "data/architectures/architecture.hpp"
#include "data/architectures/chain_builder.hpp"
#include "data/architectures/network_description.hpp"

namespace kirchnet {
namespace {

constexpr std::size_t default_image_side = 224;  // ImageNet

// Sandler et al., table 2: of each inverted bottleneck. Howard et al., table 1: of each depthwise
// convolution.
constexpr std::array<std::size_t, 17> strides_v2{1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1};
constexpr std::array<std::size_t, 13> strides_v1{1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1};

ChainBuilder start(StateDict& tensors, const std::string& stem) {
    const ImageShape assumed{input_channels(tensors, stem), default_image_side, default_image_side};
    return {tensors, describe_network(tensors, assumed)};
}

void check_blocks(const StateDict& tensors, std::size_t found, std::size_t published,
                  const std::string& last) {
    if (found != published)
        tensors.fail(last, fmt::format("{} blocks are there, the published network has {}, and "
                                       "names tell no strides: export it to ONNX",
                                       found, published));
}

void add_inverted_bottleneck(ChainBuilder& chain, const std::string& block, std::size_t stride) {
    const Position input = chain.at();
    const std::string conv = block + ".conv.";
    // The first block does not expand its channels and has one layer less.
    const bool expands = chain.tensors().has(conv + "3.weight");
    if (expands) {
        chain.conv(conv + "0.0", {});
        chain.batch_norm(conv + "0.1");
        chain.relu6(conv + "0.2");
    }
    const std::string depthwise = conv + (expands ? "1" : "0");
    chain.depthwise(depthwise + ".0", stride, 1);
    chain.batch_norm(depthwise + ".1");
    chain.relu6(depthwise + ".2");
    chain.conv(conv + (expands ? "2" : "1"), {});
    chain.batch_norm(conv + (expands ? "3" : "2"));
    if (stride == 1 && chain.at().shape == input.shape) chain.add(block + ".add", input);
}

Network build_v2(StateDict& tensors) {
    const std::size_t last = strides_v2.size() + 1;
    check_blocks(tensors,
                 find_numbers(tensors, "features.", ".conv.1.weight").size() +
                     find_numbers(tensors, "features.", ".conv.1.0.weight").size(),
                 strides_v2.size(), "features");
    ChainBuilder chain = start(tensors, "features.0.0");
    chain.conv("features.0.0", {2, 1});
    chain.batch_norm("features.0.1");
    chain.relu6("features.0.2");
    for (std::size_t block = 1; block < last; ++block)
        add_inverted_bottleneck(chain, fmt::format("features.{}", block), strides_v2[block - 1]);
    chain.conv(fmt::format("features.{}.0", last), {});
    chain.batch_norm(fmt::format("features.{}.1", last));
    chain.relu6(fmt::format("features.{}.2", last));
    chain.global_average("avgpool");
    chain.linear("classifier.1");
    return chain.finish(mobilenet.name);
}

Network build_v1(StateDict& tensors) {
    check_blocks(tensors, find_numbers(tensors, "model.", ".3.weight").size(), strides_v1.size(),
                 "model");
    ChainBuilder chain = start(tensors, "model.0.0");
    chain.conv("model.0.0", {2, 1});
    chain.batch_norm("model.0.1");
    chain.relu("model.0.2");
    for (std::size_t block = 1; block <= strides_v1.size(); ++block) {
        const std::string name = fmt::format("model.{}.", block);
        chain.depthwise(name + "0", strides_v1[block - 1], 1);
        chain.batch_norm(name + "1");
        chain.relu(name + "2");
        chain.conv(name + "3", {});
        chain.batch_norm(name + "4");
        chain.relu(name + "5");
    }
    chain.global_average("avgpool");
    chain.linear("fc");
    return chain.finish(mobilenet.name);
}

bool is_v2(const StateDict& tensors) {
    return tensors.has("features.0.0.weight") && tensors.has("features.1.conv.0.0.weight");
}

bool is_known(const StateDict& tensors) {
    return is_v2(tensors) || (tensors.has("model.0.0.weight") && tensors.has("model.1.3.weight") &&
                              tensors.has("fc.weight"));
}

Network build(StateDict& tensors) {
    return is_v2(tensors) ? build_v2(tensors) : build_v1(tensors);
}

}  // namespace

const Architecture mobilenet{"MobileNet", is_known, build};

}  // namespace kirchnet
