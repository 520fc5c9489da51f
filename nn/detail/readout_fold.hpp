#pragma once

#include <vector>

#include "circuit/operating_point_solver.hpp"
#include "circuit/tile.hpp"
#include "circuit/tile_amplifiers.hpp"
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

/// The reference columns of all arrays together, ideally added: [1 × rows].
TileReadout read_reference_ideally(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers);

/// What the amplifiers behind the bit lines of each array deliver within their swing: voltages
/// `constant` - R_f `slope` V, R_f as designed. Of a current-mode pair's column b it is the
/// difference.
struct AmplifierOutputs {
    std::vector<Eigen::MatrixXd> slope;     ///< per array [bit_lines × rows] [S]
    std::vector<Eigen::VectorXd> constant;  ///< per array [bit_lines] [V]
};

/// Whether amplifiers of this read-out look alike to an array, as one resistance and one voltage:
/// then transfer matrices with that resistance in the wires tell all, whatever the engine.
bool are_alike(const LinearReadout& readout, const TileSettings& settings);

/// Amplifiers that are alike.
/// @param transfers  of arrays whose wires have the amplifiers' input resistance; of the bit lines
///                   that are read
AmplifierOutputs outputs_of_alike(const Tile& tile, const std::vector<Eigen::MatrixXd>& transfers,
                                  const TileAmplifiers& amplifiers);

/// Amplifiers of any values, and of both kinds of subtractor.
/// @param ports  of the arrays as they are, per array
AmplifierOutputs outputs_of_drawn(const Tile& tile, const std::vector<ArrayPorts>& ports,
                                  const TileAmplifiers& amplifiers);

/// The outputs of the subtractors, or of the amplifiers where there are none, behind hold stages
/// where there are any.
/// @param read_voltage  V_r of a full-scale input [V]
TileReadout read_by_amplifiers(const Tile& tile, const AmplifierOutputs& outputs,
                               const TileAmplifiers& amplifiers, double read_voltage);

/// One side of every output behind its transimpedance amplifier, without a subtractor.
TileReadout read_side_by_amplifiers(const Tile& tile, const AmplifierOutputs& outputs,
                                    Polarity side, const TileAmplifiers& amplifiers,
                                    double read_voltage);

/// The reference columns of all arrays together, as their amplifiers deliver them: [1 × rows].
TileReadout read_reference_by_amplifiers(const Tile& tile, const AmplifierOutputs& outputs,
                                         const TileAmplifiers& amplifiers, double read_voltage);

/// What hold stages add to a sample, rms, in units of weight × input; 0 without them.
/// @param feedback  R_f [ohm]
double sample_noise(const TileSettings& settings, const LinearReadout& readout, double feedback);

/// R_f of a layer: the one given, or 0.8 swing over the largest current that a column of its
/// arrays as designed delivers with every input at full scale [ohm].
double layer_feedback(const Graph& graph, std::size_t layer, const TileSettings& settings,
                      const LinearReadout& readout);

}  // namespace kirchnet::detail
