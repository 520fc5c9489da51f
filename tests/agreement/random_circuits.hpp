#pragma once

#include <string>

#include "circuit/circuit.hpp"

namespace kirchnet::test {

/// A small circuit of all device kinds, a pure function of its number: resistors between up to 25
/// nets and, each now and then, every other kind; every third one linear. Amplifiers are
/// macromodels with feedback, hard or smooth limits, in a chain that may saturate.
Circuit random_circuit(std::uint64_t number);

/// Resistors, capacitors, ramps and amplifiers, all with time constants within a few decades of
/// `time_scale`.
Circuit random_dynamic_circuit(std::uint64_t number);
inline constexpr double time_scale = 1e-7;  ///< [s]

/// A one-pole amplifier as `opamp` of the readable decks: inner node `name_x`.
struct AmplifierNumbers {
    double gain = 1e4;
    double gain_bandwidth = 1e8;  ///< [Hz]
    double offset = 0;            ///< [V]
    double swing = 1.2;           ///< [V]
    bool is_hard = false;
};
void add_amplifier(Circuit& circuit, const std::string& name, const std::string& plus,
                   const std::string& minus, const std::string& out,
                   const AmplifierNumbers& numbers);

/// Largest difference of a voltage, over the largest voltage, and of a current of a voltage source,
/// over the largest such current, between our solver and ngspice.
struct CircuitAgreement {
    double voltage = 0;
    double current = 0;
    std::string where;
    std::string method;  ///< that found our solution
};
CircuitAgreement compare_solvers(const Circuit& circuit);

/// Largest difference of a net's voltage over 200 times, relative to the largest voltage of any net
/// at the end.
struct TransientAgreement {
    double voltage = 0;
    std::string where;
};
TransientAgreement compare_transients(const Circuit& circuit, double stop);

}  // namespace kirchnet::test
