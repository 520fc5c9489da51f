#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "circuit/crossbar.hpp"

namespace kirchnet {

/// A net's number inside one `Expansion`: unknown nets first, then sources, then virtual grounds.
using NetIndex = std::int32_t;
inline constexpr NetIndex cut_off_net = -1;

enum class ElementKind : std::uint8_t {
    cell,
    word_line_segment,  ///< left of its node
    bit_line_segment,   ///< below its node
    right_end,          ///< between the last node of a word line and its source
    top_end,            ///< between the first node of a bit line and its virtual ground
    word_line_bridge,   ///< between its word-line node and that of the next word line
    bit_line_bridge     ///< between its bit-line node and that of the next bit line
};

/// `xc_a_3_7`, `rwl_a_3_7` (left of the node), `rbl_a_3_7` (below the node), `rwl_a_3_r` (right end
/// of word line 3; the letter is that of its last bit line), `rbl_a_t_7` (top end of bit line 7),
/// `rwlbridge_a_3_7` (word lines 3 and 4 at bit line 7) or `rblbridge_a_3_7` (bit lines 7 and 8 at
/// word line 3).
std::string element_name(ColumnPattern pattern, ElementKind kind, Index word_line, Index bit_line);

/// One linear conductance between two different nets that both have a defined voltage. The segment
/// at a line's end includes driver or sense resistance (see `Crossbar::word_line_resistance`).
struct Element {
    ElementKind kind;
    std::int32_t word_line;
    std::int32_t bit_line;
    NetIndex from;
    NetIndex to;
    double conductance;  ///< [S]; 0 for a cell that does not conduct, so that patterns stand
};

/// Nodes without a path to any source or virtual ground: no current, no defined voltage.
struct CutOff {
    std::string net;                     ///< name of its first node
    Index nodes = 0;                     ///< how many wire nodes hang on it
    std::vector<std::string> open = {};  ///< broken segments and terminations that led to it
    Index idle_cells = 0;                ///< cells at it that conduct nothing
};

/// A crossbar as a flat list of named elements: what solver and netlist writer both start from.
/// Nodes joined by zero resistance are one net. Nets cut off from every source and ground are found
/// here, by connectivity, before any equation or deck exists; pivots are never the test for them.
struct Expansion {
    Index word_lines = 0;
    Index bit_lines = 0;
    ColumnPattern pattern = ColumnPattern::all_a;
    NetIndex unknowns = 0;                 ///< number of nets whose voltage is to be found
    std::vector<NetIndex> word_net;        ///< net of word-line node (r, c) at r * bit_lines + c
    std::vector<NetIndex> bit_net;         ///< net of bit-line node (r, c) at r * bit_lines + c
    std::vector<std::int32_t> first_node;  ///< per unknown net: its first node; word-line nodes
                                           ///< count from 0, bit-line nodes from cells()
    std::vector<Element> elements;
    std::vector<CutOff> cut_off;

    [[nodiscard]] Index cells() const { return word_lines * bit_lines; }
    [[nodiscard]] NetIndex source(Index word_line) const {
        return static_cast<NetIndex>(unknowns + word_line);
    }
    [[nodiscard]] NetIndex ground(Index bit_line) const {
        return static_cast<NetIndex>(unknowns + word_lines + bit_line);
    }
    [[nodiscard]] bool is_unknown(NetIndex net) const { return net >= 0 && net < unknowns; }
    [[nodiscard]] bool is_source(NetIndex net) const {
        return net >= unknowns && net < unknowns + word_lines;
    }
    [[nodiscard]] bool is_ground(NetIndex net) const { return net >= unknowns + word_lines; }

    /// `wl_a_3_7`, `bl_b_3_7`, `in_a_3` or `out_a_7`; a merged net goes by its first node.
    [[nodiscard]] std::string net_name(NetIndex net) const;
    [[nodiscard]] std::string element_name(const Element& element) const {
        return kirchnet::element_name(pattern, element.kind, element.word_line, element.bit_line);
    }
};

Expansion expand(const Crossbar& crossbar);

/// One line for people naming what is cut off, empty when nothing is.
std::string describe_cut_off(const Expansion& expansion);

}  // namespace kirchnet
