#pragma once

#include <filesystem>

#include "circuit/characterised_cell.hpp"

namespace kirchnet {

/// A characterised cell with what its table was found to be worth.
struct CellRecord {
    CellSurface surface;
    std::string source;                ///< the file that describes the subcircuit
    double largest_error = 0;          ///< |dI| / |I| at held-out states and voltages
    double rms_error = 0;              ///< of the same
    double largest_error_of_read = 0;  ///< |dI| / current at the read voltage
    std::size_t held_out = 0;          ///< places compared
    double ground_dependence = 0;      ///< relative, of lifting the cell 10 mV
};

/// @throws FileError  when the file cannot be written
void write_cell(const std::filesystem::path& path, const CellRecord& cell);
/// @throws InvalidInput  naming file and key
CellRecord read_cell(const std::filesystem::path& path);

}  // namespace kirchnet
