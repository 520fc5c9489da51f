#pragma once

#include <vector>

#include "nn/converters.hpp"
#include "nn/inference.hpp"
#include "nn/operators.hpp"
#include "nn/tiling.hpp"

namespace kirchnet {

/// What images put on the word lines of the tiles that share some of a layer's rows. Power is a
/// quadratic form of the read voltages, so its mean over any number of inputs is the sum of the
/// powers of `modes`: as many solves as word lines, exact (docs/methods/power.md).
struct RowDrive {
    std::size_t group = 0;
    std::size_t first_row = 0;  ///< within the group's weight matrix
    std::size_t rows = 0;
    /// Σ m mᵀ = E[v vᵀ] over images, output positions and reads [V], [rows × at most rows]
    Eigen::MatrixXd modes;
    /// The inputs of largest Σ|v|, no two alike, largest first [V], [rows × at most as asked]
    Eigen::MatrixXd strongest;
};

struct LayerDrive {
    std::size_t layer = 0;  ///< among the graph's mapped layers
    std::size_t reads = 0;  ///< of one image: output positions times reads of the DAC
    std::vector<RowDrive> rows;
};

struct DriveSettings {
    TileSettings tile;
    double read_voltage = 0.2;        ///< of a full-scale input [V]
    std::size_t strongest = 8;        ///< inputs kept per range of rows
    std::vector<std::size_t> layers;  ///< to be looked at, ascending
};

/// Activations of the software network through DACs, at every output position. Does not depend on
/// the number of threads.
/// @param dacs  per mapped layer
/// @throws InvalidInput  unless the read voltage is finite and above 0
std::vector<LayerDrive> observe_drive(const Graph& graph, const std::vector<Dac>& dacs,
                                      const LabelledImages& images, const DriveSettings& settings,
                                      const Progress& progress = {});

/// What was observed of the rows that a tile has.
/// @throws InvalidInput  when the drive was observed with other tiles
const RowDrive& drive_of_tile(const Graph& graph, const LayerDrive& drive, const Tile& tile);

}  // namespace kirchnet
