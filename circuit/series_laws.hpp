#pragma once

#include "circuit/conductance_slope.hpp"
#include "circuit/device.hpp"

namespace kirchnet {

// Cells of two devices in series: an ohmic memory element of conductance g_m at the word line, and
// behind it a selector or a transistor down to the bit line. A cell is told by its conductance g at
// the read voltage V_r as a whole; g_m is what it takes to get that: the pre-compensation of what
// the access device drops.

/// 1S1R: a selector I = saturation sinh(V / slope).
struct Selector {
    double saturation = 1e-6;   ///< Is [A]
    double slope = 0.02;        ///< Vs [V]
    double read_voltage = 0.2;  ///< V_r [V]
    friend bool operator==(const Selector&, const Selector&) = default;
};

/// V = I / g_m + Vs asinh(I / Is), solved for the inner node by Newton steps that cannot overshoot.
class SelectorLaw final : public CustomCellLaw, public ConductanceSlope {
  public:
    /// @throws InvalidInput  naming the parameter that is not positive and finite
    explicit SelectorLaw(const Selector& selector);

    [[nodiscard]] const Selector& selector() const { return selector_; }
    /// g_m [S] of a cell of conductance g: g V_r / (V_r - Vs asinh(g V_r / Is)).
    /// @param conductance  g, within `conductances()`
    [[nodiscard]] double element_conductance(double conductance) const;
    [[nodiscard]] std::string name() const override;
    [[nodiscard]] double programmed_at() const override { return selector_.read_voltage; }
    /// Less than Is sinh(V_r / Vs) / V_r, where the selector alone takes all of V_r.
    [[nodiscard]] ConductanceRange conductances() const override;
    void current(std::span<const double> conductance, std::span<const double> voltage,
                 std::span<double> current) const override;
    void derivative(std::span<const double> conductance, std::span<const double> voltage,
                    std::span<double> slope) const override;
    void conductance_slope(std::span<const double> conductance, std::span<const double> voltage,
                           std::span<double> slope) const override;

  private:
    Selector selector_;
};

/// 1T1R: a level-1 NMOS transistor whose source is the bit line and whose gate stands `gate` volts
/// above it: bit lines are near virtual ground, and a select line at `gate` volts to ground differs
/// by what the bit line's wires drop. Without body effect and channel-length modulation.
struct AccessTransistor {
    double gate = 1.5;          ///< [V] above the bit line
    double threshold = 0.5;     ///< [V]
    double beta = 2e-3;         ///< KP W / L [A/V²]
    double read_voltage = 0.2;  ///< V_r [V]
    friend bool operator==(const AccessTransistor&, const AccessTransistor&) = default;
};

/// With v_ov = gate - threshold and x the voltage across the transistor, g_m (v - x) =
/// beta (v_ov - x / 2) x for x <= v_ov, beta v_ov² / 2 beyond. For v < 0 drain and source swap
/// roles, which leaves the first equation as it is: the law is smooth, and not odd.
class TransistorLaw final : public CustomCellLaw, public ConductanceSlope {
  public:
    /// @throws InvalidInput  naming the parameter, or for a gate that does not open the transistor
    explicit TransistorLaw(const AccessTransistor& transistor);

    [[nodiscard]] const AccessTransistor& transistor() const { return transistor_; }
    /// g_m [S] of a cell of conductance g, within `conductances()`.
    [[nodiscard]] double element_conductance(double conductance) const;
    [[nodiscard]] std::string name() const override;
    [[nodiscard]] bool is_odd() const override { return false; }
    [[nodiscard]] double programmed_at() const override { return transistor_.read_voltage; }
    /// Less than what the transistor alone conducts at V_r.
    [[nodiscard]] ConductanceRange conductances() const override;
    void current(std::span<const double> conductance, std::span<const double> voltage,
                 std::span<double> current) const override;
    void derivative(std::span<const double> conductance, std::span<const double> voltage,
                    std::span<double> slope) const override;
    void conductance_slope(std::span<const double> conductance, std::span<const double> voltage,
                           std::span<double> slope) const override;

  private:
    /// x [V] across the transistor behind an element of this conductance at v: the smaller root.
    [[nodiscard]] double transistor_voltage(double element, double v) const;
    /// Current [A] through the transistor with x across it.
    [[nodiscard]] double transistor_current(double x) const;
    /// x [V] at the read voltage of a cell of conductance g.
    [[nodiscard]] double programmed_voltage(double conductance) const;

    AccessTransistor transistor_;
    double overdrive_;  ///< v_ov [V]
};

}  // namespace kirchnet
