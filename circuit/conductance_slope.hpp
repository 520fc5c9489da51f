#pragma once

#include <span>

#include "circuit/device.hpp"

namespace kirchnet {

/// What a `CustomCellLaw` is besides, where its current can be differentiated by g.
class ConductanceSlope {
  public:
    /// dI/dg at constant voltage [A/S], g as `CustomCellLaw` means it. For g = 0 the slope at which
    /// a cell begins to conduct.
    /// @param conductance  g [S], 0 or one that cells of the law may have
    /// @param voltage      [V], word line minus bit line
    virtual void conductance_slope(std::span<const double> conductance,
                                   std::span<const double> voltage,
                                   std::span<double> slope) const = 0;

  protected:
    ~ConductanceSlope() = default;
};

/// dI/dg of cells at constant voltage [A/S]: v of ohmic cells, sinh(a v) / a of sinh cells, what
/// others say of themselves.
/// @param conductance  g [S], as `ConductanceSlope::conductance_slope` takes it
/// @param voltage      [V], word line minus bit line, as many
/// @param slope        as many
/// @throws InvalidInput  where a law that a caller brought is no `ConductanceSlope`
void conductance_slope(const CellLaw& law, std::span<const double> conductance,
                       std::span<const double> voltage, std::span<double> slope);

}  // namespace kirchnet
