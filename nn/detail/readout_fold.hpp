#pragma once

#include <vector>

#include "circuit/tile.hpp"
#include "nn/graph.hpp"
#include "nn/operators.hpp"

namespace kirchnet::detail {

/// What a tile's read-out delivers: `transfer` times the read voltages plus what it delivers
/// without any.
struct TileReadout {
    Eigen::MatrixXd transfer;     ///< [outputs × rows], of I_a - I_b as it is read [S]
    Eigen::VectorXd offset = {};  ///< [outputs], weight × input units; or empty
};

/// One side of every output, T_a or T_b over the used rows.
/// @param transfers  per array, [bit_lines × word_lines]
TileReadout read_side_ideally(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers,
                              Polarity side);

/// Ideal subtraction: T_a - T_b over the used rows.
TileReadout read_ideally(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers);

/// Amplifiers and subtractors folded in (docs/methods/read-out.md).
/// @param transfers  of arrays whose wires have the amplifiers' input resistance
/// @param feedback   R_f [ohm]
TileReadout read_by_amplifiers(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers,
                               const LinearReadout& readout, double feedback);

/// One side of every output behind its transimpedance amplifier, without a subtractor.
TileReadout read_side_by_amplifiers(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers,
                                    Polarity side, const LinearReadout& readout, double feedback);

/// The reference columns of all arrays together, ideally added: [1 × rows].
TileReadout read_reference_ideally(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers);

/// The same of what their transimpedance amplifiers deliver.
TileReadout read_reference_by_amplifiers(const Tile& tile,
                                         const std::vector<Eigen::MatrixXd>& transfers,
                                         const LinearReadout& readout, double feedback);

/// R_f of a layer: the one given, or 0.8 swing over the largest current that a column of its
/// arrays as designed delivers with every input at full scale [ohm].
double layer_feedback(const Graph& graph, std::size_t layer, const TileSettings& settings,
                      const LinearReadout& readout);

}  // namespace kirchnet::detail
