#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "circuit/error.hpp"
#include "netlists/deck_reading.hpp"
#include "netlists/detail/deck_parts.hpp"
#include "netlists/detail/deck_source.hpp"
#include "netlists/detail/unfolded_deck.hpp"

namespace kirchnet::detail {

/// Where the parts of a tile stand in the edited deck.
struct TileLines {
    const DeckSource& source;
    std::string label = {};  ///< `t0_1` in a layer's deck
    bool is_flat = false;

    /// 0: nowhere
    [[nodiscard]] std::size_t line_of(const std::string& name) const;
};

/// An edited deck's text, unfolded.
/// @throws InvalidInput  with ngspice's words and, where they tell, the line
std::vector<std::string> unfold_edited(const DeckSource& source, const NgspiceSettings& settings);

/// @throws InvalidInput  what ngspice says of the edited deck, with the line where it tells
[[noreturn]] void refuse(const DeckSource& source, const NgspiceError& error);

/// What a function of ngspice returns for the edited deck.
template <typename Function>
auto of_edited(const DeckSource& source, const Function& function) {
    try {
        return function();
    } catch (const NgspiceError& error) {
        refuse(source, error);
    }
}

/// Parts of a deck or of a tile in it; ngspice is asked about resistors with more than a number.
/// @param deck  the whole of it
/// @throws NgspiceError  as `run_operating_point`
DeckParts parts_of(const UnfoldedDeck& unfolded, const std::string& deck,
                   const NgspiceSettings& settings);

/// Names as in a tile's readable deck; cells of a flat deck are single elements as long as they are
/// ohmic.
UnfoldedDeck gathered(const UnfoldedDeck& deck, bool is_flat, const CellLaw& law);

/// Whether two numbers of unfolded decks mean the same.
bool is_same_number(double before, double after);

/// Compares a tile's parts.
/// @param outer_nets  what a layer calls nets of the tile: `in_a_3` -> `x_5_0_1`
DeckReading read_tile(const Tile& tile, const TileLines& lines, const DeckTerms& terms,
                      Compared compared, const DeckParts& original, const DeckParts& edited,
                      const NgspiceSettings& settings,
                      const std::map<std::string, std::string>& outer_nets = {});

/// What changed in the text itself, told beside what it changes in the circuit.
/// @param left_out  how names of subcircuits begin that are compared part by part; empty: none
void compare_texts(const DeckSource& original, const DeckSource& edited,
                   std::vector<DeckChange>& changes, std::string_view left_out = {});

}  // namespace kirchnet::detail
