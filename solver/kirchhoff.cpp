// Everything here goes over the elements, not the assembled matrix: g (u_p - u_q) is exact to
// rounding of the *current*, whereas L u is exact to rounding of g u, which is larger by as much
// as the voltages at both ends agree.
#include "solver/kirchhoff.hpp"

#include <algorithm>
#include <cmath>

namespace kirchnet {

Index net_count(const Expansion& expansion) {
    return expansion.unknowns + expansion.word_lines + expansion.bit_lines;
}

Eigen::MatrixXd injection(const Expansion& expansion, const Potentials& potentials) {
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(expansion.unknowns, potentials.cols());
    for (const Element& e : expansion.elements) {
        if (expansion.is_unknown(e.from) == expansion.is_unknown(e.to)) continue;
        const NetIndex net = expansion.is_unknown(e.from) ? e.from : e.to;
        const NetIndex terminal = net == e.from ? e.to : e.from;
        result.row(net) += e.conductance * potentials.row(terminal);
    }
    return result;
}

Eigen::MatrixXd inflow(const Expansion& expansion, const Potentials& high, const Potentials& low) {
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(expansion.unknowns, high.cols());
    for (Index k = 0; k < high.cols(); ++k)
        for (const Element& e : expansion.elements) {
            const double drop = (high(e.from, k) - high(e.to, k)) + (low(e.from, k) - low(e.to, k));
            const double current = e.conductance * drop;
            if (expansion.is_unknown(e.from)) result(e.from, k) -= current;
            if (expansion.is_unknown(e.to)) result(e.to, k) += current;
        }
    return result;
}

Eigen::MatrixXd terminal_currents(const Expansion& expansion, const Potentials& potentials) {
    const Index terminals = expansion.word_lines + expansion.bit_lines;
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(terminals, potentials.cols());
    for (const Element& e : expansion.elements) {
        if (expansion.is_unknown(e.from) && expansion.is_unknown(e.to)) continue;
        for (Index k = 0; k < potentials.cols(); ++k) {
            const double current = e.conductance * (potentials(e.from, k) - potentials(e.to, k));
            if (!expansion.is_unknown(e.from)) result(e.from - expansion.unknowns, k) -= current;
            if (!expansion.is_unknown(e.to)) result(e.to - expansion.unknowns, k) += current;
        }
    }
    return result;
}

double relative_residual(const Expansion& expansion, const Potentials& potentials) {
    // A branch current this small beside conductance times voltage is rounding of the voltages.
    constexpr double rounding = 1e-14;
    const Potentials no_low_part = Potentials::Zero(potentials.rows(), potentials.cols());
    const Eigen::MatrixXd excess = inflow(expansion, potentials, no_low_part);
    double worst = 0;
    for (Index k = 0; k < potentials.cols() && expansion.unknowns > 0; ++k) {
        double largest_current = 0;
        double largest_scale = 0;
        for (const Element& e : expansion.elements) {
            const double from = potentials(e.from, k);
            const double to = potentials(e.to, k);
            largest_current = std::max(largest_current, std::abs(e.conductance * (from - to)));
            largest_scale =
                std::max(largest_scale, e.conductance * std::max(std::abs(from), std::abs(to)));
        }
        if (largest_current > rounding * largest_scale)
            worst = std::max(worst, excess.col(k).cwiseAbs().maxCoeff() / largest_current);
    }
    return worst;
}

}  // namespace kirchnet
