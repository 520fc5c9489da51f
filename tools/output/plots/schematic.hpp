#pragma once

#include <optional>
#include <string>
#include <vector>

#include "circuit/crossbar.hpp"
#include "circuit/readout.hpp"

namespace kirchnet {

/// Most word lines and bit lines of an array that a schematic shows: beyond, nothing can be read at
/// normal size.
inline constexpr Index largest_schematic = 8;

/// A bit line of one of a schematic's arrays.
struct SchematicColumn {
    std::size_t array = 0;
    Index bit_line = 0;
};

/// What becomes of one output's bit lines.
struct SchematicOutput {
    std::string name;  ///< `sub_0`
    SchematicColumn a;
    std::optional<SchematicColumn> b;  ///< subtracted
};

/// A tile as circuit: sources, drivers, wires with their values, cells with conductance and fault,
/// the read-out. Names are those of decks.
struct Schematic {
    std::string title = {};
    std::string description = {};  ///< for screen readers; empty: sizes and faults in words
    std::vector<Crossbar> arrays = {};
    Eigen::VectorXd inputs = {};  ///< read voltages [V], [word_lines]
    std::vector<SchematicOutput> outputs = {};
    Readout readout = Readout::ideal;
    SubtractorCircuit circuit = {};  ///< of amplifiers
};

/// @throws InvalidInput  without arrays, when one is larger than `largest_schematic`, or inputs or
///                       outputs do not fit the arrays
std::string schematic(const Schematic& drawing);

}  // namespace kirchnet
