#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "circuit/tile_amplifiers.hpp"
#include "netlists/netlist_writer.hpp"

namespace kirchnet::detail {

/// Amplifiers as they stand in a deck.
struct DeckAmplifiers {
    TileAmplifiers values;
    /// The largest column current that R_f follows from [A]; nothing where R_f is given.
    std::optional<double> largest_current;
};

/// Those of a tile.
/// @param inputs  [rows]; they decide R_f where the settings leave it open
/// @throws InvalidInput  when a value makes no amplifier
DeckAmplifiers deck_amplifiers(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                               const LinearReadout& readout);

/// Their parameters: `a0 gbw vos vsat rf`, and those of subtractors, hold and converter.
std::string amplifier_parameters(const Tile& tile, const DeckAmplifiers& amplifiers);

/// What stands between the nets `out_*` and the outputs: ammeters, amplifiers, subtractors.
/// @param amplifiers  null: an ideal read-out
/// @param shares      of the reference currents, as in `TileDeckSettings`
/// @param output      the only one that is there, as `TileDeckSettings::output`; empty: all
/// @throws InvalidInput  when they are not of this tile, or not for this read-out
std::string readout_section(const Tile& tile, const DeckAmplifiers* amplifiers,
                            const Eigen::MatrixXd& shares, const std::optional<Index>& output = {});

/// The same in SPICE3's R, V and E: ammeters, or amplifiers without swing; no hold, no converter.
std::string plain_readout_section(const Tile& tile, const DeckAmplifiers* amplifiers,
                                  const std::optional<Index>& output);

/// Vectors of that which SPICE3 is to print: `i(vs_a_0)`, `v(sub_0)`.
std::vector<std::string> plain_outputs(const Tile& tile, const DeckAmplifiers* amplifiers,
                                       const std::optional<Index>& output);

/// The `.control` block: solves, and prints every column current and output with its name.
std::string control_section(const Tile& tile, const DeckAmplifiers* amplifiers,
                            const Eigen::MatrixXd& shares, const std::optional<Index>& output = {});

/// Ends a `.control` block: exit status 0 only if `net` has a voltage.
std::string control_end(std::string_view net);

}  // namespace kirchnet::detail
