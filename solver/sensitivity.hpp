#pragma once

#include <optional>
#include <vector>

#include "circuit/crossbar.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/port_tree.hpp"

namespace kirchnet {

/// Which road leads to the adjoint voltages.
enum class AdjointRoad : std::uint8_t {
    fastest,  ///< port merging where it reaches, else the nodal equations
    nodal     ///< the nodal equations, to compare with
};

/// How the bit-line currents of an array at its operating point answer to its cells, for any law of
/// cells and any wires, bridges included: dI_c / dG_ij = (di/dG at u_ij) (-a_ij), u the cell's
/// voltage and a its voltage in the adjoint network, which is the same array with every cell's
/// slope di/dv at u for its conductance, all sources at 0 V and 1 V on ground c alone (Director and
/// Rohrer, IEEE Trans. Circuit Theory 16, 1969; docs/methods/sensitivities.md).
///
/// G is what `Crossbar::conductance` holds: a cell's own conductance as a whole, at the voltage
/// that its law means; I_c is what engines report, the ends of a bit line together. A cell of 0 S
/// has the answer to its first siemens. 0 where nothing that a cell could do matters: a fault
/// interrupts it, or one of its nodes is cut off. One object serves one thread.
class SensitivitySolver {
  public:
    /// Linearises the array and eliminates its inner nodes once.
    /// @param word_line_voltage  at the operating point [V], [word_lines × bit_lines], NaN where a
    ///                           node is cut off, as engines give it
    /// @param bit_line_voltage   likewise
    /// @throws InvalidInput  where voltages have another shape than the array, a cell's slope is
    ///                       beyond what a double holds, or a law that a caller brought is no
    ///                       `ConductanceSlope`
    SensitivitySolver(const Crossbar& crossbar, const CellMatrix& word_line_voltage,
                      const CellMatrix& bit_line_voltage, AdjointRoad road = AdjointRoad::fastest);

    /// dI_c / dG_ij [A/S], [word_lines × bit_lines], for each of `bit_lines`.
    /// @throws InvalidInput    naming a bit line that is not there
    /// @throws SingularSystem  as `NodalSolver::solve`, where port merging does not reach
    [[nodiscard]] std::vector<CellMatrix> of_bit_lines(const std::vector<Index>& bit_lines);

    /// dI_j / dG_ij [A/S], [word_lines × bit_lines]: of the bit line that the cell is on.
    /// @throws SingularSystem  likewise
    [[nodiscard]] CellMatrix of_own_bit_lines();

  private:
    /// Adjoint voltage from bit line to word line of each cell [V], one matrix per bit line.
    [[nodiscard]] std::vector<CellMatrix> adjoint_drops(const std::vector<Index>& bit_lines);

    CellMatrix slope_;     ///< di/dG [A/S]; 0 where nothing matters
    Crossbar linearised_;  ///< with di/dv for conductances
    std::optional<PortTree> tree_;
    NodalSolver nodal_;
};

}  // namespace kirchnet
