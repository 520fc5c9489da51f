#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

#include "circuit/circuit.hpp"

namespace kirchnet::detail {

/// Unknowns carry more digits than a double where the machine has them: the difference of two
/// nearly equal voltages times 1e3 S is then still right to rounding of the branch current, and
/// corrections by factors in double converge to the last bit of a double.
using Precise = long double;
using PreciseVector = Eigen::Matrix<Precise, Eigen::Dynamic, 1>;

/// What the equations depend on beside the unknowns.
struct Conditions {
    double time = 0;            ///< of the waveforms [s]
    double source_scale = 1;    ///< multiplies every independent source
    double gmin = 0;            ///< from every net to ground [S]
    double capacitor_rate = 0;  ///< a [1/s]: the current of capacitor k is a C v + history(k)
    const PreciseVector* history = nullptr;  ///< [capacitors] [A]; null: capacitors are open
};

/// Kirchhoff's laws at one set of unknowns.
struct Balance {
    PreciseVector residual;  ///< sum of currents out of a net [A], or v0 - v1 - e of a branch [V]
    Eigen::VectorXd magnitude;  ///< sum of the absolute values of what the residual adds up
};

/// Modified nodal analysis of a circuit: unknowns are the voltages of all nets but ground, then the
/// currents of voltage-defined devices in their order. Values, residual and exact Jacobian; the
/// pattern is that of the devices, whatever their values.
class CircuitEquations {
  public:
    explicit CircuitEquations(Circuit circuit);

    [[nodiscard]] const Circuit& circuit() const { return circuit_; }
    /// New value of an independent source, as Circuit::set_waveform.
    void set_waveform(std::string_view source, Waveform waveform);

    [[nodiscard]] Eigen::Index size() const { return size_; }
    [[nodiscard]] Eigen::Index voltages() const { return circuit_.nets() - 1; }
    [[nodiscard]] const std::vector<std::int32_t>& column_start() const { return column_start_; }
    [[nodiscard]] const std::vector<std::int32_t>& row() const { return row_; }
    /// Places of capacitors in `circuit().devices()`.
    [[nodiscard]] const std::vector<std::size_t>& capacitors() const { return capacitors_; }

    /// @param slopes  per entry of the pattern, the Jacobian; null: not wanted
    void evaluate(const PreciseVector& unknowns, const Conditions& conditions, Balance& balance,
                  std::vector<double>* slopes) const;

    /// Voltage of net 0 against net 1 of a device [V].
    [[nodiscard]] Precise drop(const PreciseVector& unknowns, std::size_t device) const;
    /// Currents from net 0 through each device to net 1 (drain to source) [A], [devices].
    [[nodiscard]] std::vector<double> currents(const PreciseVector& unknowns,
                                               const Conditions& conditions) const;
    /// The unknown that is the current of a voltage-defined device; -1 for others.
    [[nodiscard]] std::int32_t branch(std::size_t device) const { return placed_[device].branch; }
    /// The net whose law, or whose branch, is equation `row`.
    [[nodiscard]] CircuitNet net_of_row(Eigen::Index row) const;

  private:
    /// A device among the unknowns; -1 is ground.
    struct Placed {
        std::int32_t from = -1;
        std::int32_t to = -1;
        std::int32_t branch = -1;
        std::vector<std::int32_t> controls;  ///< unknowns its value depends on
        std::size_t first_slot = 0;          ///< of its entries among `slots_`
        std::size_t capacitor = 0;           ///< its number among capacitors
    };
    /// What a device's law says: a current from -> to, or a voltage of from over to.
    struct Response {
        Precise value = 0;
        std::array<double, 3> slope{};  ///< to `controls`, where there are three or fewer
    };

    void place_devices();
    void make_pattern();
    static std::vector<std::pair<std::int32_t, std::int32_t>> entries(const Placed& placed);
    static Precise at(const PreciseVector& unknowns, std::int32_t unknown) {
        return unknown < 0 ? Precise{0} : unknowns(unknown);
    }
    static Precise control_drop(const PreciseVector& unknowns, const Placed& placed) {
        return at(unknowns, placed.controls[0]) - at(unknowns, placed.controls[1]);
    }
    [[nodiscard]] Response respond(std::size_t device, const PreciseVector& unknowns,
                                   const Conditions& conditions) const;
    [[nodiscard]] double slope(std::size_t device, std::size_t control,
                               const Response& response) const;
    static void add_current(const Placed& placed, Precise current, Balance& balance);
    void stamp(std::size_t device, const Response& response, std::vector<double>& slopes) const;

    Circuit circuit_;
    Eigen::Index size_ = 0;
    std::vector<Placed> placed_;           ///< [devices]
    std::vector<std::size_t> capacitors_;  ///< [capacitors]
    std::vector<std::size_t> branches_;    ///< devices of the unknown currents, in order
    std::vector<std::int32_t> column_start_;
    std::vector<std::int32_t> row_;
    std::vector<std::int32_t> slots_;     ///< of all devices' entries, -1 where ground takes it
    std::vector<std::int32_t> diagonal_;  ///< slot of each voltage's own entry
};

}  // namespace kirchnet::detail
