#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "circuit/geometry.hpp"

namespace kirchnet {

/// Where a cell or node sits: polarity of its bit line, then physical position from zero.
struct CellPosition {
    Polarity polarity = Polarity::a;
    Index word_line = 0;
    Index bit_line = 0;

    friend bool operator==(const CellPosition&, const CellPosition&) = default;
};

/// Names shared by messages, result files and SPICE decks. Lower case, zero-based, not padded.
/// In an interleaved array `bit_line` is still the physical one: `xc_a_3_6`, `xc_b_3_7`.
std::string cell_name(const CellPosition& position);           ///< instance `xc_a_3_7`
std::string word_line_node(const CellPosition& position);      ///< `wl_a_3_7`
std::string bit_line_node(const CellPosition& position);       ///< `bl_a_3_7`
std::string input_node(ColumnPattern array, Index word_line);  ///< source terminal `in_a_3`
std::string sense_node(Polarity polarity, Index bit_line);     ///< virtual ground `out_a_7`

/// The letters an array goes by: `a`, `b`, or `ab` where both polarities share it.
std::string_view array_letters(ColumnPattern pattern);

/// The position a cell instance name stands for; empty when `name` is no cell name.
std::optional<CellPosition> parse_cell_name(std::string_view name);

/// A layer name as SPICE accepts it: dots and other signs become `_`, letters lower case.
std::string spice_identifier(std::string_view name);

}  // namespace kirchnet
