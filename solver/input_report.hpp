#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace kirchnet {

/// How the operating point of one input was found.
enum class SolveMethod : std::uint8_t {
    line,        ///< alternating line solves
    newton_pcg,  ///< Newton, its linear systems by conjugate gradients
    newton_klu,  ///< Newton, its linear systems by KLU
    chord_klu    ///< KLU factors of the ohmic array, kept for all steps
};

inline std::string_view to_string(SolveMethod method) {
    constexpr std::string_view names[] = {"line", "newton_pcg", "newton_klu", "chord_klu"};
    return names[static_cast<std::size_t>(method)];
}

/// One input of a batch of nonlinear operating points. Where it did not converge its currents are
/// NaN.
struct InputReport {
    bool converged = false;
    SolveMethod method = SolveMethod::line;
    int line_iterations = 0;
    int newton_steps = 0;
    int inner_iterations = 0;  ///< of conjugate gradients, all steps together
    /// Sum over all nets of the current that Kirchhoff's law misses, relative to the sum of all
    /// cell currents: all terminal currents together are off by no more than this
    /// (docs/methods/nonlinear-cells.md).
    double residual = 0;

    /// Passes and steps together.
    [[nodiscard]] int iterations() const { return line_iterations + newton_steps; }
};

/// Of a batch, input by input.
inline std::vector<int> iterations_of(const std::vector<InputReport>& reports) {
    std::vector<int> iterations;
    for (const InputReport& report : reports) iterations.push_back(report.iterations());
    return iterations;
}

}  // namespace kirchnet
