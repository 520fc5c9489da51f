#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kirchnet {

/// Conductances that cells of a law may have, besides 0 (a cell that does not conduct) [S].
struct ConductanceRange {
    double least = 0;
    double most = std::numeric_limits<double>::infinity();
};

/// A cell's I-V law that a caller brings along. Monotone: dI/dv >= 0, and I(g, 0) = I(0, v) = 0.
/// Odd, I(g, -v) = -I(g, v), unless `is_odd` says otherwise. Called from several threads at once,
/// on blocks of equal length.
class CustomCellLaw {
  public:
    CustomCellLaw() = default;
    CustomCellLaw(const CustomCellLaw&) = delete;
    CustomCellLaw& operator=(const CustomCellLaw&) = delete;
    virtual ~CustomCellLaw() = default;

    [[nodiscard]] virtual std::string name() const = 0;
    /// Largest |v| [V] at which the law is known.
    [[nodiscard]] virtual double reach() const { return std::numeric_limits<double>::infinity(); }
    [[nodiscard]] virtual bool is_odd() const { return true; }
    /// What g is: 0 where it is the slope at 0 V, dI/dv(g, 0) = g; otherwise the voltage [V] at
    /// which the cell was programmed, I(g, v) = g v there.
    [[nodiscard]] virtual double programmed_at() const { return 0; }
    [[nodiscard]] virtual ConductanceRange conductances() const { return {}; }
    /// @param conductance  [S]
    /// @param voltage      [V], word line minus bit line
    /// @param current      [A], from word line to bit line
    virtual void current(std::span<const double> conductance, std::span<const double> voltage,
                         std::span<double> current) const = 0;
    /// dI/dv [S]
    virtual void derivative(std::span<const double> conductance, std::span<const double> voltage,
                            std::span<double> slope) const = 0;
};

/// The I-V law of an array's cells, a value: ohmic (I = g v) unless made otherwise.
class CellLaw {
  public:
    CellLaw() = default;
    /// I = g sinh(a v) / a
    /// @param factor  a [1/V], positive and finite
    /// @throws InvalidInput  for another factor
    static CellLaw sinh(double factor);
    /// @throws InvalidInput  where a sample of the law is not odd (and does not say so), falls, or
    ///                       has another slope at 0 V, or current where programmed, than g says
    static CellLaw custom(std::shared_ptr<const CustomCellLaw> law);

    [[nodiscard]] bool is_linear() const { return factor_ == 0 && custom_ == nullptr; }
    /// a [1/V] of the sinh law; nothing for other laws.
    [[nodiscard]] std::optional<double> sinh_factor() const;
    /// The law a caller brought, or null.
    [[nodiscard]] const CustomCellLaw* custom_law() const { return custom_.get(); }

    /// Largest |v| [V] at which the law is known; infinite for ohmic and sinh cells.
    [[nodiscard]] double reach() const;
    /// What g is, as `CustomCellLaw::programmed_at` says it.
    [[nodiscard]] double programmed_at() const;
    [[nodiscard]] ConductanceRange conductances() const;

    void current(std::span<const double> conductance, std::span<const double> voltage,
                 std::span<double> current) const;
    void derivative(std::span<const double> conductance, std::span<const double> voltage,
                    std::span<double> slope) const;
    [[nodiscard]] double current(double conductance, double voltage) const;
    [[nodiscard]] double derivative(double conductance, double voltage) const;

    /// Equal laws; those of callers are equal when they are one object.
    friend bool operator==(const CellLaw&, const CellLaw&) = default;

  private:
    double factor_ = 0;  ///< of sinh; 0 for other laws
    std::shared_ptr<const CustomCellLaw> custom_;
};

/// `linear`, `sinh:2` or the name a caller gave.
std::string to_string(const CellLaw& law);
/// A law that needs no file, as docs/methods/cells.md lists them: `linear` or `1r`, `sinh:A`,
/// `stanford`, `1s1r`, `1t1r`, the last three with parameters: `1s1r:is=1e-6,vs=0.02`.
/// @param read_voltage  [V] at which the cells were programmed, unless the text gives `vr`
/// @throws InvalidInput  naming law and parameter
CellLaw parse_cell_law(std::string_view text, double read_voltage = 0.2);

}  // namespace kirchnet
