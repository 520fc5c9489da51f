// VGG networks (Simonyan and Zisserman, 2015) as torchvision names them: 3x3 convolutions
// features.N, with batch norm or without, each with a ReLU; a number left out is a max pool of 2x2
// pixels; linear layers classifier.N with ReLUs between. The same scheme is used for CIFAR, with
// one linear layer.
#include <fmt/format.h>

#include "data/architectures/architecture.hpp"
#include "data/architectures/chain_builder.hpp"
#include "data/architectures/network_description.hpp"
#include "data/detail/shape.hpp"

namespace kirchnet {
namespace {

const std::string features = "features.";
const std::string classifier = "classifier.";

/// The linear layers: `classifier.N`, or one called `classifier`.
std::vector<std::string> find_classifier(const StateDict& tensors) {
    std::vector<std::string> layers;
    for (const std::size_t number : find_numbers(tensors, classifier, ".weight"))
        layers.push_back(fmt::format("{}{}", classifier, number));
    if (layers.empty()) layers.emplace_back("classifier");
    return layers;
}

bool is_known(const StateDict& tensors) {
    const std::string linear = find_classifier(tensors).front() + ".weight";
    const auto has_rank = [&](const std::string& name, std::size_t rank) {
        return tensors.has(name) && tensors.shape(name).size() == rank;
    };
    if (!has_rank("features.0.weight", 4) || !has_rank(linear, 2)) return false;
    return tensors.shape("features.0.weight")[2] == 3;
}

/// Numbers of the convolutions; those between belong to batch norms, ReLUs and pools.
std::vector<std::size_t> find_convolutions(const StateDict& tensors) {
    std::vector<std::size_t> found;
    for (const std::size_t number : find_numbers(tensors, features, ".weight"))
        if (tensors.shape(fmt::format("{}{}.weight", features, number)).size() == 4)
            found.push_back(number);
    return found;
}

void add_convolution(ChainBuilder& chain, std::size_t number, bool norm) {
    chain.conv(fmt::format("{}{}", features, number), {.padding = 1});
    if (norm) chain.batch_norm(fmt::format("{}{}", features, number + 1));
    chain.relu(fmt::format("{}{}", features, number + (norm ? 2 : 1)));
}

void add_features(ChainBuilder& chain) {
    StateDict& tensors = chain.tensors();
    const auto numbers = find_convolutions(tensors);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const bool norm = tensors.has(fmt::format("{}{}.running_mean", features, numbers[i] + 1));
        add_convolution(chain, numbers[i], norm);
        if (i + 1 == numbers.size()) break;
        const std::size_t next = numbers[i] + (norm ? 3 : 2);
        if (numbers[i + 1] < next || numbers[i + 1] > next + 1)
            tensors.fail(fmt::format("{}{}.weight", features, numbers[i + 1]),
                         fmt::format("comes {} places after features.{}: what lies between is not "
                                     "told by names; export the network to ONNX",
                                     numbers[i + 1] - numbers[i], numbers[i]));
        if (numbers[i + 1] == next + 1) chain.max_pool(fmt::format("{}{}", features, next), {});
    }
}

/// A pool behind the last convolution leaves no trace in names: the first linear layer tells.
void add_last_pool(ChainBuilder& chain, const std::string& linear) {
    const auto& shape = chain.tensors().shape(linear + ".weight");
    const ImageShape& map = chain.at().shape;
    const bool pooled =
        shape.size() == 2 && shape[1] == map.channels * (map.height / 2) * (map.width / 2);
    if (pooled) chain.max_pool("features.pool", {});
}

/// 224 pixels where the first linear layer sees 7x7, else 32 (CIFAR).
std::size_t usual_side(const StateDict& tensors, const std::string& linear) {
    const auto numbers = find_convolutions(tensors);
    const std::size_t channels =
        tensors.shape(fmt::format("{}{}.weight", features, numbers.back()))[0];
    constexpr std::size_t pixels = 49;
    return tensors.shape(linear + ".weight")[1] == pixels * channels ? 224 : 32;
}

Network build(StateDict& tensors) {
    const auto layers = find_classifier(tensors);
    const std::size_t side = usual_side(tensors, layers.front());
    const ImageShape assumed{input_channels(tensors, "features.0"), side, side};
    ChainBuilder chain(tensors, describe_network(tensors, assumed));
    add_features(chain);
    add_last_pool(chain, layers.front());
    for (std::size_t i = 0; i < layers.size(); ++i) {
        chain.linear(layers[i]);
        if (i + 1 < layers.size()) chain.relu(layers[i] + "_relu");
    }
    return chain.finish(vgg.name);
}

}  // namespace

const Architecture vgg{"VGG", is_known, build};

}  // namespace kirchnet
