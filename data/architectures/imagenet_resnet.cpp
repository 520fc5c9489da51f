// ResNets for large images (He et al., CVPR 2016, table 1) as torchvision names them: a 7x7
// convolution and a max pool, both of stride 2, stages of basic blocks (ResNet-18, 34) or
// bottlenecks (50, 101, 152; the stride in the 3x3 convolution; in groups: ResNeXt), global average
// pooling, one linear layer. The first block of each stage but the first halves the feature maps.
#include <fmt/format.h>

#include "data/architectures/architecture.hpp"
#include "data/architectures/chain_builder.hpp"
#include "data/architectures/network_description.hpp"

namespace kirchnet {
namespace {

constexpr std::size_t default_image_side = 224;  // ImageNet
constexpr std::size_t stages = 4;

bool has_large_stem(const StateDict& tensors) {
    if (!tensors.has("conv1.weight") || !tensors.has("layer1.0.conv1.weight")) return false;
    const auto& shape = tensors.shape("conv1.weight");
    return shape.size() == 4 && shape[2] == 7;
}

void add_basic_block(ChainBuilder& chain, const std::string& block, std::size_t stride) {
    chain.conv(block + ".conv1", {stride, 1});
    chain.batch_norm(block + ".bn1");
    chain.relu(block + ".relu1");
    chain.conv(block + ".conv2", {1, 1});
    chain.batch_norm(block + ".bn2");
}

/// Groups of a convolution, from its input channels and those of its kernels.
std::size_t groups_of(ChainBuilder& chain, const std::string& conv) {
    const std::size_t per_group = input_channels(chain.tensors(), conv);
    const std::size_t channels = chain.at().shape.channels;
    return channels % per_group == 0 ? channels / per_group : 1;
}

void add_bottleneck(ChainBuilder& chain, const std::string& block, std::size_t stride) {
    chain.conv(block + ".conv1", {});
    chain.batch_norm(block + ".bn1");
    chain.relu(block + ".relu1");
    chain.conv(block + ".conv2", {stride, 1, groups_of(chain, block + ".conv2")});
    chain.batch_norm(block + ".bn2");
    chain.relu(block + ".relu2");
    chain.conv(block + ".conv3", {});
    chain.batch_norm(block + ".bn3");
}

/// The block's input, by a 1x1 convolution where it changes its shape.
Position add_shortcut(ChainBuilder& chain, const std::string& block, const Position& input,
                      std::size_t stride) {
    if (!chain.tensors().has(block + ".downsample.0.weight")) return input;
    const Position end = chain.at();
    chain.go_to(input);
    chain.conv(block + ".downsample.0", {stride});
    chain.batch_norm(block + ".downsample.1");
    const Position shortcut = chain.at();
    chain.go_to(end);
    return shortcut;
}

void add_block(ChainBuilder& chain, const std::string& block, std::size_t stride) {
    const Position input = chain.at();
    if (chain.tensors().has(block + ".conv3.weight"))
        add_bottleneck(chain, block, stride);
    else
        add_basic_block(chain, block, stride);
    const Position shortcut = add_shortcut(chain, block, input, stride);
    chain.add(block + ".add", shortcut);
    chain.relu(block + ".relu");
}

Network build(StateDict& tensors) {
    const ImageShape assumed{input_channels(tensors, "conv1"), default_image_side,
                             default_image_side};
    ChainBuilder chain(tensors, describe_network(tensors, assumed));
    chain.conv("conv1", {2, 3});
    chain.batch_norm("bn1");
    chain.relu("relu");
    chain.max_pool("maxpool", {.kernel = 3, .stride = 2, .padding = 1});
    for (std::size_t stage = 1; stage <= stages; ++stage) {
        const std::string prefix = fmt::format("layer{}.", stage);
        const std::size_t blocks = find_numbers(tensors, prefix, ".conv1.weight").size();
        if (blocks == 0) tensors.fail(prefix + "0.conv1.weight", "tensor is missing");
        for (std::size_t block = 0; block < blocks; ++block)
            add_block(chain, fmt::format("{}{}", prefix, block), stage > 1 && block == 0 ? 2 : 1);
    }
    chain.global_average("avgpool");
    chain.linear("fc");
    return chain.finish(imagenet_resnet.name);
}

}  // namespace

const Architecture imagenet_resnet{"ImageNet ResNet (torchvision)", has_large_stem, build};

}  // namespace kirchnet
