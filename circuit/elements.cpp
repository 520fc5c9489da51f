#include "circuit/elements.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "circuit/error.hpp"
#include "circuit/names.hpp"

namespace kirchnet {
namespace {

/// Disjoint sets over node numbers (union by smaller root, so that roots are first nodes).
class DisjointSets {
  public:
    explicit DisjointSets(std::size_t size) : parent_(size) {
        std::iota(parent_.begin(), parent_.end(), 0);
    }
    std::int32_t find(std::int32_t x) {
        while (parent_[at(x)] != x) x = parent_[at(x)] = parent_[at(parent_[at(x)])];
        return x;
    }
    void join(std::int32_t x, std::int32_t y) {
        x = find(x);
        y = find(y);
        parent_[at(std::max(x, y))] = std::min(x, y);
    }

  private:
    static std::size_t at(std::int32_t x) { return static_cast<std::size_t>(x); }
    std::vector<std::int32_t> parent_;
};

/// Node numbers before merging: word-line nodes, bit-line nodes, sources, virtual grounds.
struct NodeNumbers {
    std::int32_t m;
    std::int32_t n;
    [[nodiscard]] std::int32_t word(std::int32_t r, std::int32_t c) const { return r * n + c; }
    [[nodiscard]] std::int32_t bit(std::int32_t r, std::int32_t c) const {
        return m * n + r * n + c;
    }
    [[nodiscard]] std::int32_t source(std::int32_t r) const { return 2 * m * n + r; }
    [[nodiscard]] std::int32_t ground(std::int32_t c) const { return 2 * m * n + m + c; }
    [[nodiscard]] std::int32_t count() const { return 2 * m * n + m + n; }
};

struct Branch {
    ElementKind kind;
    std::int32_t r;
    std::int32_t c;
    std::int32_t from;
    std::int32_t to;
    double conductance;
};

/// Infinite for 0 ohm of either sign.
double conductance_of(double resistance) {
    return 1 / std::abs(resistance);
}

/// The further ends of the lines: source to the right, virtual ground at the top.
template <typename Visit>
void for_each_further_end(const Crossbar& crossbar, const NodeNumbers& node, Visit visit) {
    for (std::int32_t r = 0; r < node.m; ++r)
        visit(Branch{ElementKind::right_end, r, node.n - 1, node.source(r),
                     node.word(r, node.n - 1), conductance_of(crossbar.right_end_resistance(r))});
    for (std::int32_t c = 0; c < node.n; ++c)
        visit(Branch{ElementKind::top_end, 0, c, node.bit(0, c), node.ground(c),
                     conductance_of(crossbar.top_end_resistance(c))});
}

template <typename Visit>
void for_each_bridge(const Crossbar& crossbar, const NodeNumbers& node, Visit visit) {
    for (const Bridge& bridge : crossbar.wires().bridges) {
        const auto r = static_cast<std::int32_t>(bridge.word_line);
        const auto c = static_cast<std::int32_t>(bridge.bit_line);
        if (bridge.lines == Bridge::Lines::word)
            visit(Branch{ElementKind::word_line_bridge, r, c, node.word(r, c), node.word(r + 1, c),
                         1 / bridge.resistance});
        else
            visit(Branch{ElementKind::bit_line_bridge, r, c, node.bit(r, c), node.bit(r, c + 1),
                         1 / bridge.resistance});
    }
}

/// Calls `visit` for each branch in row-major order: the segment left, the cell, the segment
/// below; then for the further ends and for bridges.
template <typename Visit>
void for_each_branch(const Crossbar& crossbar, const NodeNumbers& node, Visit visit) {
    for (std::int32_t r = 0; r < node.m; ++r)
        for (std::int32_t c = 0; c < node.n; ++c) {
            const double left = conductance_of(crossbar.word_line_resistance(r, c));
            const double below = conductance_of(crossbar.bit_line_resistance(r, c));
            const double cell = crossbar.conductance()(r, c);
            visit(Branch{ElementKind::word_line_segment, r, c,
                         c > 0 ? node.word(r, c - 1) : node.source(r), node.word(r, c), left});
            visit(Branch{ElementKind::cell, r, c, node.word(r, c), node.bit(r, c), cell});
            visit(Branch{ElementKind::bit_line_segment, r, c, node.bit(r, c),
                         r + 1 < node.m ? node.bit(r + 1, c) : node.ground(c), below});
        }
    for_each_further_end(crossbar, node, visit);
    for_each_bridge(crossbar, node, visit);
}

bool is_wire(const Branch& branch) {
    return branch.kind != ElementKind::cell;
}

/// Also a resistance so small that its inverse overflows.
bool is_merged(const Branch& branch) {
    return is_wire(branch) && std::isinf(branch.conductance);
}

DisjointSets merge_zero_resistance(const Crossbar& crossbar, const NodeNumbers& node) {
    DisjointSets nets(static_cast<std::size_t>(node.count()));
    for_each_branch(crossbar, node, [&](const Branch& branch) {
        if (is_merged(branch)) nets.join(branch.from, branch.to);
    });
    return nets;
}

/// Roots of connected components that touch a source or a virtual ground are marked live.
struct Connectivity {
    DisjointSets components;
    std::vector<bool> live;
    bool is_live(std::int32_t node) {
        return live[static_cast<std::size_t>(components.find(node))];
    }
};

Connectivity find_live(const Crossbar& crossbar, const NodeNumbers& node) {
    Connectivity result{DisjointSets(static_cast<std::size_t>(node.count())),
                        std::vector<bool>(static_cast<std::size_t>(node.count()), false)};
    for_each_branch(crossbar, node, [&](const Branch& branch) {
        if (branch.conductance > 0) result.components.join(branch.from, branch.to);
    });
    for (std::int32_t t = node.source(0); t < node.count(); ++t)
        result.live[static_cast<std::size_t>(result.components.find(t))] = true;
    return result;
}

std::string node_name(const Expansion& expansion, std::int32_t node) {
    const auto cells = static_cast<std::int32_t>(expansion.cells());
    const bool on_word_line = node < cells;
    const Index place = on_word_line ? node : node - cells;
    const Index bit_line = place % expansion.bit_lines;
    const CellPosition at{polarity_of(expansion.pattern, bit_line), place / expansion.bit_lines,
                          bit_line};
    return on_word_line ? word_line_node(at) : bit_line_node(at);
}

/// Whether a branch of a line's end could connect at all, were it not open.
bool is_meant(const Wires& wires, const Branch& branch, const NodeNumbers& node) {
    switch (branch.kind) {
        case ElementKind::word_line_segment:
            return branch.c > 0 || wires.drives_left();
        case ElementKind::bit_line_segment:
            return branch.r + 1 < node.m || wires.senses_bottom();
        case ElementKind::right_end:
            return wires.drives_right();
        case ElementKind::top_end:
            return wires.senses_top();
        default:
            return true;
    }
}

/// What does not conduct at the border of what is cut off.
void record_causes(Expansion& expansion, const Crossbar& crossbar, const NodeNumbers& node,
                   Connectivity& connectivity, const std::vector<std::size_t>& entry_of) {
    for_each_branch(crossbar, node, [&](const Branch& branch) {
        if (branch.conductance != 0 || !is_meant(crossbar.wires(), branch, node)) return;
        const auto from = connectivity.components.find(branch.from);
        const auto to = connectivity.components.find(branch.to);
        for (const auto root : {from, to}) {
            if (from == to || connectivity.live[static_cast<std::size_t>(root)]) continue;
            CutOff& entry = expansion.cut_off[entry_of[static_cast<std::size_t>(root)]];
            if (is_wire(branch))
                entry.open.push_back(
                    element_name(expansion.pattern, branch.kind, branch.r, branch.c));
            else
                ++entry.idle_cells;
        }
    });
}

void record_cut_off(Expansion& expansion, const Crossbar& crossbar, const NodeNumbers& node_numbers,
                    Connectivity& connectivity) {
    std::vector<std::size_t> entry_of(static_cast<std::size_t>(2 * expansion.cells()),
                                      std::numeric_limits<std::size_t>::max());
    for (std::int32_t node = 0; node < 2 * static_cast<std::int32_t>(expansion.cells()); ++node) {
        if (connectivity.is_live(node)) continue;
        auto& entry = entry_of[static_cast<std::size_t>(connectivity.components.find(node))];
        if (entry == std::numeric_limits<std::size_t>::max()) {
            entry = expansion.cut_off.size();
            expansion.cut_off.push_back({node_name(expansion, node)});
        }
        ++expansion.cut_off[entry].nodes;
    }
    if (!expansion.cut_off.empty())
        record_causes(expansion, crossbar, node_numbers, connectivity, entry_of);
}

/// Numbers the live nets that are no terminal, in order of their first node.
std::vector<NetIndex> number_nets(Expansion& expansion, const NodeNumbers& node, DisjointSets& nets,
                                  Connectivity& connectivity) {
    const auto at = [](std::int32_t x) { return static_cast<std::size_t>(x); };
    std::vector<bool> is_terminal(at(node.count()), false);
    for (std::int32_t t = node.source(0); t < node.count(); ++t)
        is_terminal[at(nets.find(t))] = true;
    std::vector<NetIndex> number(at(node.count()), cut_off_net);
    for (std::int32_t x = 0; x < node.source(0); ++x) {
        const auto root = nets.find(x);
        if (root != x || is_terminal[at(root)] || !connectivity.is_live(x)) continue;
        number[at(x)] = expansion.unknowns++;
        expansion.first_node.push_back(x);
    }
    for (std::int32_t t = node.source(0); t < node.count(); ++t)
        number[at(nets.find(t))] = expansion.unknowns + (t - node.source(0));
    return number;
}

}  // namespace

Expansion expand(const Crossbar& crossbar) {
    const ArrayShape shape = crossbar.shape();
    if (shape.cells() > std::numeric_limits<std::int32_t>::max() / 4)
        throw InvalidInput(
            fmt::format("a {} array has too many nodes to number", to_string(shape)));
    const NodeNumbers node{static_cast<std::int32_t>(shape.word_lines),
                           static_cast<std::int32_t>(shape.bit_lines)};
    Expansion expansion;
    expansion.word_lines = shape.word_lines;
    expansion.bit_lines = shape.bit_lines;
    expansion.pattern = crossbar.pattern();

    DisjointSets nets = merge_zero_resistance(crossbar, node);
    Connectivity connectivity = find_live(crossbar, node);
    const auto number = number_nets(expansion, node, nets, connectivity);
    const auto net_of = [&](std::int32_t x) {
        return number[static_cast<std::size_t>(nets.find(x))];
    };

    for (std::int32_t x = 0; x < node.m * node.n; ++x) {
        expansion.word_net.push_back(net_of(x));
        expansion.bit_net.push_back(net_of(node.m * node.n + x));
    }
    for_each_branch(crossbar, node, [&](const Branch& branch) {
        const NetIndex from = net_of(branch.from);
        const NetIndex to = net_of(branch.to);
        const bool is_open_wire = is_wire(branch) && branch.conductance == 0;
        if (from == to || from == cut_off_net || to == cut_off_net || is_open_wire) return;
        expansion.elements.push_back(
            {branch.kind, branch.r, branch.c, from, to, branch.conductance});
    });
    record_cut_off(expansion, crossbar, node, connectivity);
    return expansion;
}

std::string Expansion::net_name(NetIndex net) const {
    if (is_unknown(net)) return node_name(*this, first_node[static_cast<std::size_t>(net)]);
    if (is_source(net)) return input_node(pattern, net - unknowns);
    const Index bit_line = net - unknowns - word_lines;
    return sense_node(polarity_of(pattern, bit_line), bit_line);
}

std::string element_name(ColumnPattern pattern, ElementKind kind, Index word_line, Index bit_line) {
    const CellPosition at{polarity_of(pattern, bit_line), word_line, bit_line};
    const char letter = to_char(at.polarity);
    switch (kind) {
        case ElementKind::cell:
            return cell_name(at);
        case ElementKind::word_line_segment:
            return fmt::format("rwl_{}_{}_{}", letter, at.word_line, at.bit_line);
        case ElementKind::bit_line_segment:
            return fmt::format("rbl_{}_{}_{}", letter, at.word_line, at.bit_line);
        case ElementKind::right_end:
            return fmt::format("rwl_{}_{}_r", letter, at.word_line);
        case ElementKind::top_end:
            return fmt::format("rbl_{}_t_{}", letter, at.bit_line);
        case ElementKind::word_line_bridge:
            return fmt::format("rwlbridge_{}_{}_{}", letter, at.word_line, at.bit_line);
        case ElementKind::bit_line_bridge:
            break;
    }
    return fmt::format("rblbridge_{}_{}_{}", letter, at.word_line, at.bit_line);
}

namespace {

/// `, cut off by rwl_a_3_7 and 5 cells that conduct nothing`, or nothing where no cause is known.
std::string describe_causes(const CutOff& lost) {
    constexpr std::size_t most_named = 4;
    std::string causes;
    for (std::size_t i = 0; i < std::min(most_named, lost.open.size()); ++i)
        causes += (i == 0 ? "" : ", ") + lost.open[i];
    if (lost.open.size() > most_named)
        causes += fmt::format(" and {} more segments", lost.open.size() - most_named);
    if (!lost.open.empty()) causes = "open " + causes;
    if (lost.idle_cells > 0)
        causes += fmt::format("{}{} cell{} that conduct{} nothing", causes.empty() ? "" : " and ",
                              lost.idle_cells, lost.idle_cells == 1 ? "" : "s",
                              lost.idle_cells == 1 ? "s" : "");
    return causes.empty() ? causes : ", cut off by " + causes;
}

}  // namespace

std::string describe_cut_off(const Expansion& expansion) {
    if (expansion.cut_off.empty()) return {};
    constexpr std::size_t most_named = 5;
    std::string text = fmt::format(
        "{} net{} without a path to any source or ground (0 A): ", expansion.cut_off.size(),
        expansion.cut_off.size() == 1 ? "" : "s");
    for (std::size_t i = 0; i < std::min(most_named, expansion.cut_off.size()); ++i)
        text += fmt::format("{}{} ({} node{}{})", i == 0 ? "" : "; ", expansion.cut_off[i].net,
                            expansion.cut_off[i].nodes, expansion.cut_off[i].nodes == 1 ? "" : "s",
                            describe_causes(expansion.cut_off[i]));
    if (expansion.cut_off.size() > most_named) text += "; ...";
    return text;
}

}  // namespace kirchnet
