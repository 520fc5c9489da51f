// CIFAR ResNets (He et al., CVPR 2016, section 4.2): a 3x3 convolution, stages of basic blocks
// whose first block halves the feature map from the second stage on, global average pooling, one
// linear layer. Widths, depths and the kind of shortcut (A: without parameters, B: by 1x1
// convolution) follow from the tensors that are there.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "circuit/error.hpp"
#include "data/architectures/architecture.hpp"
#include "data/architectures/name_number.hpp"
#include "data/architectures/network_builder.hpp"
#include "data/architectures/network_description.hpp"
#include "data/detail/shape.hpp"

namespace kirchnet {
namespace {

constexpr std::size_t default_image_side = 32;  // CIFAR

/// `layer` of `layer2.0.conv1`, and the number of blocks of each stage.
struct Stages {
    std::string prefix;
    std::vector<std::size_t> blocks;
};

/// Where a block's first convolution says it belongs: `layer2.0.conv1.weight`.
struct BlockName {
    std::string prefix;
    std::size_t stage = 0;
    std::size_t block = 0;
};

std::optional<BlockName> parse_block_name(std::string_view name) {
    static constexpr std::string_view ending = ".conv1.weight";
    if (!name.ends_with(ending)) return std::nullopt;
    name.remove_suffix(ending.size());
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const std::string_view stage = name.substr(0, dot);
    const std::size_t digits = stage.find_last_not_of("0123456789") + 1;
    const auto stage_number = parse_name_number(stage.substr(digits));
    const auto block_number = parse_name_number(name.substr(dot + 1));
    if (digits == 0 || !stage_number || !block_number) return std::nullopt;
    return BlockName{std::string(stage.substr(0, digits)), *stage_number, *block_number};
}

bool has_blocks(const StateDict& tensors) {
    const auto names = tensors.unused();
    return std::any_of(names.begin(), names.end(),
                       [](const std::string& name) { return parse_block_name(name).has_value(); });
}

using BlockNumbers = std::map<std::size_t, std::set<std::size_t>>;  // stage, from 1: its blocks

Stages find_stages(const StateDict& tensors) {
    Stages stages;
    BlockNumbers found;
    for (const std::string& name : tensors.unused()) {
        const auto place = parse_block_name(name);
        if (!place) continue;
        if (!stages.prefix.empty() && stages.prefix != place->prefix)
            tensors.fail(name, fmt::format("stages are called '{}' elsewhere", stages.prefix));
        stages.prefix = place->prefix;
        found[place->stage].insert(place->block);
    }
    std::size_t stage = 1;
    for (const auto& [number, blocks] : found) {
        if (number != stage++ || *blocks.rbegin() + 1 != blocks.size())
            tensors.fail(fmt::format("{}{}.{}", stages.prefix, number, *blocks.rbegin()),
                         "stages count from 1 and blocks from 0, here one before is missing");
        stages.blocks.push_back(blocks.size());
    }
    return stages;
}

/// The one matrix of the state dict, whatever it is called: linear, fc, classifier.2.
std::string find_classifier(const StateDict& tensors) {
    static const std::string ending = ".weight";
    std::vector<std::string> found;
    for (const std::string& name : tensors.unused())
        if (name.ends_with(ending) && tensors.shape(name).size() == 2) found.push_back(name);
    if (found.size() == 1) return found[0].substr(0, found[0].size() - ending.size());
    throw InvalidInput(
        tensors.source(),
        found.empty() ? "classifier such as linear.weight is missing"
                      : fmt::format("has more than one classifier: {}", fmt::join(found, ", ")));
}

class ResNetBuilder {
  public:
    ResNetBuilder(StateDict& tensors, Network network)
        : epsilon_(read_epsilon(tensors, "bn_eps", default_epsilon)),
          first_epsilon_(read_epsilon(tensors, "bn1_eps", epsilon_)),
          channels_(network.input.channels),
          builder_(tensors, std::move(network)) {}

    Network build() {
        const Stages stages = find_stages(builder_.tensors());
        add_stem();
        for (std::size_t stage = 1; stage <= stages.blocks.size(); ++stage)
            for (std::size_t block = 0; block < stages.blocks[stage - 1]; ++block)
                add_block(fmt::format("{}{}.{}", stages.prefix, stage, block),
                          stage > 1 && block == 0 ? 2 : 1);
        builder_.add("avgpool", PoolOp{.kind = PoolOp::Kind::average}, {builder_.last()});
        builder_.add_linear(find_classifier(builder_.tensors()), channels_);
        return builder_.finish(cifar_resnet.name);
    }

  private:
    void add_stem() {
        channels_ = builder_.add_conv("conv1", builder_.last(), channels_, 1, 3);
        builder_.add_batch_norm("bn1", channels_, first_epsilon_);
        builder_.add_relu("relu1");
    }

    void add_block(const std::string& block, std::size_t stride) {
        const std::string input = builder_.last();
        const std::size_t width = builder_.add_conv(block + ".conv1", input, channels_, stride, 3);
        builder_.add_batch_norm(block + ".bn1", width, epsilon_);
        builder_.add_relu(block + ".relu1");
        const std::size_t outputs =
            builder_.add_conv(block + ".conv2", builder_.last(), width, 1, 3);
        builder_.add_batch_norm(block + ".bn2", outputs, epsilon_);
        const std::string residual = builder_.last();
        const std::string shortcut = add_shortcut(block, input, stride, outputs);
        builder_.add(block + ".add", AddOp{}, {residual, shortcut});
        builder_.add_relu(block + ".relu2");
        channels_ = outputs;
    }

    /// Name of the node that carries the shortcut.
    std::string add_shortcut(const std::string& block, const std::string& input, std::size_t stride,
                             std::size_t outputs) {
        for (const char* name : {".downsample", ".shortcut"})
            if (builder_.tensors().has(block + name + ".0.weight"))
                return add_projection(block + name, input, stride, outputs);
        if (stride == 1 && outputs == channels_) return input;
        if (outputs < channels_ || (outputs - channels_) % 2 != 0)
            builder_.tensors().fail(
                block + ".downsample.0.weight",
                fmt::format("is missing, and {} channels cannot be padded evenly to {}", channels_,
                            outputs));
        builder_.add(block + ".shortcut", PadShortcutOp{.stride = stride, .out_channels = outputs},
                     {input});
        return builder_.last();
    }

    std::string add_projection(const std::string& name, const std::string& input,
                               std::size_t stride, std::size_t outputs) {
        if (builder_.add_conv(name + ".0", input, channels_, stride, 1) != outputs)
            builder_.tensors().fail(
                name + ".0.weight",
                fmt::format("must have {} output channels as its block has", outputs));
        builder_.add_batch_norm(name + ".1", outputs, epsilon_);
        return builder_.last();
    }

    double epsilon_;
    double first_epsilon_;
    std::size_t channels_;
    NetworkBuilder builder_;
};

std::size_t first_channels(const StateDict& tensors) {
    const auto& shape = tensors.shape("conv1.weight");
    if (shape.size() != 4 || shape[1] == 0)
        tensors.fail("conv1.weight",
                     fmt::format("has shape {}, a 3x3 convolution is needed", to_string(shape)));
    return shape[1];
}

Network build(StateDict& tensors) {
    const ImageShape assumed{first_channels(tensors), default_image_side, default_image_side};
    return ResNetBuilder(tensors, describe_network(tensors, assumed)).build();
}

}  // namespace

const Architecture cifar_resnet{"CIFAR ResNet of basic blocks", has_blocks, build};

}  // namespace kirchnet
