#include "data/import.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "circuit/error.hpp"
#include "data/architectures/architecture.hpp"
#include "data/architectures/darknet.hpp"
#include "data/detail/darknet_weights.hpp"

namespace kirchnet {
namespace {

/// In the order in which they are tried: the more particular first.
constexpr const Architecture* architectures[] = {&cifar_resnet};

[[noreturn]] void refuse(const StateDict& tensors) {
    std::vector<std::string_view> known;
    for (const Architecture* architecture : architectures) known.push_back(architecture->name);
    const auto names = tensors.unused();
    throw InvalidInput(tensors.source(),
                       fmt::format("its {} tensors ('{}', ...) are of no architecture known here: "
                                   "not a {}",
                                   names.size(), names.front(), fmt::join(known, ", nor a ")));
}

}  // namespace

Network import_network(const std::filesystem::path& path) {
    StateDict tensors = read_state_dict(path);
    for (const Architecture* architecture : architectures)
        if (architecture->recognises(tensors)) return architecture->build(tensors);
    refuse(tensors);
}

Network import_darknet(const std::filesystem::path& cfg, const std::filesystem::path& weights) {
    const DarknetCfg description = read_darknet_cfg(cfg);
    StateDict tensors = weights.extension() == ".weights"
                            ? read_darknet_weights(weights, description)
                            : read_state_dict(weights);
    return build_darknet(description, tensors);
}

}  // namespace kirchnet
