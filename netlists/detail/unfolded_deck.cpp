#include "netlists/detail/unfolded_deck.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "circuit/names.hpp"

namespace kirchnet::detail {
namespace {

using Labels = std::set<std::string, std::less<>>;

/// The device of a line, or the model that it defines.
std::string name_of(const std::string& line) {
    std::size_t begin = 0;
    if (line.starts_with(".model")) begin = std::min(line.find_first_not_of(" \t", 6), line.size());
    return line.substr(begin, line.find_first_of(" \t", begin) - begin);
}

/// `xt0_1.xc_a_0_3.x` and `r.xt0_1.xc_a_0_3.rcell`: what stands before the tile, and behind it.
struct TileName {
    std::string_view letter;  ///< `r`, or nothing
    std::string_view label;   ///< empty: of no tile
    std::string_view inner;
};

TileName split_instance(std::string_view name, const Labels& labels) {
    TileName parts;
    std::string_view rest = name;
    if (rest.size() > 2 && rest[1] == '.') {
        parts.letter = rest.substr(0, 1);
        rest.remove_prefix(2);
    }
    const std::size_t dot = rest.find('.');
    if (!rest.starts_with('x') || dot == std::string_view::npos) return {};
    parts.label = rest.substr(1, dot - 1);
    parts.inner = rest.substr(dot + 1);
    return labels.contains(parts.label) ? parts : TileName{};
}

/// Devices in instances within the tile keep their letter in front: `r.xc_a_0_3.rcell`.
std::string without_instance(const std::string& name, const Labels& labels) {
    const TileName parts = split_instance(name, labels);
    if (parts.label.empty()) return name;
    std::string result(parts.inner);
    if (!parts.letter.empty() && parts.inner.find('.') != std::string_view::npos)
        result = std::string(parts.letter) + "." + result;
    return result;
}

/// The label that a name's first instance or device ends in: `rxc_a_0_3_t0_1`,
/// `b.xc_a_0_3_t0_1.b1`.
std::string label_at_end(std::string_view name, const Labels& labels) {
    if (name.size() > 2 && name[1] == '.') name.remove_prefix(2);
    name = name.substr(0, name.find_first_of(".:"));
    for (std::size_t at = name.find("_t"); at != std::string_view::npos;
         at = name.find("_t", at + 1))
        if (labels.contains(name.substr(at + 1))) return std::string(name.substr(at + 1));
    return {};
}

std::string without_label(const std::string& name, const std::string& label) {
    const std::string ending = "_" + label;
    std::string result = name;
    for (std::size_t at = result.find(ending); at != std::string::npos;
         at = result.find(ending, at)) {
        const std::size_t end = at + ending.size();
        if (end == result.size() || result[end] == '.' || result[end] == ':')
            result.erase(at, ending.size());
        else
            at = end;
    }
    return result;
}

void add_line(UnfoldedDeck& deck, std::string line, const std::string& deck_name) {
    if (const std::string name = name_of(line); name != deck_name)
        deck.deck_names.emplace(name, deck_name);
    deck.lines.push_back(std::move(line));
}

/// `xc_a_0_3` of `rxc_a_0_3`; nothing where it is no part of a cell.
std::string cell_of(std::string_view device) {
    if (device.size() < 2 ||
        std::string_view("rbvm").find(device.front()) == std::string_view::npos)
        return {};
    device.remove_prefix(1);
    return parse_cell_name(device) ? std::string(device) : std::string();
}

/// Nets that a flat cell has within.
std::string inner_net(const std::string& name) {
    for (const std::string_view prefix : {"x_", "gate_"})
        if (name.starts_with(prefix) && parse_cell_name(name.substr(prefix.size())))
            return name.substr(prefix.size()) + "." + (prefix == "x_" ? "x" : "gate");
    return name;
}

}  // namespace

const std::string& UnfoldedDeck::deck_name(const std::string& device) const {
    const auto found = deck_names.find(device);
    return found == deck_names.end() ? device : found->second;
}

SortedDeck sort_by_tile(const std::vector<std::string>& lines,
                        const std::vector<std::string>& labels, bool is_flat) {
    const Labels known(labels.begin(), labels.end());
    SortedDeck sorted;
    for (const std::string& label : labels) sorted.tiles[label];
    for (const std::string& line : lines) {
        const std::string name = name_of(line);
        const std::string label =
            is_flat ? label_at_end(name, known) : std::string(split_instance(name, known).label);
        if (label.empty()) {
            sorted.rest.push_back(line);
            continue;
        }
        add_line(sorted.tiles[label],
                 with_identifiers(line,
                                  [&](const std::string& word) {
                                      return is_flat ? without_label(word, label)
                                                     : without_instance(word, known);
                                  }),
                 name);
    }
    // Models of the deck itself serve every tile.
    for (const std::string& line : sorted.rest)
        if (line.starts_with(".model"))
            for (auto& [label, deck] : sorted.tiles) deck.lines.push_back(line);
    return sorted;
}

UnfoldedDeck gather_flat_cells(const UnfoldedDeck& deck) {
    UnfoldedDeck gathered;
    for (const std::string& line : deck.lines) {
        const std::string name = name_of(line);
        std::string renamed = with_identifiers(line, inner_net);
        if (const std::string cell = cell_of(name); !cell.empty())
            renamed.replace(0, name.size(),
                            std::string{name.front(), '.'} + cell + "." + name.front());
        add_line(gathered, std::move(renamed), deck.deck_name(name));
    }
    return gathered;
}

}  // namespace kirchnet::detail
