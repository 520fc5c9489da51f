#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "circuit/tile.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_settings.hpp"

namespace kirchnet {

/// What became of a part of a tile's deck.
enum class DeckChangeKind {
    cell,       ///< conducts something else, nothing, or anew [S]
    segment,    ///< of a word or bit line [ohm]
    driver,     ///< of a word line [ohm]
    sense,      ///< read-out input of a bit line [ohm]
    source,     ///< read voltage of a word line [V]
    rewired,    ///< hangs on other nets than it did
    renamed,    ///< the same part between the same nets goes by another name
    device,     ///< of read-out or unknown to the writer: another text
    missing,    ///< of read-out: is there no more
    added,      ///< was not there
    parameter,  ///< `.param`, told beside what it changes
    subcircuit  ///< `.subckt`, likewise
};

std::string_view to_string(DeckChangeKind kind);

struct DeckChange {
    DeckChangeKind kind = DeckChangeKind::cell;
    std::string name;                   ///< as the original deck has it: `xc_a_12_40`
    std::optional<CellPosition> cell;   ///< of cells
    std::optional<double> before = {};  ///< S of cells, ohm of wires (infinite: absent), V
    std::optional<double> after = {};   ///< likewise
    std::string text_before = {};       ///< where there are no two numbers
    std::string text_after = {};
    std::size_t line = 0;  ///< of the edited deck, from 1; 0: it has none
};

/// An edited deck against the one it was made from.
struct DeckReading {
    std::vector<DeckChange> changes;  ///< in the order of the deck
    /// The tile's arrays with the edited conductances and wires; what did not change is the
    /// original's to the last digit.
    std::vector<Crossbar> arrays;
    /// Read voltages [V] per array, [word_lines].
    std::vector<Eigen::VectorXd> voltages;
    /// What the deck has that arrays and read voltages cannot hold, one line each; empty: the
    /// arrays are all of it.
    std::vector<std::string> beyond;
};

/// What of a deck is held against the original's.
enum class Compared {
    everything,  ///< both decks were written by one program for one tile
    arrays       ///< the original was written from arrays alone: read-out, parameters and
                 ///< subcircuits are left out
};

/// What a deck was written with beside its tile, as `TileDeckSettings` has it.
struct DeckTerms {
    CellLaw law = {};                  ///< of every cell
    double read_voltage = 0.2;         ///< at which cells have their conductance [V]
    std::optional<Index> output = {};  ///< the only one whose bit lines are there
};

/// Reads a tile's deck back: ngspice unfolds both decks, so that parameters, subcircuits and
/// expressions mean what they mean to ngspice. Flat and hierarchical decks alike, if both are.
/// A changed cell that is not of resistors alone conducts what ngspice finds for it at the read
/// voltage; its currents at half of that and at the opposite voltage decide whether it is still a
/// cell of the law (1e-6 of the current at the read voltage).
/// @param original  deck of `tile` as it was written
/// @throws InvalidInput  when ngspice refuses the edited deck, with its words and, where they tell,
///                       the line; when it takes longer than its limit; when the deck holds none of
///                       the tile's parts
DeckReading read_deck(const std::string& edited, const std::string& original, const Tile& tile,
                      Compared compared = Compared::everything,
                      const NgspiceSettings& settings = {}, const DeckTerms& terms = {});

/// An edited deck of a layer against the one it was made from.
struct LayerReading {
    std::vector<DeckReading> tiles;   ///< in the order given
    std::vector<DeckChange> changes;  ///< of what tiles share: inputs, sums, parameters, additions
    /// What of that neither arrays nor read voltages can hold.
    std::vector<std::string> beyond;
};

/// The same for a layer's deck, flat or hierarchical: everything is compared.
/// @param original  deck of `tiles` as it was written
/// @throws InvalidInput  as `read_deck`, and when a tile is gone as a whole
LayerReading read_layer_deck(const std::string& edited, const std::string& original,
                             const std::vector<LayerTile>& tiles,
                             const NgspiceSettings& settings = {}, const DeckTerms& terms = {});
/// The same against arrays alone: read-out, sums, parameters and subcircuits are left out.
/// @param tiles   hold the arrays and how they were driven; their weights say nothing
/// @param labels  of the tiles in the deck: `t0_1`, with slices `t0_1_s2`
LayerReading read_layer_arrays(const std::string& edited, const std::vector<LayerTile>& tiles,
                               const std::vector<std::string>& labels,
                               const NgspiceSettings& settings = {}, const DeckTerms& terms = {});

/// Whether a deck is of the flat form (cells are elements, `rxc_a_0_0`) rather than the readable
/// one (instances, `xc_a_0_0`).
bool is_flat_deck(const std::string& deck);
/// Whether a deck is of a layer (`xt0_1`, or names that end in `_t0_1`) rather than of a tile.
bool is_layer_deck(const std::string& deck);
/// The only output that a deck says it shows (`--column`); nothing: all.
std::optional<Index> output_of_deck(const std::string& deck);

}  // namespace kirchnet
