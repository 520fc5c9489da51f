#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>

#include "netlists/circuit_deck.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"
#include "solver/circuit_solver.hpp"

namespace kirchnet::test {

/// How a deck came from a circuit's names: unfolded by ngspice, or flat as it is.
enum class DeckForm { readable, flat };

/// Every net and every ammeter by the name it has in the circuit, and the vector of it in the deck.
inline std::map<std::string, std::string> vectors_of(const Circuit& circuit, DeckForm form) {
    std::map<std::string, std::string> vectors;
    for (CircuitNet net = 1; net < circuit.nets(); ++net)
        vectors[circuit.net_name(net)] = circuit.net_name(net);
    for (const CircuitDevice& device : circuit.devices()) {
        const std::string own = device.name.substr(device.name.find_last_of('.') + 1);
        if (own.starts_with("vs_"))
            vectors[device.name + "#branch"] =
                form == DeckForm::flat ? deck_current(device) : readable_current(device.name);
    }
    return vectors;
}

inline double value_of(const Circuit& circuit, const CircuitSolution& solution,
                       const std::string& name) {
    const auto mark = name.find("#branch");
    return mark == std::string::npos ? voltage_of(circuit, solution, name)
                                     : current_of(circuit, solution, name.substr(0, mark));
}

/// Worst differences of a solution here from a deck in ngspice: of voltages to the largest voltage,
/// of currents to the largest current, and of nets that add up outputs to the largest of these.
/// Codes are equal.
/// @param sums  what the names of such nets start with; empty: they are voltages like others
inline double disagreement(const Circuit& circuit, const CircuitSolution& solution,
                           const std::string& deck, DeckForm form = DeckForm::readable,
                           const std::vector<std::string>& sums = {}) {
    const auto vectors = vectors_of(circuit, form);
    std::vector<std::string> wanted;
    for (const auto& [name, vector] : vectors) wanted.push_back(vector);
    const auto found = run_operating_point(deck, wanted);
    std::array<double, 3> worst{};
    std::array<double, 3> largest{};
    for (const auto& [name, vector] : vectors) {
        const bool is_sum = std::any_of(sums.begin(), sums.end(), [&](const std::string& start) {
            return name.starts_with(start);
        });
        const std::size_t kind = is_sum ? 2 : name.ends_with("#branch") ? 1 : 0;
        const double here = value_of(circuit, solution, name);
        const double there = found.at(vector);
        const bool is_code = name.starts_with("code_") || name.ends_with(".pos");
        if (is_code) CHECK(there == here);
        // An amplifier's inner node winds up in overload, behind 1 mS: no voltage to scale by.
        if (is_code || name.ends_with(".x")) continue;
        worst[kind] = std::max(worst[kind], std::abs(there - here));
        largest[kind] = std::max(largest[kind], std::abs(there));
    }
    double relative = 0;
    for (std::size_t kind = 0; kind < worst.size(); ++kind)
        if (worst[kind] > 0) relative = std::max(relative, worst[kind] / largest[kind]);
    return relative;
}

}  // namespace kirchnet::test
