#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "solver/circuit_solver.hpp"

namespace kirchnet {

struct TransientSettings {
    double relative_tolerance = 3e-5;  ///< local error of a step, of the largest voltage of the
                                       ///< net so far
    double absolute_tolerance = 1e-8;  ///< added to it [V]
    double largest_step = 0;           ///< [s]; 0: a fiftieth of the span
    int max_steps = 1'000'000;
    /// Told the time [s] that is reached; may throw to end the run.
    std::function<void(double)> after_step = {};
    CircuitSolverSettings operating_point;
};

/// A voltage or current over time.
struct SampledWaveform {
    /// [s], [2 × steps + 1]: even places are the ends of steps, each odd place a point within one.
    std::vector<double> time;
    std::vector<double> value;  ///< [V] or [A], at these times

    /// By the parabola through the three points of a step; the first or last value outside.
    [[nodiscard]] double at(double moment) const;
};

/// When a waveform comes within `tolerance` of `final_value` for good [s]; nothing when it is
/// outside at its end.
std::optional<double> settling_time(const SampledWaveform& waveform, double final_value,
                                    double tolerance);

struct TransientResult {
    std::map<std::string, SampledWaveform> voltage;  ///< of the nets asked for
    std::map<std::string, SampledWaveform> current;  ///< of the voltage sources asked for, from net
                                                     ///< 0 through the source to net 1
    int steps = 0;
    int rejected = 0;
    int iterations = 0;  ///< Newton steps
};

/// What a circuit does from its operating point at t = 0 on, by TR-BDF2 with steps chosen for their
/// local error and ending at every corner of a waveform.
/// @param stop      [s]
/// @param nets      whose voltages are wanted
/// @param currents  names of voltage sources of any kind whose currents are wanted
/// @throws InvalidInput    for an unknown name, a device without an unknown current, a span that is
///                         not positive and finite, settings out of range
/// @throws SingularSystem, NotConverged  as CircuitSolver::solve, the latter also naming the time
///                         at which steps would have to be too short
TransientResult solve_transient(const Circuit& circuit, double stop,
                                const std::vector<std::string>& nets,
                                const std::vector<std::string>& currents = {},
                                const TransientSettings& settings = {});

}  // namespace kirchnet
