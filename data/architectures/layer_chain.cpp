// Chains of layers: perceptrons and LeNet-like networks, any names. The order of the layers is that
// of their names (convolutions first), and their widths must follow one another. What leaves no
// trace in parameters is assumed and recorded: ReLU between layers, max pools of 2x2 pixels. Where
// pools and padding are is found by trying: they must give the first linear layer its features, and
// only one arrangement may do so.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "circuit/error.hpp"
#include "data/architectures/architecture.hpp"
#include "data/architectures/chain_builder.hpp"
#include "data/architectures/natural_order.hpp"
#include "data/architectures/network_description.hpp"
#include "data/image_shape.hpp"

namespace kirchnet {
namespace {

constexpr std::size_t most_convolutions = 8;  // 2^9 arrangements to try
constexpr std::string_view weight_ending = ".weight";
constexpr std::string_view norm_ending = ".running_mean";

struct Layers {
    std::vector<std::string> convolutions;
    std::vector<std::string> linear;
    std::vector<std::string> norms;  ///< behind the convolutions, or behind all layers but the last
};

/// Where pools are, and whether convolutions keep the size of the map.
struct Arrangement {
    std::vector<bool> pooled;
    bool padded = false;
};

std::optional<std::string> strip(const std::string& name, std::string_view ending) {
    if (!name.ends_with(ending)) return std::nullopt;
    return name.substr(0, name.size() - ending.size());
}

Layers find_layers(const StateDict& tensors) {
    Layers layers;
    for (const std::string& name : tensors.unused()) {
        if (const auto norm = strip(name, norm_ending)) layers.norms.push_back(*norm);
        const auto layer = strip(name, weight_ending);
        if (!layer) continue;
        const std::size_t rank = tensors.shape(name).size();
        if (rank == 4) layers.convolutions.push_back(*layer);
        if (rank == 2) layers.linear.push_back(*layer);
    }
    for (auto* names : {&layers.convolutions, &layers.linear, &layers.norms})
        std::sort(names->begin(), names->end(), naturally_before);
    return layers;
}

/// Every tensor belongs to a layer or a batch norm, and there is a linear layer in the end.
bool is_chain(const StateDict& tensors) {
    const Layers layers = find_layers(tensors);
    const auto known = [&](const std::string& name) {
        const std::size_t dot = name.rfind('.');
        if (dot == std::string::npos) return false;
        const std::string owner = name.substr(0, dot);
        for (const auto* names : {&layers.convolutions, &layers.linear, &layers.norms})
            if (std::find(names->begin(), names->end(), owner) != names->end()) return true;
        return false;
    };
    const auto names = tensors.unused();
    return !layers.linear.empty() && std::all_of(names.begin(), names.end(), known);
}

std::size_t features_of(const StateDict& tensors, const std::string& layer) {
    return tensors.shape(layer + ".weight")[1];
}

/// 28 pixels for one channel (MNIST), else 32 (CIFAR).
ImageShape assumed_image(const StateDict& tensors, const Layers& layers) {
    if (layers.convolutions.empty())
        return guess_image(features_of(tensors, layers.linear.front()));
    const std::size_t channels = input_channels(tensors, layers.convolutions.front());
    const std::size_t side = channels == 1 ? 28 : 32;
    return {channels, side, side};
}

/// Pixels of the last map, 0 where a kernel does not fit.
std::size_t pixels_left(const StateDict& tensors, const Layers& layers, const ImageShape& image,
                        const Arrangement& arrangement) {
    std::size_t height = image.height;
    std::size_t width = image.width;
    for (std::size_t i = 0; i < layers.convolutions.size(); ++i) {
        const auto& shape = tensors.shape(layers.convolutions[i] + ".weight");
        if (shape[2] != shape[3] || shape[2] == 0) return 0;
        const std::size_t padding = arrangement.padded ? shape[2] / 2 : 0;
        if (std::min(height, width) + 2 * padding < shape[2]) return 0;
        height = height + 2 * padding - shape[2] + 1;
        width = width + 2 * padding - shape[2] + 1;
        if (!arrangement.pooled[i]) continue;
        height /= 2;
        width /= 2;
    }
    return height * width;
}

Arrangement numbered_arrangement(std::size_t number, std::size_t convolutions) {
    Arrangement arrangement;
    for (std::size_t i = 0; i < convolutions; ++i)
        arrangement.pooled.push_back((number >> i & 1U) != 0);
    arrangement.padded = (number >> convolutions & 1U) != 0;
    return arrangement;
}

[[noreturn]] void refuse(const StateDict& tensors, const ImageShape& image, std::size_t found) {
    throw InvalidInput(
        tensors.source(),
        fmt::format("{} arrangement{} of pools and padding between its convolutions fit{} images "
                    "of {}x{} pixels, and parameters do not tell {}: export the network to ONNX, "
                    "or give another size of images (--input)",
                    found == 0 ? "no" : fmt::to_string(found), found == 1 ? "" : "s",
                    found == 1 ? "s" : "", image.height, image.width,
                    found == 0 ? "what else it does" : "which is meant"));
}

/// The one arrangement that gives the first linear layer its features.
Arrangement find_arrangement(const StateDict& tensors, const Layers& layers,
                             const ImageShape& image) {
    const std::size_t count = layers.convolutions.size();
    if (count == 0) return {};
    if (count > most_convolutions) refuse(tensors, image, 2U << most_convolutions);
    const std::size_t channels = tensors.shape(layers.convolutions.back() + ".weight")[0];
    const std::size_t features = features_of(tensors, layers.linear.front());
    std::vector<Arrangement> fitting;
    for (std::size_t number = 0; number < (2U << count); ++number) {
        Arrangement candidate = numbered_arrangement(number, count);
        const std::size_t pixels = pixels_left(tensors, layers, image, candidate);
        if (pixels > 0 && pixels * channels == features) fitting.push_back(std::move(candidate));
    }
    if (fitting.size() != 1) refuse(tensors, image, fitting.size());
    return fitting.front();
}

void check_norms(const StateDict& tensors, const Layers& layers) {
    const std::size_t norms = layers.norms.size();
    const std::size_t all = layers.convolutions.size() + layers.linear.size();
    if (norms != 0 && norms != layers.convolutions.size() && norms != all - 1)
        throw InvalidInput(tensors.source(),
                           fmt::format("has {} batch norms for {} layers, and names do not tell "
                                       "where they belong: export the network to ONNX",
                                       norms, all));
}

void record(Network& network, const Arrangement& arrangement) {
    network.provenance["assumed_activation"] = "ReLU between layers";
    if (std::find(arrangement.pooled.begin(), arrangement.pooled.end(), true) !=
        arrangement.pooled.end())
        network.provenance["assumed_pooling"] =
            "max pools of 2x2 pixels, where the first linear layer's features put them";
}

Network build(StateDict& tensors) {
    const Layers layers = find_layers(tensors);
    check_norms(tensors, layers);
    Network described = describe_network(tensors, assumed_image(tensors, layers));
    const Arrangement arrangement = find_arrangement(tensors, layers, described.input);
    record(described, arrangement);
    ChainBuilder chain(tensors, std::move(described));
    auto norm = layers.norms.begin();
    const auto add_tail = [&](const std::string& layer) {
        if (norm != layers.norms.end()) chain.batch_norm(*norm++);
        chain.relu(layer + "_relu");
    };
    for (std::size_t i = 0; i < layers.convolutions.size(); ++i) {
        const std::string& layer = layers.convolutions[i];
        const std::size_t kernel = tensors.shape(layer + ".weight")[2];
        chain.conv(layer, {.padding = arrangement.padded ? kernel / 2 : 0});
        add_tail(layer);
        if (arrangement.pooled[i]) chain.max_pool(layer + "_pool", {});
    }
    for (std::size_t i = 0; i < layers.linear.size(); ++i) {
        chain.linear(layers.linear[i]);
        if (i + 1 < layers.linear.size()) add_tail(layers.linear[i]);
    }
    return chain.finish(layer_chain.name);
}

}  // namespace

const Architecture layer_chain{"chain of convolutions and linear layers", is_chain, build};

}  // namespace kirchnet
