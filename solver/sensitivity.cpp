// Tellegen's theorem for the array and its adjoint network, docs/methods/sensitivities.md:
//     dI_c / dG_ij = di/dG(G_ij, u_ij) (a_bit - a_word),    L(di/dv) a = B e_c.
#include "solver/sensitivity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "circuit/conductance_slope.hpp"
#include "circuit/elements.hpp"
#include "circuit/error.hpp"

namespace kirchnet {
namespace {

// Bounds what is kept at once of maps of which one column is wanted.
constexpr Index lines_at_once = 16;

void check_shape(const Crossbar& crossbar, const CellMatrix& voltage) {
    const auto [m, n] = crossbar.shape();
    if (voltage.rows() != m || voltage.cols() != n)
        throw InvalidInput("node voltages",
                           fmt::format("of {} x {} cells, but the array has {} x {}",
                                       voltage.rows(), voltage.cols(), m, n));
}

std::span<const double> values_of(const CellMatrix& matrix) {
    return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}
std::span<double> values_of(CellMatrix& matrix) {
    return {matrix.data(), static_cast<std::size_t>(matrix.size())};
}

/// Voltage across each cell; 0 where a node is cut off, so that no current flows.
CellMatrix cell_voltages(const Crossbar& crossbar, const CellMatrix& word_line_voltage,
                         const CellMatrix& bit_line_voltage) {
    check_shape(crossbar, word_line_voltage);
    check_shape(crossbar, bit_line_voltage);
    return (word_line_voltage - bit_line_voltage).unaryExpr([](double drop) {
        return std::isnan(drop) ? 0.0 : drop;
    });
}

/// The array whose ohmic cells answer to small changes of voltage as these cells do.
Crossbar linearise(const Crossbar& crossbar, const CellMatrix& drop) {
    CellMatrix slope(drop.rows(), drop.cols());
    crossbar.law().derivative(values_of(crossbar.conductance()), values_of(drop), values_of(slope));
    return Crossbar(std::move(slope), crossbar.wires(), crossbar.pattern());
}

/// di/dG, 0 where it reaches no terminal.
CellMatrix slopes_by_conductance(const Crossbar& crossbar, const CellMatrix& drop,
                                 const Expansion& expansion) {
    CellMatrix slope(drop.rows(), drop.cols());
    conductance_slope(crossbar.law(), values_of(crossbar.conductance()), values_of(drop),
                      values_of(slope));
    for (Index i = 0; i < slope.size(); ++i) {
        const auto cell = static_cast<std::size_t>(i);
        if (expansion.word_net[cell] == cut_off_net || expansion.bit_net[cell] == cut_off_net ||
            interrupts(crossbar.faults().data()[i]))
            slope.data()[i] = 0;
    }
    return slope;
}

}  // namespace

SensitivitySolver::SensitivitySolver(const Crossbar& crossbar, const CellMatrix& word_line_voltage,
                                     const CellMatrix& bit_line_voltage, AdjointRoad road)
    : linearised_(
          linearise(crossbar, cell_voltages(crossbar, word_line_voltage, bit_line_voltage))) {
    const CellMatrix drop = cell_voltages(crossbar, word_line_voltage, bit_line_voltage);
    slope_ = slopes_by_conductance(crossbar, drop, expand(linearised_));
    if (road == AdjointRoad::nodal) return;
    tree_.emplace(Retain::everything);
    if (!tree_->reduce(linearised_)) tree_.reset();
}

std::vector<CellMatrix> SensitivitySolver::adjoint_drops(const std::vector<Index>& bit_lines) {
    std::vector<CellMatrix> drops;
    if (!tree_) {
        const OperatingPoint point = nodal_.solve_from_grounds(linearised_, bit_lines);
        for (std::size_t k = 0; k < bit_lines.size(); ++k)
            drops.emplace_back(point.bit_line_voltage[k] - point.word_line_voltage[k]);
        return drops;
    }
    const auto [m, n] = linearised_.shape();
    const auto count = static_cast<Index>(bit_lines.size());
    Eigen::MatrixXd grounds = Eigen::MatrixXd::Zero(n, count);
    for (Index k = 0; k < count; ++k) grounds(bit_lines[static_cast<std::size_t>(k)], k) = 1;
    for (const NodeVoltages& at : tree_->voltages(Eigen::MatrixXd::Zero(m, count), grounds))
        drops.emplace_back(at.bit_line - at.word_line);
    return drops;
}

std::vector<CellMatrix> SensitivitySolver::of_bit_lines(const std::vector<Index>& bit_lines) {
    const Index n = linearised_.shape().bit_lines;
    for (const Index c : bit_lines)
        if (c < 0 || c >= n)
            throw InvalidInput(fmt::format("bit line {}", c),
                               fmt::format("the array has {} (0 to {})", n, n - 1));
    std::vector<CellMatrix> result = adjoint_drops(bit_lines);
    for (CellMatrix& of : result)
        for (Index i = 0; i < of.size(); ++i) {
            const double slope = slope_.data()[i];
            of.data()[i] = slope == 0 ? 0 : slope * of.data()[i];  // not 0 times NaN
        }
    return result;
}

CellMatrix SensitivitySolver::of_own_bit_lines() {
    const auto [m, n] = linearised_.shape();
    CellMatrix result(m, n);
    for (Index first = 0; first < n; first += lines_at_once) {
        std::vector<Index> lines(static_cast<std::size_t>(std::min(lines_at_once, n - first)));
        std::iota(lines.begin(), lines.end(), first);
        const auto found = of_bit_lines(lines);
        for (std::size_t k = 0; k < lines.size(); ++k)
            result.col(lines[k]) = found[k].col(lines[k]);
    }
    return result;
}

}  // namespace kirchnet
