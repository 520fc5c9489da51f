#pragma once

#include <set>
#include <string>

#include "circuit/fault.hpp"
#include "circuit/mapping.hpp"
#include "circuit/readout.hpp"
#include "netlists/detail/law_text.hpp"

namespace kirchnet::detail {

/// A working cell, `cell_stuck_off`, `cell_stuck_on`, `cell_open`, and those that only some decks
/// need: `cell_varied`, and one for each rarer fault among `faults`. What is stuck keeps its access
/// device.
std::string cell_subcircuits(const CellText& cell, const DeviceRange& device, bool has_varied_cells,
                             const std::set<Fault>& faults);

/// `opamp`, `tia` and, for column pairs, `diffamp` or `summer`; `sh` and `adc` where the circuit
/// has them; see docs/methods/read-out.md.
std::string amplifier_subcircuits(const SubtractorCircuit& circuit, bool has_subtractors);

}  // namespace kirchnet::detail
