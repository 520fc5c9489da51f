#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "circuit/power.hpp"
#include "tools/output/plots/heat_map.hpp"

namespace kirchnet {

/// What can be shown of an array cell by cell.
enum class CellQuantity {
    conductance,
    word_line_voltage,
    bit_line_voltage,
    cell_current,
    ir_drop,      ///< what the source gives, less what the cell sees
    sensitivity,  ///< dI / dG of a bit line's current
    word_line_current,
    bit_line_current
};

std::string_view to_string(CellQuantity quantity);
/// @throws InvalidInput  naming the accepted words
CellQuantity parse_cell_quantity(std::string_view text);
const std::vector<CellQuantity>& all_cell_quantities();

/// An array at its operating point under one input.
class DrivenArray {
  public:
    /// @param inputs  read voltages [V], [word_lines]
    /// @throws Error  where cells that are not linear do not converge
    DrivenArray(Crossbar crossbar, Eigen::VectorXd inputs);

    [[nodiscard]] const Crossbar& crossbar() const { return crossbar_; }
    [[nodiscard]] const Eigen::VectorXd& inputs() const { return inputs_; }
    [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

    /// Without title; faults are marked.
    /// @param bit_line  whose current's sensitivity; below 0: of each cell's own bit line
    /// @throws InvalidInput  for a bit line that is not there
    /// @throws SingularSystem  as `SensitivitySolver` where sensitivities are asked for
    [[nodiscard]] HeatMap map(CellQuantity quantity, Index bit_line = -1) const;

  private:
    [[nodiscard]] CellMatrix values(CellQuantity quantity, Index bit_line) const;
    [[nodiscard]] CellMatrix sensitivity(Index bit_line) const;
    void add_further_ends(CellQuantity quantity, HeatMap& map) const;
    void mark_faults(HeatMap& map) const;
    void mark_lines(HeatMap& map, Index above) const;

    Crossbar crossbar_;
    Eigen::VectorXd inputs_;
    CellMatrix word_line_voltage_;
    CellMatrix bit_line_voltage_;
    LineCurrents currents_;
    std::vector<std::string> warnings_;
};

}  // namespace kirchnet
