#include "data/import.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "circuit/error.hpp"
#include "data/architectures/architecture.hpp"

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

}  // namespace kirchnet
