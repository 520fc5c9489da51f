#include "netlists/detail/deck_parts.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <utility>

namespace kirchnet::detail {
namespace {

using Words = std::vector<std::string>;

/// `r= 3e3` is `r=3e3` to ngspice, so an equals sign stands alone between its neighbours.
Words words_of(std::string_view line) {
    Words words;
    std::string word;
    const auto finish = [&] {
        if (!word.empty()) words.push_back(std::exchange(word, {}));
    };
    for (const char letter : line) {
        if (letter == ' ' || letter == '\t' || letter == ',')
            finish();
        else if (letter == '=') {
            finish();
            words.emplace_back("=");
        } else
            word += letter;
    }
    finish();
    return words;
}

/// `xc_a_0_3` of `r.xc_a_0_3.rcell`; the whole name of a device of the deck itself.
std::string_view top_of(std::string_view device) {
    if (device.size() < 3 || device[1] != '.') return device;
    device.remove_prefix(2);
    return device.substr(0, device.find('.'));
}

std::size_t node_count(char kind) {
    switch (kind) {
        case 'e':
        case 'g':
        case 'm':
        case 's':
        case 't':
        case 'o':
            return 4;
        case 'j':
        case 'q':
        case 'z':
            return 3;
        default:
            return 2;
    }
}

struct Device {
    std::string name;
    Words nodes;
    Words rest;
};

Device parse_device(const std::string& line) {
    Words words = words_of(line);
    Device device;
    if (words.empty()) return device;
    device.name = words.front();
    const std::size_t nodes = std::min(node_count(device.name.front()), words.size() - 1);
    const auto first = words.begin() + 1;
    device.nodes.assign(first, first + static_cast<std::ptrdiff_t>(nodes));
    device.rest.assign(first + static_cast<std::ptrdiff_t>(nodes), words.end());
    return device;
}

/// `1e3`, `r = 1e3` and `resistance = 1e3`; nothing where more is said.
std::optional<double> resistance_of(const Device& device) {
    const Words& rest = device.rest;
    if (rest.size() == 1) return parse_spice_number(rest[0]);
    if (rest.size() == 3 && (rest[0] == "r" || rest[0] == "resistance") && rest[1] == "=")
        return parse_spice_number(rest[2]);
    return std::nullopt;
}

std::optional<double> voltage_of(const Device& device) {
    const Words& rest = device.rest;
    if (rest.size() == 1) return parse_spice_number(rest[0]);
    if (rest.size() == 2 && rest[0] == "dc") return parse_spice_number(rest[1]);
    return std::nullopt;
}

struct Branch {
    std::size_t from;
    std::size_t to;
    double conductance;
};

/// Conductance between the first two of `nodes` nets, all others without any current from outside:
/// the Schur complement of the nodal matrix.
double between_first_two(std::size_t nodes, const std::vector<Branch>& branches) {
    const auto n = static_cast<Eigen::Index>(nodes);
    Eigen::MatrixXd Y = Eigen::MatrixXd::Zero(n, n);
    for (const Branch& branch : branches) {
        const auto i = static_cast<Eigen::Index>(branch.from);
        const auto j = static_cast<Eigen::Index>(branch.to);
        Y(i, i) += branch.conductance;
        Y(j, j) += branch.conductance;
        Y(i, j) -= branch.conductance;
        Y(j, i) -= branch.conductance;
    }
    if (n == 2) return -Y(0, 1);
    // A net inside that hangs on nothing has no equation; the decomposition skips it.
    const Eigen::MatrixXd inner = Y.bottomRightCorner(n - 2, n - 2);
    const Eigen::MatrixXd across = Y.topRightCorner(2, n - 2);
    const Eigen::MatrixXd reduced =
        Y.topLeftCorner(2, 2) -
        across * inner.completeOrthogonalDecomposition().solve(across.transpose());
    return -reduced(0, 1);
}

/// A transistor or switch is what its model says, wherever that stands.
void add_models(DeckPart& part, const std::map<std::string, std::string>& models) {
    if (models.empty()) return;
    std::set<std::string> wanted;
    for (const std::string& line : part.lines) {
        const Device device = parse_device(line);
        if (!device.rest.empty() && models.contains(device.rest.front()))
            wanted.insert(device.rest.front());
    }
    for (const std::string& name : wanted) part.lines.push_back(models.at(name));
}

}  // namespace

std::optional<double> parse_spice_number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc{}) return std::nullopt;
    const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
    if (suffix.starts_with("meg")) return value * 1e6;
    if (suffix.starts_with("mil")) return value * 25.4e-6;
    constexpr std::array<std::pair<char, double>, 9> factors{{{'t', 1e12},
                                                              {'g', 1e9},
                                                              {'k', 1e3},
                                                              {'m', 1e-3},
                                                              {'u', 1e-6},
                                                              {'n', 1e-9},
                                                              {'p', 1e-12},
                                                              {'f', 1e-15},
                                                              {'a', 1e-18}}};
    for (const auto& [letter, factor] : factors)
        if (suffix.starts_with(letter)) return value * factor;
    return value;
}

