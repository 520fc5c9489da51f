#include "circuit/read_point.hpp"

#include <fmt/format.h>

#include <cmath>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

/// Slope at 0 V over conductance at V_r: V_r / f(V_r) of a law I(g, v) = g f(v).
double slope_per_target(const CellLaw& law, double read_voltage) {
    constexpr double probe = 1e-5;      // [S] among the conductances that cells have
    constexpr double tolerance = 1e-9;  // of a law's own arithmetic
    const std::string name = "cell law " + to_string(law);
    if (!(read_voltage > 0) || !std::isfinite(read_voltage))
        throw InvalidInput("read voltage", fmt::format("{} V is not positive", read_voltage));
    if (read_voltage > law.reach())
        throw InvalidInput(name, fmt::format("is known up to {} V, but cells are read at {} V",
                                             law.reach(), read_voltage));
    const double at_target = law.current(probe, read_voltage);
    const double ratio = probe * read_voltage / at_target;
    if (!(ratio > 0) || !std::isfinite(ratio))
        throw InvalidInput(name,
                           fmt::format("carries {} A at a read voltage of {} V and {} S, which "
                                       "no cell can be programmed by",
                                       at_target, read_voltage, probe));
    const double scaled = law.current(probe * ratio, read_voltage);
    if (std::abs(scaled - probe * read_voltage) > tolerance * probe * read_voltage)
        throw InvalidInput(name, "is not proportional to its conductance");
    return ratio;
}

/// Whether the law's own conductances are those at the read voltage.
bool is_told_at(const CellLaw& law, double read_voltage) {
    constexpr double tolerance = 1e-12;
    const double told = law.programmed_at();
    if (told == 0) return false;
    if (!(std::abs(told - read_voltage) <= tolerance * told))
        throw InvalidInput("cell law " + to_string(law),
                           fmt::format("tells conductances at {} V, but cells are read at {} V; "
                                       "give both the same voltage",
                                       told, read_voltage));
    return true;
}

void check_target(const CellLaw& law, double conductance) {
    const auto [least, most] = law.conductances();
    if (conductance != 0 && !(conductance >= least && conductance <= most))
        throw InvalidInput("cell law " + to_string(law),
                           fmt::format("has no cell of {} S at {} V: {:.4g} to {:.4g} S",
                                       conductance, law.programmed_at(), least, most));
}

}  // namespace

double slope_for_target(const CellLaw& law, double conductance, double read_voltage) {
    if (law.is_linear()) return conductance;
    if (is_told_at(law, read_voltage)) {
        check_target(law, conductance);
        return conductance;
    }
    return conductance * slope_per_target(law, read_voltage);
}

Crossbar exact_at(const Crossbar& target, const CellLaw& law, double read_voltage) {
    if (law.is_linear() || is_told_at(law, read_voltage)) return target.with_law(law);
    const double ratio = slope_per_target(law, read_voltage);
    return Crossbar(target.intended_conductance() * ratio, target.conductance() * ratio,
                    target.faults(), target.wires(), target.pattern())
        .with_law(law);
}

}  // namespace kirchnet
