#include "circuit/subcircuit.hpp"

#include <utility>

namespace kirchnet {

Subcircuit::Subcircuit(Circuit& circuit, const std::string& instance,
                       std::map<std::string, std::string> pins)
    : circuit_(circuit),
      prefix_(instance.empty() ? std::string() : instance + "."),
      pins_(std::move(pins)) {}

void Subcircuit::add(const std::string& name, std::vector<std::string> nets, DeviceModel model) {
    for (std::string& inner : nets) inner = net(inner);
    if (auto* sum = std::get_if<CurrentSumSource>(&model))
        for (auto& term : sum->terms) term.source = prefix_ + term.source;
    circuit_.add(prefix_ + name, std::move(nets), std::move(model));
}

std::string Subcircuit::net(const std::string& name) const {
    if (name == "0") return name;
    const auto pin = pins_.find(name);
    return pin == pins_.end() ? prefix_ + name : pin->second;
}

}  // namespace kirchnet
