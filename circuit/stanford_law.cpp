// I = i0 exp(-gap / g0) sinh(V / v0); gap from the target, and its motion, as the header says.
#include "circuit/stanford_law.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "circuit/error.hpp"
#include "circuit/units.hpp"

namespace kirchnet {
namespace {

constexpr double boltzmann_eV = 8.617333262e-5;  // [eV/K], CODATA 2018

double temperature_of(const StanfordCell& cell, double voltage, double current) {
    return cell.ambient + std::abs(voltage * current) * cell.thermal_resistance;
}

}  // namespace

void check(const StanfordCell& cell) {
    const std::array<std::pair<const char*, double>, 11> positive{
        {{"i0", cell.i0},
         {"g0", cell.g0},
         {"v0", cell.v0},
         {"vr", cell.read_voltage},
         {"velocity", cell.velocity},
         {"activation", cell.activation},
         {"hop", cell.hop},
         {"thickness", cell.thickness},
         {"gamma0", cell.gamma0},
         {"ambient", cell.ambient},
         {"thermal_resistance", cell.thermal_resistance}}};
    for (const auto& [name, value] : positive)
        if (!(value > 0) || !std::isfinite(value))
            throw InvalidInput("cell law stanford",
                               fmt::format("{} = {} is not a finite number above 0", name, value));
    if (!std::isfinite(std::sinh(cell.read_voltage / cell.v0)))
        throw InvalidInput("cell law stanford", fmt::format("vr = {} V is too many times v0 = {} V",
                                                            cell.read_voltage, cell.v0));
}

double conductance_of_gap(const StanfordCell& cell, double gap) {
    return current_of_gap(cell, gap, cell.read_voltage) / cell.read_voltage;
}

double gap_for_target(const StanfordCell& cell, double conductance) {
    const double closed = conductance_of_gap(cell, 0);
    if (!(conductance > 0 && conductance <= closed))
        throw InvalidInput("cell law stanford",
                           fmt::format("no gap gives {} S: a closed one conducts {:.4g} S at {} V",
                                       conductance, closed, cell.read_voltage));
    return cell.g0 * std::log(closed / conductance);
}

double current_of_gap(const StanfordCell& cell, double gap, double voltage) {
    return cell.i0 * std::exp(-gap / cell.g0) * std::sinh(voltage / cell.v0);
}

double gap_velocity(const StanfordCell& cell, double gap, double voltage) {
    const double thermal =
        boltzmann_eV * temperature_of(cell, voltage, current_of_gap(cell, gap, voltage));  // [eV]
    const double in_nm = gap * 1e9;
    const double gamma = cell.gamma0 - cell.gamma1 * in_nm * in_nm * in_nm;
    return -cell.velocity * std::exp(-cell.activation / thermal) *
           std::sinh(gamma * cell.hop * voltage / (cell.thickness * thermal));
}

ReadDisturb read_disturb(const StanfordCell& cell, double conductance, double voltage,
                         double duration) {
    if (!(duration >= 0) || !std::isfinite(duration))
        throw InvalidInput("read time", fmt::format("{} s is not a duration", duration));
    ReadDisturb disturb;
    disturb.gap = gap_for_target(cell, conductance);
    disturb.gap_change = gap_velocity(cell, disturb.gap, voltage) * duration;
    disturb.relative_change = std::expm1(-disturb.gap_change / cell.g0);
    disturb.temperature = temperature_of(cell, voltage, current_of_gap(cell, disturb.gap, voltage));
    return disturb;
}

StanfordLaw::StanfordLaw(const StanfordCell& cell) : cell_(cell) {
    check(cell);
    scale_ = cell.read_voltage / std::sinh(cell.read_voltage / cell.v0);
}

std::string StanfordLaw::name() const {
    return fmt::format("stanford:i0={},g0={},v0={},vr={}", format_exact(cell_.i0),
                       format_exact(cell_.g0), format_exact(cell_.v0),
                       format_exact(cell_.read_voltage));
}

ConductanceRange StanfordLaw::conductances() const {
    return {0, conductance_of_gap(cell_, 0)};
}

void StanfordLaw::current(std::span<const double> conductance, std::span<const double> voltage,
                          std::span<double> current) const {
    for (std::size_t k = 0; k < voltage.size(); ++k)
        current[k] =
            conductance[k] == 0 ? 0 : conductance[k] * scale_ * std::sinh(voltage[k] / cell_.v0);
}

void StanfordLaw::derivative(std::span<const double> conductance, std::span<const double> voltage,
                             std::span<double> slope) const {
    for (std::size_t k = 0; k < voltage.size(); ++k)
        slope[k] = conductance[k] == 0
                       ? 0
                       : conductance[k] * scale_ * std::cosh(voltage[k] / cell_.v0) / cell_.v0;
}

/// I = g f(v): f itself.
void StanfordLaw::conductance_slope(std::span<const double>, std::span<const double> voltage,
                                    std::span<double> slope) const {
    for (std::size_t k = 0; k < voltage.size(); ++k)
        slope[k] = scale_ * std::sinh(voltage[k] / cell_.v0);
}

}  // namespace kirchnet
