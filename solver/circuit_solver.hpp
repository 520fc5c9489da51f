#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "circuit/circuit.hpp"

namespace kirchnet {

struct CircuitSolverSettings {
    int max_iterations = 100;  ///< Newton steps of one attempt
    double tolerance = 1e-9;   ///< of Kirchhoff's current law at a net, relative to its currents;
                               ///< corrections then go on to rounding
};

/// What found an operating point.
enum class CircuitMethod {
    newton,          ///< damped Newton steps from 0 V
    gmin_stepping,   ///< a conductance from every net to ground, taken away in steps
    source_stepping  ///< all sources raised from 0 in steps
};

std::string_view to_string(CircuitMethod method);

/// An operating point at t = 0.
struct CircuitSolution {
    std::vector<double> voltage;  ///< [V], by `CircuitNet`; ground first
    std::vector<double> current;  ///< [A], by place in `devices()`: from net 0 through the device
                                  ///< to net 1 (`Nmos`: drain to source), so that of a voltage
                                  ///< source that delivers is negative, as in SPICE
    double residual = 0;          ///< largest sum of currents at a net over the largest current
    int iterations = 0;           ///< Newton steps, of attempts that failed too
    CircuitMethod method = CircuitMethod::newton;
};

/// Operating points of any circuit by modified nodal analysis and Newton's method on KLU.
/// Capacitors are open. Owns a copy of the circuit; its results depend on the circuit alone, not on
/// what was solved before. One object serves one thread.
class CircuitSolver {
  public:
    /// @throws InvalidInput  naming a net without a path for direct current to ground, or the
    ///                       sources of a loop
    explicit CircuitSolver(Circuit circuit, CircuitSolverSettings settings = {});
    CircuitSolver(CircuitSolver&&) noexcept;
    CircuitSolver& operator=(CircuitSolver&&) noexcept;
    ~CircuitSolver();

    /// New value of an independent source, for the next operating point.
    /// @throws InvalidInput  unless the device is one
    void set_waveform(std::string_view source, Waveform waveform);

    /// @throws SingularSystem  naming the net (and the devices there) whose voltage nothing decides
    /// @throws NotConverged    naming the net where currents are furthest from adding up to 0
    [[nodiscard]] CircuitSolution solve();

    [[nodiscard]] const Circuit& circuit() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The operating point of a circuit at t = 0.
/// @throws InvalidInput, SingularSystem, NotConverged  as CircuitSolver
CircuitSolution solve_circuit(const Circuit& circuit, const CircuitSolverSettings& settings = {});

double voltage_of(const Circuit& circuit, const CircuitSolution& solution, std::string_view net);
double current_of(const Circuit& circuit, const CircuitSolution& solution, std::string_view device);

}  // namespace kirchnet
