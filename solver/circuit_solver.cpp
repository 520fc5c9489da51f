#include "solver/circuit_solver.hpp"

#include <algorithm>
#include <cmath>

#include "circuit/error.hpp"
#include "solver/detail/circuit_checks.hpp"
#include "solver/detail/operating_point_search.hpp"

namespace kirchnet {
namespace {

Circuit checked(Circuit circuit) {
    detail::check_solvable(circuit);
    return circuit;
}

double residual_of(const detail::Balance& balance, Eigen::Index voltages,
                   const std::vector<double>& currents) {
    double largest = 0;
    for (const double current : currents) largest = std::max(largest, std::abs(current));
    const auto nets = balance.residual.head(voltages);
    if (nets.size() == 0 || largest == 0) return 0;
    return static_cast<double>(nets.cwiseAbs().maxCoeff()) / largest;
}

}  // namespace

std::string_view to_string(CircuitMethod method) {
    switch (method) {
        case CircuitMethod::newton:
            return "newton";
        case CircuitMethod::gmin_stepping:
            return "gmin stepping";
        case CircuitMethod::source_stepping:
            return "source stepping";
    }
    return "newton";
}

struct CircuitSolver::State {
    detail::CircuitEquations equations;
    CircuitSolverSettings settings;
    detail::CircuitNewton newton;

    State(Circuit circuit, CircuitSolverSettings chosen)
        : equations(checked(std::move(circuit))), settings(chosen), newton(equations) {}
};

CircuitSolver::CircuitSolver(Circuit circuit, CircuitSolverSettings settings)
    : state_(std::make_unique<State>(std::move(circuit), settings)) {
    if (settings.max_iterations < 1)
        throw InvalidInput("circuit solver", "takes at least one Newton step");
    if (!(settings.tolerance > 0)) throw InvalidInput("circuit solver", "tolerance is not above 0");
}
CircuitSolver::CircuitSolver(CircuitSolver&&) noexcept = default;
CircuitSolver& CircuitSolver::operator=(CircuitSolver&&) noexcept = default;
CircuitSolver::~CircuitSolver() = default;

void CircuitSolver::set_waveform(std::string_view source, Waveform waveform) {
    state_->equations.set_waveform(source, std::move(waveform));
}

const Circuit& CircuitSolver::circuit() const {
    return state_->equations.circuit();
}

CircuitSolution CircuitSolver::solve() {
    const detail::CircuitEquations& equations = state_->equations;
    const int before = state_->newton.steps();
    const detail::SearchResult found =
        detail::find_operating_point(equations, state_->newton, state_->settings);
    CircuitSolution solution;
    solution.voltage.assign(1, 0.0);
    for (Eigen::Index net = 0; net < equations.voltages(); ++net)
        solution.voltage.push_back(static_cast<double>(found.unknowns(net)));
    solution.current = equations.currents(found.unknowns, {});
    solution.residual =
        residual_of(state_->newton.balance(), equations.voltages(), solution.current);
    solution.iterations = state_->newton.steps() - before;
    solution.method = found.method;
    return solution;
}

CircuitSolution solve_circuit(const Circuit& circuit, const CircuitSolverSettings& settings) {
    return CircuitSolver(circuit, settings).solve();
}

double voltage_of(const Circuit& circuit, const CircuitSolution& solution, std::string_view net) {
    return solution.voltage[static_cast<std::size_t>(circuit.find_net(net))];
}

double current_of(const Circuit& circuit, const CircuitSolution& solution,
                  std::string_view device) {
    return solution.current[circuit.device_index(device)];
}

}  // namespace kirchnet
