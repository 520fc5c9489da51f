#include "data/import.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <utility>

#include "circuit/error.hpp"
#include "data/architectures/architecture.hpp"
#include "data/architectures/darknet.hpp"
#include "data/architectures/input_convention.hpp"
#include "data/detail/darknet_weights.hpp"
#include "data/detail/onnx_reader.hpp"

namespace kirchnet {
namespace {

/// In the order in which they are tried: the more particular first.
constexpr const Architecture* architectures[] = {&imagenet_resnet, &cifar_resnet, &squeezenet,
                                                 &mobilenet,       &vgg,          &layer_chain};

[[noreturn]] void refuse(const StateDict& tensors) {
    std::vector<std::string_view> known;
    for (const Architecture* architecture : architectures) known.push_back(architecture->name);
    const auto names = tensors.unused();
    throw InvalidInput(tensors.source(),
                       fmt::format("its {} tensors ('{}', ...) are of no architecture known here: "
                                   "not a {}; export the network to ONNX",
                                   names.size(), names.front(), fmt::join(known, ", nor a ")));
}

Network import_state_dict(const std::filesystem::path& path, const ImportOptions& options) {
    StateDict tensors = read_state_dict(path);
    if (options.input)
        tensors.set_attribute(
            "input_shape", fmt::format("{}x{}x{}", options.input->channels, options.input->height,
                                       options.input->width));
    return build_network(std::move(tensors));
}

void set_normalisation(const std::vector<float>& values, float least, const char* what,
                       std::vector<float>& target) {
    if (values.empty()) return;
    if (values.size() != target.size())
        throw InvalidInput(what, fmt::format("{} values are given for {} input channels",
                                             values.size(), target.size()));
    for (const float value : values)
        if (!std::isfinite(value) || !(value > least))
            throw InvalidInput(what, fmt::format("{} is no {} of pixels", value, what));
    target = values;
}

}  // namespace

Network build_network(StateDict tensors) {
    for (const Architecture* architecture : architectures) {
        if (!architecture->recognises(tensors)) continue;
        Network network = architecture->build(tensors);
        network.provenance["recognised_as"] = architecture->name;
        adopt_input_convention(tensors, network);
        return network;
    }
    refuse(tensors);
}

Network import_network(const std::filesystem::path& path, const ImportOptions& options) {
    Network network =
        is_onnx_file(path) ? read_onnx(path, options.input) : import_state_dict(path, options);
    constexpr float any = -std::numeric_limits<float>::max();
    set_normalisation(options.mean, any, "mean", network.mean);
    set_normalisation(options.deviation, 0, "deviation", network.deviation);
    if (!options.mean.empty() && !options.deviation.empty())
        network.provenance.erase("assumed_normalisation");
    return network;
}

Network import_darknet(const std::filesystem::path& cfg, const std::filesystem::path& weights) {
    const DarknetCfg description = read_darknet_cfg(cfg);
    StateDict tensors = weights.extension() == ".weights"
                            ? read_darknet_weights(weights, description)
                            : read_state_dict(weights);
    return build_darknet(description, tensors);
}

}  // namespace kirchnet
