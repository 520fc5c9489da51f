#pragma once

#include <string>

#include "circuit/access.hpp"
#include "circuit/device.hpp"
#include "circuit/elements.hpp"

namespace kirchnet::detail {

/// Cells of one law as subcircuits of a readable deck. All of a tile's cells, faulty ones too, have
/// the same body; they differ in name and in g.
struct CellText {
    std::string name;           ///< of a working cell: `cell_1r`, `cell_1t1r`
    std::string pins;           ///< `wl bl`, or `wl bl sel`
    std::string parameters;     ///< with defaults, beside g: ` ron=1e3`
    std::string body;           ///< lines in terms of the pins, g and the parameters
    std::string definitions;    ///< that stand before the subcircuits
    CellLaw law;                ///< tells the state of cells that users described
    double select_voltage = 0;  ///< of the select lines [V], where there is a pin for them
    AccessResistance access;

    [[nodiscard]] bool has_select() const { return pins.ends_with(" sel"); }
};

/// @param read_voltage  [V] at which g is the cell's conductance
/// @throws InvalidInput  for laws without SPICE text
CellText cell_text(const CellLaw& law, double read_voltage, const AccessResistance& access);

/// What flat decks of cells of this law define before their elements; often nothing.
std::string flat_definitions(const CellLaw& law);
/// One cell of a flat deck, as the law sees it: what has a gate has it above the bit line.
/// @param name  of the element; the lines' own names are made from it
/// @throws InvalidInput  for laws without SPICE text
std::string flat_cell(const CellLaw& law, const std::string& name, const std::string& word_net,
                      const std::string& bit_net, double conductance);

}  // namespace kirchnet::detail
