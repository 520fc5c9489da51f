#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "circuit/device.hpp"

namespace kirchnet {

/// A net of a `Circuit`; 0 is ground, `0`.
using CircuitNet = std::int32_t;
inline constexpr CircuitNet circuit_ground = 0;

/// What an independent source gives over time, piecewise linear. Before the first corner it has the
/// first corner's value, behind the last one the last one's; operating points are taken at t = 0.
struct Waveform {
    std::vector<std::pair<double, double>> corners;  ///< [s], rising; [V] or [A]

    static Waveform constant(double value) { return {{{0.0, value}}}; }
    [[nodiscard]] double at(double time) const;
    friend bool operator==(const Waveform&, const Waveform&) = default;
};

/// I = (v0 - v1) / R, from net 0 to net 1.
struct Resistor {
    double resistance = 1;  ///< [ohm], finite, above 0
    friend bool operator==(const Resistor&, const Resistor&) = default;
};
/// I = C d(v0 - v1)/dt; open at an operating point.
struct Capacitor {
    double capacitance = 0;  ///< [F], finite, not negative
    friend bool operator==(const Capacitor&, const Capacitor&) = default;
};
/// v0 - v1 = e(t). Its current counts positive flowing into net 0 *of the source*, as in SPICE.
struct VoltageSource {
    Waveform voltage;
    friend bool operator==(const VoltageSource&, const VoltageSource&) = default;
};
/// i(t) flows from net 0 through the source to net 1, as in SPICE.
struct CurrentSource {
    Waveform current;
    friend bool operator==(const CurrentSource&, const CurrentSource&) = default;
};
/// v0 - v1 = gain (v2 - v3).
struct VoltageControlledVoltageSource {
    double gain = 1;  ///< [V/V]
    friend bool operator==(const VoltageControlledVoltageSource&,
                           const VoltageControlledVoltageSource&) = default;
};
/// transconductance (v2 - v3) flows from net 0 through the source to net 1.
struct VoltageControlledCurrentSource {
    double transconductance = 0;  ///< [S]
    friend bool operator==(const VoltageControlledCurrentSource&,
                           const VoltageControlledCurrentSource&) = default;
};
/// v0 - v1 = sum of factor × current of a voltage source: what subtracts ammeters' currents.
struct CurrentSumSource {
    struct Term {
        std::string source;  ///< name of a `VoltageSource`
        double factor = 1;   ///< [ohm]
        friend bool operator==(const Term&, const Term&) = default;
    };
    std::vector<Term> terms;
    friend bool operator==(const CurrentSumSource&, const CurrentSumSource&) = default;
};
/// A memory cell or selector: I = law(conductance, v0 - v1).
struct NonlinearCell {
    CellLaw law;
    double conductance = 0;  ///< at 0 V [S]
    friend bool operator==(const NonlinearCell&, const NonlinearCell&) = default;
};
/// Current of a voltage beyond a dead zone: g (v - w) above w, g (v + w) below -w, 0 between;
/// v = v0 - v1. Keeps an amplifier's inner node from winding up in overload.
struct DeadZoneConductor {
    double conductance = 0;  ///< g [S]
    double width = 0;        ///< w [V]
    friend bool operator==(const DeadZoneConductor&, const DeadZoneConductor&) = default;
};
/// v0 - v1 = swing tanh((v2 - v3) / swing)
struct SmoothLimiter {
    double swing = 1;  ///< [V]
    friend bool operator==(const SmoothLimiter&, const SmoothLimiter&) = default;
};
/// v0 - v1 = v2 - v3, held within ± swing
struct HardLimiter {
    double swing = 1;  ///< [V]
    friend bool operator==(const HardLimiter&, const HardLimiter&) = default;
};
/// Level-1 NMOS without body effect; nets drain, gate, source. Symmetric: drain and source swap
/// roles where v_ds < 0. With v_ov = v_gs - threshold > 0,
/// I = beta (v_ov - v_ds / 2) v_ds (1 + lambda v_ds) below saturation (v_ds < v_ov),
/// I = beta / 2 v_ov² (1 + lambda v_ds) above; 0 for v_ov <= 0
/// (Shichman and Hodges, IEEE J. Solid-State Circuits 3, 1968).
struct Nmos {
    double threshold = 0.5;   ///< [V]
    double beta = 1e-3;       ///< KP W / L [A/V²]
    double modulation = 0.0;  ///< lambda [1/V]
    friend bool operator==(const Nmos&, const Nmos&) = default;
};
/// What a B-bit converter makes of v2 - v3, as a voltage of one volt per code at net 0 against 1
/// (`code_of`). Loads nothing.
struct Quantizer {
    int bits = 8;
    double low = 0;           ///< input of code 0 [V]
    double high = 1;          ///< input of the last code [V]
    double offset = 0;        ///< added to the input [V]
    double gain = 1;          ///< multiplies the input; below 0: codes fall as it rises
    std::vector<double> inl;  ///< [LSB], added at codes spread evenly over the range, joined
                              ///< by straight lines; empty: none
    friend bool operator==(const Quantizer&, const Quantizer&) = default;
};

/// The code of an input v [V], with LSB = (high - low) / (2^B - 1):
/// p = (gain v + offset - low) / LSB, code = floor(p + inl(p) + 1/2), held within 0 and 2^B - 1;
/// inl(p) is read at p held within the range.
double code_of(const Quantizer& converter, double voltage);
/// Its INL [LSB] at a position p [LSB].
double inl_at(const Quantizer& converter, double position);

using DeviceModel =
    std::variant<Resistor, Capacitor, VoltageSource, CurrentSource, VoltageControlledVoltageSource,
                 VoltageControlledCurrentSource, CurrentSumSource, NonlinearCell, DeadZoneConductor,
                 SmoothLimiter, HardLimiter, Nmos, Quantizer>;

/// How many of a device's four nets a model uses: 2, 3 (`Nmos`) or 4 (controlled sources, limiters,
/// `Quantizer`).
int net_count(const DeviceModel& model);

struct CircuitDevice {
    std::string name;  ///< lower case, as in decks; its first letter is the writer's concern
    std::array<CircuitNet, 4> nets{};
    DeviceModel model;
    friend bool operator==(const CircuitDevice&, const CircuitDevice&) = default;
};

/// A flat circuit: named devices between named nets, all that any of our decks contains. What the
/// general solver and the flat deck of a whole read-out both start from; knows no equations.
class Circuit {
  public:
    Circuit();

