#pragma once

#include <Eigen/Core>
#include <optional>
#include <vector>

#include "circuit/conductance_slope.hpp"
#include "circuit/device.hpp"

namespace kirchnet {

/// A cell that a user described as SPICE subcircuit.
struct UserCell {
    std::string name;               ///< of the subcircuit, lower case
    std::string text;               ///< its definition and all that it needs, line by line
    std::vector<std::string> pins;  ///< as the definition lists them
    std::string word_pin;           ///< the one at the word line
    std::string bit_pin;            ///< the one at the bit line
    std::string gate_pin;           ///< at the select line; empty: the cell has two terminals
    std::string state_parameter;    ///< what tells the cell's state
    double gate_voltage = 0;        ///< [V] above the bit line

    friend bool operator==(const UserCell&, const UserCell&) = default;
};

/// Currents of a cell over voltage and state, as ngspice found them.
struct CellSurface {
    UserCell cell;
    double read_voltage = 0.2;  ///< V_r [V], one of the voltages
    Eigen::VectorXd voltage;    ///< [voltages], rising, 0 among them [V]
    Eigen::VectorXd state;      ///< [states], in the order of rising conductance at V_r
    Eigen::MatrixXd current;    ///< [states × voltages], from word line to bit line [A]

    /// Conductance at V_r of each state [S].
    [[nodiscard]] Eigen::VectorXd conductance() const;
    /// Largest |I(v) + I(-v)| / max(|I(v)|, |I(-v)|) over states and the voltages that have both
    /// signs; 0 for an odd cell, near 1 for one that rectifies. With the place.
    struct Asymmetry {
        double share = 0;
        double voltage = 0;   ///< [V]
        double forward = 0;   ///< I(v) [A]
        double backward = 0;  ///< I(-v) [A]
    };
    [[nodiscard]] Asymmetry asymmetry() const;

    friend bool operator==(const CellSurface& x, const CellSurface& y);
};

/// A cell's law from its surface, general monotone: I = g f(v, ln g), g the conductance at V_r.
/// f is the bicubic Hermite function through the surface's points whose slopes are those of cubic
/// splines along voltage and ln g, held where a curve would overshoot. Cells whose curve only
/// scales with their conductance have an f of v alone. Beyond the ends of the voltages the last
/// slope goes on, so that iterations that pass there return; `reach` says where the table ends.
class SurfaceLaw final : public CustomCellLaw, public ConductanceSlope {
  public:
    /// @param name  of the law, for messages and files: `byo:cell.h5`
    /// @throws InvalidInput  naming state and voltage where the surface is not finite, falls, does
    ///                       not pass through 0, or has fewer than 4 states or voltages
    SurfaceLaw(std::string name, CellSurface surface);

    [[nodiscard]] const CellSurface& surface() const { return surface_; }
    /// The state parameter of a cell of this conductance, by a cubic spline over ln g.
    /// @param conductance  [S], within `conductances()`
    [[nodiscard]] double state_for(double conductance) const;

    [[nodiscard]] std::string name() const override { return name_; }
    [[nodiscard]] double reach() const override;
    [[nodiscard]] bool is_odd() const override { return false; }
    [[nodiscard]] double programmed_at() const override { return surface_.read_voltage; }
    [[nodiscard]] ConductanceRange conductances() const override;
    void current(std::span<const double> conductance, std::span<const double> voltage,
                 std::span<double> current) const override;
    void derivative(std::span<const double> conductance, std::span<const double> voltage,
                    std::span<double> slope) const override;
    void conductance_slope(std::span<const double> conductance, std::span<const double> voltage,
                           std::span<double> slope) const override;

  private:
    /// f and df/dv at one place.
    struct Value {
        double f;
        double slope;
    };
    [[nodiscard]] Value value(double conductance, double voltage) const;
    /// Where a conductance and a voltage lie on the surface.
    struct Place {
        Eigen::Index k;  ///< state before it
        double t;        ///< of the way to the next state, along ln g
        Eigen::Index j;  ///< voltage before it
        double s;        ///< of the way to the next voltage
        double beyond;   ///< of the surface's voltages [V]; 0 within
    };
    /// What of f and df/dv: they themselves, or their slopes along ln g.
    enum class Along : bool { value, slope };
    [[nodiscard]] Place locate(double conductance, double voltage) const;
    [[nodiscard]] Value inner_value(const Place& at, Along log_conductance = Along::value) const;
    [[nodiscard]] double slope_along_conductance(double conductance, double voltage) const;
    void check_surface() const;
    void check_patches() const;

    std::string name_;
    CellSurface surface_;
    Eigen::VectorXd log_conductance_;  ///< [states]
    Eigen::MatrixXd f_;                ///< [states × voltages]
    Eigen::MatrixXd f_v_;              ///< df/dv
    Eigen::MatrixXd f_u_;              ///< df/d(ln g)
    Eigen::MatrixXd f_uv_;
    Eigen::VectorXd state_slope_;  ///< d(state)/d(ln g), [states]
};

/// The table behind a law, or null.
const SurfaceLaw* surface_of(const CellLaw& law);

}  // namespace kirchnet
