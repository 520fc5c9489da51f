// SqueezeNet (Iandola et al., 2016): fire modules, which squeeze the channels by 1x1 convolutions
// and expand them by 1x1 and 3x3 convolutions side by side; max pools in ceil mode between groups
// of modules; a 1x1 convolution to the classes and global average pooling. Two schemes of names:
//  - torchvision: features.N.squeeze, expand1x1, expand3x3; a number left out is a pool;
//  - Caffe: fireN.conv1x1_1, conv1x1_2, conv3x3_2; pools where version 1.0 (7x7 stem) or 1.1 (3x3
//    stem) has them, and version 1.0 pads the last convolution by 1.
#include <fmt/format.h>

#include <algorithm>

#include "data/architectures/architecture.hpp"
#include "data/architectures/chain_builder.hpp"
#include "data/architectures/network_description.hpp"

namespace kirchnet {
namespace {

constexpr std::size_t default_image_side = 224;  // ImageNet
constexpr MaxPoolSettings pool{.kernel = 3, .stride = 2, .ceil = true};

struct FireNames {
    const char* squeeze;
    const char* expand1x1;
    const char* expand3x3;
};
constexpr FireNames torchvision_names{".squeeze", ".expand1x1", ".expand3x3"};
constexpr FireNames caffe_names{".conv1x1_1", ".conv1x1_2", ".conv3x3_2"};

void add_conv_relu(ChainBuilder& chain, const std::string& name, const ConvSettings& settings) {
    chain.conv(name, settings);
    chain.relu(name + "_relu");
}

void add_fire(ChainBuilder& chain, const std::string& fire, const FireNames& names) {
    add_conv_relu(chain, fire + names.squeeze, {});
    const Position squeezed = chain.at();
    add_conv_relu(chain, fire + names.expand1x1, {});
    const Position points = chain.at();
    chain.go_to(squeezed);
    add_conv_relu(chain, fire + names.expand3x3, {.padding = 1});
    const Position squares = chain.at();
    chain.concat(fire + ".concat", points, squares);
}

ChainBuilder start(StateDict& tensors, const std::string& stem) {
    const ImageShape assumed{input_channels(tensors, stem), default_image_side, default_image_side};
    ChainBuilder chain(tensors, describe_network(tensors, assumed));
    add_conv_relu(chain, stem, {.stride = 2});
    chain.max_pool(stem + "_pool", pool);
    return chain;
}

Network finish(ChainBuilder& chain, const std::string& classifier, std::size_t padding) {
    add_conv_relu(chain, classifier, {.padding = padding});
    chain.global_average("avgpool");
    return chain.finish(squeezenet.name);
}

Network build_torchvision(StateDict& tensors) {
    const auto fires = find_numbers(tensors, "features.", ".squeeze.weight");
    ChainBuilder chain = start(tensors, "features.0");
    for (std::size_t i = 0; i < fires.size(); ++i) {
        const std::size_t before = i == 0 ? 2 : fires[i - 1];
        const std::string name = fmt::format("features.{}", fires[i]);
        if (fires[i] > before + 2 || fires[i] < before + 1)
            tensors.fail(name + ".squeeze.weight",
                         fmt::format("follows features.{}: at most one pool lies between", before));
        if (fires[i] == before + 2) chain.max_pool(fmt::format("features.{}", before + 1), pool);
        add_fire(chain, name, torchvision_names);
    }
    return finish(chain, "classifier.1", 0);
}

Network build_caffe(StateDict& tensors) {
    const auto fires = find_numbers(tensors, "fire", ".conv1x1_1.weight");
    const bool first_version = tensors.shape("conv1.weight").back() == 7;
    const std::vector<std::size_t> pools =
        first_version ? std::vector<std::size_t>{4, 8} : std::vector<std::size_t>{3, 5};
    ChainBuilder chain = start(tensors, "conv1");
    for (std::size_t number = 2; number < fires.size() + 2; ++number) {
        const std::string name = fmt::format("fire{}", number);
        add_fire(chain, name, caffe_names);
        if (std::find(pools.begin(), pools.end(), number) != pools.end())
            chain.max_pool(name + "_pool", pool);
    }
    const std::string classifier = tensors.has("conv10.weight") ? "conv10" : "conv_final";
    return finish(chain, classifier, first_version ? 1 : 0);
}

bool has_caffe_names(const StateDict& tensors) {
    return tensors.has("conv1.weight") && tensors.has("fire2.conv1x1_1.weight");
}

bool has_fires(const StateDict& tensors) {
    return has_caffe_names(tensors) ||
           !find_numbers(tensors, "features.", ".squeeze.weight").empty();
}

Network build(StateDict& tensors) {
    return has_caffe_names(tensors) ? build_caffe(tensors) : build_torchvision(tensors);
}

}  // namespace

const Architecture squeezenet{"SqueezeNet", has_fires, build};

}  // namespace kirchnet
