#pragma once

#include <vector>

#include "circuit/power.hpp"
#include "nn/drive.hpp"
#include "nn/operators.hpp"
#include "nn/tiling.hpp"

namespace kirchnet {

/// One array of a tile.
struct ArrayStress {
    ColumnPattern pattern = ColumnPattern::all_a;
    ArrayPower mean;           ///< over all images, positions and reads
    SegmentCurrent word_line;  ///< worst of the strongest inputs
    SegmentCurrent bit_line;
};

struct TilePower {
    TilePlace place;
    std::vector<ArrayStress> arrays;
    ReadoutPower readout;  ///< mean, of all its amplifiers; 0 where the read-out is ideal
};

struct LayerPower {
    std::size_t layer = 0;
    std::size_t reads = 0;  ///< of one image
    std::vector<TilePower> tiles;

    [[nodiscard]] std::size_t arrays() const;
    /// All arrays while the layer is read [W].
    [[nodiscard]] ArrayPower array_power() const;
    [[nodiscard]] ReadoutPower readout_power() const;
    /// What one image costs [J], with so long a read [s].
    [[nodiscard]] double energy_per_image(double read_time) const;
};

/// @param chip    of linear cells; amplifiers count where it has a read-out
/// @param drive   observed with the same tiles
/// @param solver  makes engines that know node voltages
/// @return        per layer of `drive`
std::vector<LayerPower> network_power(const Graph& graph, const ChipSettings& chip,
                                      const std::vector<LayerDrive>& drive,
                                      const AmplifierSupply& supply, const SolverFactory& solver,
                                      const Progress& progress = {});

}  // namespace kirchnet
