#pragma once

#include <filesystem>
#include <string>

#include "circuit/crossbar.hpp"
#include "circuit/faults.hpp"

namespace kirchnet {

/// Whether the file says it is a crossbar file of ours.
/// @throws InvalidInput  when it is not HDF5
bool is_crossbar_file(const std::filesystem::path& path);

/// One array with wires, faults and, where stored, intended conductance.
Crossbar read_crossbar(const std::filesystem::path& path);
void write_crossbar(const std::filesystem::path& path, const Crossbar& crossbar);

/// Cell by cell; `origin` says how it came to be (law, seed, trial), in words.
FaultMap read_fault_map(const std::filesystem::path& path);
void write_fault_map(const std::filesystem::path& path, const FaultMap& faults,
                     const std::string& origin);

/// Node voltages of `kirchnet solve`: `/word_line_voltage`, `/bit_line_voltage`
/// [batch × word_lines × bit_lines], volts.
void write_voltages(const std::filesystem::path& path, const std::vector<CellMatrix>& word_line,
                    const std::vector<CellMatrix>& bit_line);

}  // namespace kirchnet
