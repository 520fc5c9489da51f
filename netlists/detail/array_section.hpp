#pragma once

#include <optional>
#include <string>

#include "circuit/elements.hpp"
#include "circuit/tile.hpp"
#include "netlists/detail/law_text.hpp"

namespace kirchnet::detail {

/// The `.param` lines of the wires' resistances, as far as they are one number.
std::string wire_parameters(const Wires& wires);

/// What of an array a section shows.
struct ArrayScope {
    std::optional<Index> output = {};  ///< as `TileDeckSettings::output`
    bool has_sources = true;           ///< false: the nets `in_a_<r>` are pins
};

/// Sources, word lines, cells and bit lines of one of a tile's arrays, up to the nets `out_a_<c>`.
/// @param inputs  [rows], of the word lines in use
std::string array_section(const Tile& tile, std::size_t array, const Expansion& circuit,
                          const Eigen::Ref<const Eigen::VectorXd>& inputs, const CellText& cell,
                          const ArrayScope& scope = {});

}  // namespace kirchnet::detail
