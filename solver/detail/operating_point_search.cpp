// Continuation where Newton's method fails from 0 V (L. W. Nagel, "SPICE2", UCB/ERL M520, 1975):
//     F(x) + gmin v = 0,   gmin from 10 mS down to 0;
//     F(x; lambda) = 0,    all sources times lambda, from 0 up to 1.
#include "solver/detail/operating_point_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "circuit/error.hpp"
#include "solver/detail/circuit_checks.hpp"

namespace kirchnet::detail {
namespace {

constexpr double first_gmin = 1e-2;  // [S], more than any cell
constexpr double last_gmin = 1e-15;  // [S], the step to 0 from here is small
constexpr double least_gmin_ratio = 1.0005;
constexpr double first_source_step = 0.1;
constexpr double least_source_step = 1e-7;

class Search {
  public:
    Search(const CircuitEquations& equations, CircuitNewton& newton,
           const CircuitSolverSettings& settings)
        : equations_(equations), newton_(newton), settings_(settings) {}

    bool by_newton(PreciseVector& x) { return attempt(x, {}); }

    bool by_gmin(PreciseVector& x) {
        x.setZero(equations_.size());
        double gmin = first_gmin;
        if (!attempt(x, {.gmin = gmin})) return false;
        double ratio = 10;
        while (gmin > last_gmin) {
            PreciseVector trial = x;
            if (attempt(trial, {.gmin = gmin / ratio})) {
                x = trial;
                gmin /= ratio;
                ratio = std::min(ratio * ratio, 10.0);
            } else {
                ratio = std::sqrt(ratio);
                if (ratio < least_gmin_ratio) return false;
            }
        }
        return attempt(x, {});
    }

    bool by_sources(PreciseVector& x) {
        x.setZero(equations_.size());
        double scale = 0;
        double step = first_source_step;
        if (!attempt(x, {.source_scale = 0})) return false;
        while (scale < 1) {
            PreciseVector trial = x;
            const double next = std::min(scale + step, 1.0);
            if (attempt(trial, {.source_scale = next})) {
                x = trial;
                scale = next;
                step *= 2;
            } else {
                step /= 4;
                if (step < least_source_step) return false;
            }
        }
        return true;
    }

  private:
    bool attempt(PreciseVector& x, const Conditions& conditions) {
        const PreciseVector start = x;
        for (const Damping damping : {Damping::monotone, Damping::none}) {
            x = start;
            if (newton_.find(x, conditions, settings_.max_iterations, settings_.tolerance, damping))
                return true;
        }
        return false;
    }

    const CircuitEquations& equations_;
    CircuitNewton& newton_;
    const CircuitSolverSettings& settings_;
};

/// What the first attempt ended with: continuation fails at circuits the user does not know.
struct Failure {
    std::optional<CircuitNet> singular;
    CircuitNet worst = circuit_ground;
    double missing = 0;
};

Failure failure_of(const CircuitEquations& equations, const CircuitNewton& newton) {
    const Eigen::Index row = newton.worst_row();
    Failure failure{std::nullopt, equations.net_of_row(row),
                    static_cast<double>(std::abs(newton.balance().residual(row)))};
    if (newton.singular()) failure.singular = equations.net_of_row(*newton.singular());
    return failure;
}

[[noreturn]] void refuse(const Circuit& circuit, const Failure& failure, int steps) {
    const std::string shape =
        fmt::format("{} nets, {} devices", circuit.nets() - 1, circuit.devices().size());
    if (failure.singular)
        throw SingularSystem(
            circuit.net_name(*failure.singular),
            fmt::format("{}: nothing decides its voltage or a current into it; what meets there: "
                        "{}; is a transistor on its only way to ground off, or does a gain feed "
                        "back to exactly 1?",
                        shape, devices_at(circuit, *failure.singular)));
    throw NotConverged(
        circuit.net_name(failure.worst),
        fmt::format("{}, {} Newton steps, gmin and source stepping too; {:.3g} left there; what "
                    "meets there: {}",
                    shape, steps, failure.missing, devices_at(circuit, failure.worst)));
}

}  // namespace

SearchResult find_operating_point(const CircuitEquations& equations, CircuitNewton& newton,
                                  const CircuitSolverSettings& settings) {
    Search search(equations, newton, settings);
    SearchResult result{PreciseVector::Zero(equations.size()), CircuitMethod::newton};
    if (!search.by_newton(result.unknowns)) {
        const Failure failure = failure_of(equations, newton);
        result.method = CircuitMethod::gmin_stepping;
        if (equations.circuit().is_linear() || !search.by_gmin(result.unknowns)) {
            result.method = CircuitMethod::source_stepping;
            if (equations.circuit().is_linear() || !search.by_sources(result.unknowns))
                refuse(equations.circuit(), failure, newton.steps());
        }
    }
    newton.polish(result.unknowns, {});
    return result;
}

}  // namespace kirchnet::detail
