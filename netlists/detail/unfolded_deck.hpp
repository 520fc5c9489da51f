#pragma once

#include <map>
#include <string>
#include <vector>

namespace kirchnet::detail {

/// Lines of `expand_deck` under the names that a tile's own readable deck would have.
struct UnfoldedDeck {
    std::vector<std::string> lines;
    std::map<std::string, std::string> deck_names;  ///< of devices that ngspice calls otherwise

    /// What ngspice calls a device.
    [[nodiscard]] const std::string& deck_name(const std::string& device) const;
};

/// A layer's deck, sorted by tile.
struct SortedDeck {
    std::map<std::string, UnfoldedDeck> tiles;  ///< by label, `t0_1`
    std::vector<std::string> rest;              ///< of no tile
};

/// @param labels   of the layer's tiles
/// @param is_flat  names end in the label, rather than stand in an instance `xt0_1`
SortedDeck sort_by_tile(const std::vector<std::string>& lines,
                        const std::vector<std::string>& labels, bool is_flat);

/// Cells of a flat deck that consist of several devices (`rxc_a_0_3` down to net `x_xc_a_0_3`, and
/// a source `bxc_a_0_3`) become parts of one instance each (`r.xc_a_0_3.r`, net `xc_a_0_3.x`).
UnfoldedDeck gather_flat_cells(const UnfoldedDeck& deck);

/// A line whose identifiers (letters, digits and `_.:#`) are replaced one by one.
template <typename Replace>
std::string with_identifiers(const std::string& line, const Replace& replace) {
    const auto is_part = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
               letter == '_' || letter == '.' || letter == ':' || letter == '#';
    };
    std::string result;
    for (std::size_t at = 0; at < line.size();) {
        std::size_t end = at;
        while (end < line.size() && is_part(line[end])) ++end;
        if (end > at)
            result += replace(line.substr(at, end - at));
        else
            result += line[end++];
        at = end;
    }
    return result;
}

}  // namespace kirchnet::detail
