#include "solver/detail/circuit_checks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
#include <set>

#include "circuit/error.hpp"

namespace kirchnet::detail {
namespace {

constexpr std::size_t most_names = 5;

bool defines_voltage(const DeviceModel& model) {
    return std::holds_alternative<VoltageSource>(model) ||
           std::holds_alternative<VoltageControlledVoltageSource>(model) ||
           std::holds_alternative<CurrentSumSource>(model) ||
           std::holds_alternative<SmoothLimiter>(model) ||
           std::holds_alternative<HardLimiter>(model) || std::holds_alternative<Quantizer>(model);
}

/// Nets joined by voltage sources so far, a forest: a source within one tree closes a loop.
class SourceForest {
  public:
    explicit SourceForest(CircuitNet nets) : edges_(static_cast<std::size_t>(nets)) {}

    /// The sources between two nets, empty where none join them.
    [[nodiscard]] std::vector<std::size_t> path(CircuitNet from, CircuitNet to) const {
        std::vector<std::pair<CircuitNet, std::size_t>> came(edges_.size(), {-1, 0});
        std::deque<CircuitNet> reached{from};
        came[at(from)] = {from, 0};
        while (!reached.empty() && came[at(to)].first < 0) {
            const CircuitNet net = reached.front();
            reached.pop_front();
            for (const auto& [neighbour, device] : edges_[at(net)])
                if (came[at(neighbour)].first < 0) {
                    came[at(neighbour)] = {net, device};
                    reached.push_back(neighbour);
                }
        }
        std::vector<std::size_t> devices;
        if (came[at(to)].first < 0) return devices;
        for (CircuitNet net = to; net != from; net = came[at(net)].first)
            devices.push_back(came[at(net)].second);
        return devices;
    }
    void join(CircuitNet a, CircuitNet b, std::size_t device) {
        edges_[at(a)].emplace_back(b, device);
        edges_[at(b)].emplace_back(a, device);
        root(std::max(root(a), root(b))) = std::min(root(a), root(b));
    }
    [[nodiscard]] bool joins(CircuitNet a, CircuitNet b) { return root(a) == root(b); }

  private:
    static std::size_t at(CircuitNet net) { return static_cast<std::size_t>(net); }
    CircuitNet& root(CircuitNet net) {
        if (parents_.empty())
            for (std::size_t n = 0; n < edges_.size(); ++n)
                parents_.push_back(static_cast<CircuitNet>(n));
        while (parents_[at(net)] != net) net = parents_[at(net)] = parents_[at(parents_[at(net)])];
        return parents_[at(net)];
    }

    std::vector<std::vector<std::pair<CircuitNet, std::size_t>>> edges_;
    std::vector<CircuitNet> parents_;
};

std::set<std::string, std::less<>> sensed_sources(const Circuit& circuit) {
    std::set<std::string, std::less<>> names;
    for (const CircuitDevice& device : circuit.devices())
        if (const auto* sum = std::get_if<CurrentSumSource>(&device.model))
            for (const auto& term : sum->terms) names.insert(term.source);
    return names;
}

}  // namespace

std::vector<std::string> loop_of_sources(const Circuit& circuit) {
    const auto sensed = sensed_sources(circuit);
    SourceForest forest(circuit.nets());
    for (std::size_t k = 0; k < circuit.devices().size(); ++k) {
        const CircuitDevice& device = circuit.devices()[k];
        if (!defines_voltage(device.model)) continue;
        if (!forest.joins(device.nets[0], device.nets[1])) {
            forest.join(device.nets[0], device.nets[1], k);
            continue;
        }
        std::vector<std::string> loop{device.name};
        for (const std::size_t other : forest.path(device.nets[0], device.nets[1]))
            loop.push_back(circuit.devices()[other].name);
        if (std::none_of(loop.begin(), loop.end(),
                         [&](const std::string& name) { return sensed.contains(name); }))
            return loop;
    }
    return {};
}

std::string devices_at(const Circuit& circuit, CircuitNet net) {
    std::vector<std::string> names;
    std::size_t count = 0;
    for (const CircuitDevice& device : circuit.devices()) {
        const auto* const end = device.nets.begin() + net_count(device.model);
        if (std::find(device.nets.begin(), end, net) == end) continue;
        if (++count <= most_names) names.push_back(device.name);
    }
    std::string text = fmt::format("{}", fmt::join(names, ", "));
    if (count > most_names) text += fmt::format(" and {} more", count - most_names);
    return text;
}

void check_solvable(const Circuit& circuit) {
    if (const auto floating = floating_nets(circuit); !floating.empty()) {
        const std::string& first = floating.front();
        std::string problem =
            fmt::format("no path for direct current leads from it to ground; what meets there: {}",
                        devices_at(circuit, circuit.find_net(first)));
        if (floating.size() > 1)
            problem += fmt::format("; so are {} other groups of nets cut off, the next at net {}",
                                   floating.size() - 1, floating[1]);
        throw InvalidInput("net " + first, problem);
    }
    if (const auto loop = loop_of_sources(circuit); !loop.empty())
        throw InvalidInput(
            loop.front(),
            fmt::format("closes a loop of voltage sources ({}), around which any current may flow; "
                        "put a resistor into it",
                        fmt::join(loop, ", ")));
}

}  // namespace kirchnet::detail
