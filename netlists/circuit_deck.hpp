#pragma once

#include <string>
#include <string_view>

#include "circuit/circuit.hpp"

namespace kirchnet {

/// For whom a circuit's deck is written.
enum class DeckDialect {
    ngspice,  ///< B sources for what plain SPICE has no element for
    portable  ///< R, V and E alone, which any simulator since SPICE3 reads
};

std::string_view to_string(DeckDialect dialect);
/// @throws InvalidInput  naming the accepted words
DeckDialect parse_deck_dialect(std::string_view text);

/// A circuit as a flat deck, one line per device, in the order of the devices. Sources are constant
/// or piecewise linear, `.options` tight enough for twelve digits. Cells that users described call
/// their own subcircuit; what has a gate as a part of its law has it above its net 1. Ends with
/// `.end`, holds no control block.
/// @throws InvalidInput  naming the first device or net that the dialect has no text for: a net or
///                       device whose name is no SPICE name, two devices that would bear one name,
///                       a cell of a caller's law without SPICE text, two cells of users whose
///                       subcircuits share a name and not the text; in `portable` anything but
///                       resistors, linear cells, voltage sources and voltage-controlled ones
std::string write_circuit_deck(const Circuit& circuit, const std::string& title,
                               DeckDialect dialect = DeckDialect::ngspice);

/// What a device is called in the deck: SPICE tells elements apart by their first letter, so a
/// name that starts with another one gets it in front (`xc_a_3_7`, a cell: `rxc_a_3_7`).
std::string deck_name(const CircuitDevice& device);

/// The vector ngspice gives the current of a voltage source (of any kind) in, `vs_a_3#branch`,
/// counted from net 0 through the source to net 1.
/// @throws InvalidInput  for a device without one
std::string deck_current(const CircuitDevice& device);

}  // namespace kirchnet