    /// The net of this name, made if it is new. `0` is ground.
    CircuitNet net(std::string_view name);
    /// The net of this name.
    /// @throws InvalidInput  when there is none
    [[nodiscard]] CircuitNet find_net(std::string_view name) const;
    /// A device between nets of these names.
    /// @throws InvalidInput  for a name in use, a value outside its range (named), another number
    ///                       of nets than the model has, or a `CurrentSumSource` of a source that
    ///                       is not there yet
    void add(std::string name, std::vector<std::string> nets, DeviceModel model);

    [[nodiscard]] const std::vector<CircuitDevice>& devices() const { return devices_; }
    /// The device of this name.
    /// @throws InvalidInput  when there is none
    [[nodiscard]] const CircuitDevice& device(std::string_view name) const;
    /// Its place in `devices()`.
    [[nodiscard]] std::size_t device_index(std::string_view name) const;
    [[nodiscard]] CircuitNet nets() const { return static_cast<CircuitNet>(net_names_.size()); }
    [[nodiscard]] const std::string& net_name(CircuitNet net) const {
        return net_names_[static_cast<std::size_t>(net)];
    }
    /// Whether every device is linear (limiters, cells of a law, transistors and converters are
    /// not).
    [[nodiscard]] bool is_linear() const;
    /// New value of an independent source.
    /// @throws InvalidInput  unless the device is one
    void set_waveform(std::string_view source, Waveform waveform);

  private:
    std::vector<std::string> net_names_;
    std::map<std::string, CircuitNet, std::less<>> net_of_;
    std::vector<CircuitDevice> devices_;
    std::map<std::string, std::size_t, std::less<>> device_of_;
};

/// Nets without a path for direct current to ground, by names of their first members: capacitors,
/// current sources, inputs of controlled sources and cells of 0 S conduct none.
std::vector<std::string> floating_nets(const Circuit& circuit);

}  // namespace kirchnet