std::optional<double> DeckPart::conductance() const {
    if (!value || is_conductance) return value;
    return 1 / *value;
}

DeckParts::DeckParts(const std::vector<std::string>& devices) {
    std::map<std::string, std::string> models;
    for (const std::string& line : devices) {
        if (line.starts_with('.')) {
            const Words words = words_of(line);
            if (words.front() == ".model" && words.size() > 1) models.emplace(words[1], line);
            continue;
        }
        const std::string name(top_of(std::string_view(line).substr(0, line.find_first_of(" \t"))));
        const auto [place, is_new] = index_.try_emplace(name, parts_.size());
        if (is_new) parts_.push_back({name, {}, {}, {}});
        parts_[place->second].lines.push_back(line);
    }
    for (DeckPart& part : parts_) {
        add_models(part, models);
        evaluate(part);
    }
}

const DeckPart* DeckParts::find(std::string_view name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &parts_[found->second];
}

void DeckParts::settle(const std::map<std::string, double>& resistance) {
    settled_ = resistance;
    for (DeckPart& part : parts_) evaluate(part);
}

void DeckParts::evaluate(DeckPart& part) {
    part.nodes.clear();
    part.value.reset();
    const std::string inside = part.name + ".";
    std::vector<std::string> nets;
    std::vector<Branch> branches;
    bool is_resistive = true;
    const auto number_of = [&](const std::string& net) {
        const auto found = std::find(nets.begin(), nets.end(), net);
        if (found == nets.end()) nets.push_back(net);
        return static_cast<std::size_t>(std::find(nets.begin(), nets.end(), net) - nets.begin());
    };
    std::vector<Device> devices;
    for (const std::string& line : part.lines)
        if (!line.starts_with('.')) devices.push_back(parse_device(line));
    for (const Device& device : devices)  // the outer nets come first
        for (const std::string& node : device.nodes)
            if (!node.starts_with(inside) &&
                std::find(part.nodes.begin(), part.nodes.end(), node) == part.nodes.end())
                part.nodes.push_back(node);
    nets = part.nodes;
    const bool is_single = devices.size() == 1 && devices.front().name == part.name;
    if (is_single && part.name.front() == 'v') {
        part.value = voltage_of(devices.front());
        return;
    }
    for (const Device& device : devices) {
        if (device.name.front() != 'r') {
            is_resistive = false;
            continue;
        }
        std::optional<double> resistance = resistance_of(device);
        if (const auto settled = settled_.find(device.name); settled != settled_.end())
            resistance = settled->second;
        if (!resistance) {
            if (settled_.empty()) unclear_.push_back(device.name);
            is_resistive = false;
            continue;
        }
        if (is_single) part.value = resistance;
        if (device.nodes.size() == 2 && device.nodes[0] != device.nodes[1])
            branches.push_back(
                {number_of(device.nodes[0]), number_of(device.nodes[1]), 1 / *resistance});
    }
    if (is_single || !is_resistive || part.nodes.size() != 2) return;
    part.value = between_first_two(nets.size(), branches);
    part.is_conductance = true;
}

}  // namespace kirchnet::detail
