#pragma once

#include <optional>
#include <string>
#include <vector>

#include "circuit/conductance_slope.hpp"
#include "circuit/device.hpp"

namespace kirchnet {

/// One measured point of a cell's I-V curve.
struct CurveSample {
    double voltage = 0;  ///< [V]
    double current = 0;  ///< [A], of a cell of any one conductance
};

/// A cell's law from samples of its curve, joined by straight lines: I = g f(v), where f is the odd
/// function through the samples, scaled to slope 1 at 0 V. Solver and deck (SPICE's pwl) use the
/// same straight lines. Beyond the last sample the last line goes on, so that iterations that pass
/// there return; `reach` is where the samples end.
class TableLaw final : public CustomCellLaw, public ConductanceSlope {
  public:
    /// @param name     of the law, for messages and files: `table:cell.csv`
    /// @param samples  at v >= 0, the first at (0, 0), voltages and currents rising
    /// @throws InvalidInput  naming the first sample that is not so, counted from 1
    TableLaw(std::string name, const std::vector<CurveSample>& samples);

    [[nodiscard]] std::string name() const override { return name_; }
    [[nodiscard]] double reach() const override { return voltage_.back(); }
    void current(std::span<const double> conductance, std::span<const double> voltage,
                 std::span<double> current) const override;
    void derivative(std::span<const double> conductance, std::span<const double> voltage,
                    std::span<double> slope) const override;
    void conductance_slope(std::span<const double> conductance, std::span<const double> voltage,
                           std::span<double> slope) const override;

    /// The samples at v >= 0 as f: voltage [V], and f [V] in the place of the current.
    [[nodiscard]] std::vector<CurveSample> shape() const;

  private:
    /// Which line the voltage lies on.
    [[nodiscard]] std::size_t line_at(double magnitude) const;

    std::string name_;
    std::vector<double> voltage_;  ///< [samples]
    std::vector<double> value_;    ///< [samples], f at them [V]
    std::vector<double> slope_;    ///< [samples - 1], of f, 1 for the first
};

/// What is wrong with one sample after those before it, or nothing.
/// @param before  the sample before, or null for the first
std::optional<std::string> problem_of(const CurveSample& sample, const CurveSample* before);

/// The table behind a law, or null.
const TableLaw* table_of(const CellLaw& law);

}  // namespace kirchnet
