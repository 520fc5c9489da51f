#pragma once

#include "circuit/tile.hpp"
#include "circuit/tile_amplifiers.hpp"
#include "nn/detail/amplifier_array.hpp"

namespace kirchnet::detail {

/// What a tile's amplifiers deliver for a batch of inputs.
struct SwingOutputs {
    /// What is converted [V], [outputs × inputs]: v_d of subtractors, v_o of column a elsewhere.
    Eigen::MatrixXd a;
    Eigen::MatrixXd b;  ///< v_o of column b, where the sides are converted apart
    /// Which amplifiers are saturated (`AmplifierPoint`), [amplifiers × inputs].
    Eigen::Array<bool, Eigen::Dynamic, Eigen::Dynamic> saturated;
    std::vector<int> iterations;  ///< per input, of the array that took most
    double residual = 0;          ///< as in `LineOutputs`
};

/// A tile of linear cells read through amplifiers with their swing, every input for itself.
class SwingReadout {
  public:
    /// @param ports  of the arrays as they are, per array
    SwingReadout(const Tile& tile, const std::vector<ArrayPorts>& ports,
                 const TileAmplifiers& amplifiers);

    /// Amplifiers in use: those behind an output's columns, and difference amplifiers.
    [[nodiscard]] Index amplifiers() const;

    /// @param voltages  read voltages [V], [rows × inputs]
    /// @throws NotConverged  where the amplifiers have no operating point that Newton's method
    /// finds
    [[nodiscard]] SwingOutputs solve(const Eigen::MatrixXd& voltages) const;

  private:
    [[nodiscard]] Eigen::MatrixXd fed_from_before(std::size_t array,
                                                  const std::vector<LineOutputs>& lines) const;
    void subtract(SwingOutputs& outputs) const;

    OpAmp amplifier_;
    SubtractorKind kind_;
    bool has_subtractors_;
    std::vector<AmplifierArray> arrays_;
    std::vector<TileColumn> positive_;   ///< [outputs]
    std::vector<TileColumn> negative_;   ///< [outputs], or empty
    std::vector<PairSubtractor> pairs_;  ///< [outputs], or empty
};

/// What a converter reads of a voltage that a tile's amplifiers deliver, in units of weight × input
/// of a full-scale input: -v / (R_f (G_on - G_off) V_r), of a current-mode pair the other sign.
double reading_per_volt(const Tile& tile, const TileAmplifiers& amplifiers, double read_voltage);

}  // namespace kirchnet::detail
