#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "circuit/crossbar.hpp"

namespace kirchnet {

/// What a solver found for a batch of inputs.
struct OperatingPoint {
    Eigen::MatrixXd current;  ///< bit-line currents [A], [bit_lines × batch], out of the array
    /// Node voltages [V], one [word_lines × bit_lines] matrix per input; NaN where a node is cut
    /// off. Empty unless asked for.
    std::vector<CellMatrix> word_line_voltage;
    std::vector<CellMatrix> bit_line_voltage;
    double residual = 0;  ///< largest Kirchhoff residual over all nets relative to the largest
                          ///< branch current met there; NaN where the engine reports none
    /// Per input: passes and steps of an engine that iterates over nonlinear cells; else empty.
    std::vector<int> iterations;
    std::vector<std::string> warnings;
};

enum class Voltages : bool { skip, keep };

/// An array as its sources and read-out inputs see it: with read voltages V and sense nodes held at
/// v, the currents out of the array are I = T V - Y v.
struct ArrayPorts {
    Eigen::MatrixXd transfer;          ///< T [S], [bit_lines × word_lines]
    Eigen::MatrixXd sense_admittance;  ///< Y_BB [S], [bit_lines × bit_lines], symmetric
};

/// One road from a crossbar and its read voltages to currents: ideal, nodal, transfer, ngspice.
/// Linear cells: the current is `transfer(crossbar) * inputs` up to rounding.
class OperatingPointSolver {
  public:
    OperatingPointSolver() = default;
    OperatingPointSolver(const OperatingPointSolver&) = delete;
    OperatingPointSolver& operator=(const OperatingPointSolver&) = delete;
    virtual ~OperatingPointSolver() = default;

    /// `ideal`, `nodal`, `transfer`, `ngspice`.
    [[nodiscard]] virtual std::string_view name() const = 0;

    /// @param inputs  read voltages [V], [word_lines × batch], finite
    /// @throws InvalidInput    when `inputs` has another number of rows or holds NaN or infinity
    /// @throws SingularSystem  naming the net where elimination failed
    [[nodiscard]] virtual OperatingPoint solve(const Crossbar& crossbar,
                                               const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                               Voltages voltages) = 0;

    /// The transfer matrix T [S], [bit_lines × word_lines], I = T V.
    /// @throws InvalidInput  unless the cells are linear
    [[nodiscard]] Eigen::MatrixXd transfer(const Crossbar& crossbar) {
        return transfer_rows(crossbar, crossbar.shape().bit_lines);
    }

    /// The first `bit_lines` rows of T: all that an array needs of which only those are read. By
    /// default one solve per word line.
    /// @throws SingularSystem  naming the net where elimination failed
    [[nodiscard]] virtual Eigen::MatrixXd transfer_rows(const Crossbar& crossbar, Index bit_lines);

    /// T and Y_BB of linear cells: what amplifiers need that hold no ideal ground.
    /// @throws InvalidInput  when this engine knows no admittances (`ideal`, `ngspice`), or the
    /// cells
    ///                       are not linear
    [[nodiscard]] virtual ArrayPorts ports(const Crossbar& crossbar);
};

/// The check every engine makes at its door.
/// @throws InvalidInput  as `OperatingPointSolver::solve` states
void check_inputs(const Crossbar& crossbar, const Eigen::Ref<const Eigen::MatrixXd>& inputs);

/// What engines and matrices that know ohmic cells only say to others.
/// @param who  `engine transfer`, `a transfer matrix`
/// @throws InvalidInput  where the cells' law is not linear
void require_linear_cells(const Crossbar& crossbar, std::string_view who);

}  // namespace kirchnet
