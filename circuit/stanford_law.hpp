#pragma once

#include "circuit/conductance_slope.hpp"
#include "circuit/device.hpp"

namespace kirchnet {

/// A filamentary cell of the Stanford-PKU model: I = i0 exp(-gap / g0) sinh(V / v0), its gap moved
/// by voltage and heat (Jiang et al., SISPAD 2014; parameters as in MemTorch).
struct StanfordCell {
    double i0 = 1e-3;           ///< [A]
    double g0 = 0.25e-9;        ///< [m]
    double v0 = 0.25;           ///< [V]
    double read_voltage = 0.2;  ///< [V] at which a cell has its target conductance
    double velocity = 10;       ///< [m/s]
    double activation = 0.6;    ///< energy [eV]
    double hop = 0.25e-9;       ///< distance between traps [m]
    double thickness = 12e-9;   ///< of the oxide [m]
    double gamma0 = 16;         ///< field enhancement: gamma0 - gamma1 (gap / 1 nm)^3
    double gamma1 = 0.8;
    double ambient = 298;               ///< [K]
    double thermal_resistance = 2.1e3;  ///< [K/W]

    friend bool operator==(const StanfordCell&, const StanfordCell&) = default;
};

/// @throws InvalidInput  naming the first parameter that is not positive and finite
void check(const StanfordCell& cell);

/// Gap [m] of a cell that carries G V_r at V_r: g0 ln(i0 sinh(V_r / v0) / (G V_r)).
/// @param conductance  G [S]
/// @throws InvalidInput  when G is not positive, or so large that the gap would be negative
double gap_for_target(const StanfordCell& cell, double conductance);
/// The conductance [S] at the read voltage of a cell with this gap; inverse of `gap_for_target`.
double conductance_of_gap(const StanfordCell& cell, double gap);
/// Current of a cell of this gap [A].
double current_of_gap(const StanfordCell& cell, double gap, double voltage);
/// d gap / dt [m/s] = -velocity exp(-q activation / kT) sinh(gamma hop q V / (thickness k T)),
/// T = ambient + |V I| thermal_resistance. A positive voltage closes the gap.
double gap_velocity(const StanfordCell& cell, double gap, double voltage);

/// What a read pulse does to a cell that a read should leave alone.
struct ReadDisturb {
    double gap = 0;              ///< before the pulse [m]
    double gap_change = 0;       ///< [m]
    double relative_change = 0;  ///< of the conductance at the read voltage
    double temperature = 0;      ///< during the pulse [K]
};

/// The change of state that a pulse would cause, its speed taken from the state before; solvers
/// keep the state as it is.
/// @param conductance  target [S]
/// @param voltage      across the cell [V]
/// @param duration     [s]
/// @throws InvalidInput  as `gap_for_target`, or when the duration is negative
ReadDisturb read_disturb(const StanfordCell& cell, double conductance, double voltage,
                         double duration);

/// Cells in read mode, their gap frozen where it gives g at the read voltage:
/// I = g V_r sinh(V / v0) / sinh(V_r / v0), in which i0 and g0 cancel.
class StanfordLaw final : public CustomCellLaw, public ConductanceSlope {
  public:
    /// @throws InvalidInput  as `check`
    explicit StanfordLaw(const StanfordCell& cell);

    [[nodiscard]] const StanfordCell& cell() const { return cell_; }
    [[nodiscard]] std::string name() const override;
    [[nodiscard]] double programmed_at() const override { return cell_.read_voltage; }
    /// Up to a gap of 0.
    [[nodiscard]] ConductanceRange conductances() const override;
    void current(std::span<const double> conductance, std::span<const double> voltage,
                 std::span<double> current) const override;
    void derivative(std::span<const double> conductance, std::span<const double> voltage,
                    std::span<double> slope) const override;
    void conductance_slope(std::span<const double> conductance, std::span<const double> voltage,
                           std::span<double> slope) const override;

  private:
    StanfordCell cell_;
    double scale_;  ///< V_r / sinh(V_r / v0) [V]
};

}  // namespace kirchnet
