#pragma once

#include <optional>
#include <string>
#include <vector>

#include "circuit/layer.hpp"
#include "data/result_file.hpp"

namespace kirchnet {

/// What records of whole circuits name as their reference: the general solver.
inline constexpr const char* whole_circuit = "circuit";

/// What one deck holds, read-out included: a tile, one column of it, or a layer.
struct WholeCircuit {
    std::string name;              ///< of the record
    std::vector<LayerTile> tiles;  ///< one, unless it is a layer
    bool is_layer = false;
    std::optional<Index> output = {};  ///< the tile's only one that is kept
    /// Nothing: ideal read-out. R_f is set; converters are left out.
    std::optional<LinearReadout> readout = {};
    CellLaw law = {};           ///< of every cell, which conducts what it should at the
    double read_voltage = 0.2;  ///< read voltage [V]
};

/// Whether a law's own gates stand above the bit line, while those of readable decks stand above
/// ground: the general circuit is then another one than the deck.
bool has_gate_in_table(const CellLaw& law);

Index cells_of(const WholeCircuit& whole);
/// Seconds that ngspice takes for it about.
double expected_seconds(const WholeCircuit& whole);

struct CircuitAgreement {
    AgreementRecord record;
    double tolerance = 0;  ///< that the two roads keep: 1e-9 of linear circuits, 1e-6 of others
};

/// The same circuit as equations of the general solver and as the readable deck in ngspice; both
/// start from the same tiles and the same drawn amplifiers, and from nothing else. Every net and
/// ammeter is compared: differences are relative to the largest voltage, the largest current, or
/// the largest of what adds up outputs. Inner nodes of amplifiers are left out, in overload they
/// say nothing. Cells of users with a gate are compared in the general circuit's own deck, since
/// their tables have gates above the bit line and readable decks above ground.
/// @param time_limit  of ngspice [s]
/// @throws NgspiceError, NotConverged, SingularSystem  from either road
CircuitAgreement check_circuit(const WholeCircuit& whole, double time_limit);

}  // namespace kirchnet
