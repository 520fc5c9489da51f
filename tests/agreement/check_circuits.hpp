#pragma once

#include <doctest/doctest.h>

#include <algorithm>

#include "random_circuits.hpp"

namespace kirchnet::test {

/// Compares the operating points of circuits [first, last) and prints the worst.
inline void check_circuits(std::uint64_t first, std::uint64_t last) {
    double worst_linear = 0;
    double worst_nonlinear = 0;
    for (std::uint64_t number = first; number < last; ++number) {
        CAPTURE(number);
        const Circuit circuit = random_circuit(number);
        const CircuitAgreement agreement = compare_solvers(circuit);
        CAPTURE(agreement.where);
        CAPTURE(agreement.method);
        // The project's definition of agreement of linear and of nonlinear circuits.
        const double allowed = circuit.is_linear() ? 1e-9 : 1e-6;
        CHECK(agreement.voltage <= allowed);
        CHECK(agreement.current <= allowed);
        double& worst = circuit.is_linear() ? worst_linear : worst_nonlinear;
        worst = std::max({worst, agreement.voltage, agreement.current});
    }
    MESSAGE("worst difference " << worst_linear << " of linear, " << worst_nonlinear
                                << " of nonlinear circuits among " << last - first);
}

/// The same of transients, over 20 time scales.
inline void check_transients(std::uint64_t first, std::uint64_t last) {
    double worst = 0;
    for (std::uint64_t number = first; number < last; ++number) {
        CAPTURE(number);
        const TransientAgreement agreement =
            compare_transients(random_dynamic_circuit(number), 20 * time_scale);
        CAPTURE(agreement.where);
        // 1 % of the settled value, wherever ngspice has a point.
        CHECK(agreement.voltage <= 0.01);
        worst = std::max(worst, agreement.voltage);
    }
    MESSAGE("worst difference " << worst << " of the settled value among " << last - first);
}

}  // namespace kirchnet::test
