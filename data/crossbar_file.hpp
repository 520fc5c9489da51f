#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "circuit/crossbar.hpp"
#include "circuit/given_arrays.hpp"
#include "circuit/mapping.hpp"

namespace kirchnet {

/// Whether the file says it is a crossbar file of ours.
/// @throws InvalidInput  when it is not HDF5
bool is_crossbar_file(const std::filesystem::path& path);

/// One array with wires, faults and, where stored, intended conductance.
Crossbar read_crossbar(const std::filesystem::path& path);
void write_crossbar(const std::filesystem::path& path, const Crossbar& crossbar);

/// Where an array of a network's chip sits, and how it was driven.
struct CrossbarOrigin {
    TileKey tile;
    Mapping mapping = Mapping::two_column;
    Eigen::VectorXd read_voltage;  ///< [V], [word_lines]; empty: not recorded

    friend bool operator==(const CrossbarOrigin& x, const CrossbarOrigin& y) {
        return x.tile == y.tile && x.mapping == y.mapping &&
               x.read_voltage.size() == y.read_voltage.size() && x.read_voltage == y.read_voltage;
    }
};

/// The arrays of one tile: `X.h5`, or where there are two `X-a.h5` and `X-b.h5`.
struct TileArraysFile {
    std::vector<Crossbar> arrays;
    std::optional<CrossbarOrigin> origin;  ///< nothing: a given array of no network
};

/// @return  the files written
std::vector<std::filesystem::path> write_tile_arrays(const std::filesystem::path& path,
                                                     const TileArraysFile& tile);
/// @param path  as for `write_tile_arrays`, whichever files there are
/// @throws InvalidInput  when neither file is there, or two are not the arrays of one tile
TileArraysFile read_tile_arrays(const std::filesystem::path& path);

/// Node voltages of `kirchnet solve`: `/word_line_voltage`, `/bit_line_voltage`
/// [batch × word_lines × bit_lines], volts.
void write_voltages(const std::filesystem::path& path, const std::vector<CellMatrix>& word_line,
                    const std::vector<CellMatrix>& bit_line);

}  // namespace kirchnet
