// Kirchhoff's current law at every unknown net, docs/methods/nodal-equations.md:
//     L u = B p,    L = sum of element stamps, p = voltages of sources and virtual grounds.
// By reciprocity T(c, r) is the current into source r when ground c alone is held at 1 V,
// docs/methods/transfer-matrix.md.
#include "solver/nodal_solver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "solver/kirchhoff.hpp"
#include "solver/klu_factorization.hpp"
#include "solver/nested_dissection.hpp"
#include "solver/stamps.hpp"

namespace kirchnet {
namespace {

// Right-hand sides per block: KLU works on four at a time, memory bounds the rest.
constexpr Index block_size = 32;
// Relative rounding error is about condition * 1e-16. Below the first limit a plain solve leaves
// every entry of T within 1e-11; at the second the double-precision factors no longer contract.
constexpr double refine_above = 1e5;
constexpr double condition_limit = 1e14;
constexpr int most_steps = 12;
// A correction this small, relative to each voltage, leaves the next below rounding.
constexpr double negligible_correction = 1e-13;

enum class Refinement : bool { where_needed, always };

/// high + low += correction, exactly (Knuth's two-sum).
/// @return  whether the correction mattered
bool add_exactly(double& high, double& low, double correction) {
    const double addend = low + correction;
    const double sum = high + addend;
    const double part = sum - high;
    low = (high - (sum - part)) + (addend - part);
    high = sum;
    return std::abs(correction) > negligible_correction * std::abs(high);
}

bool same_conductances(const Expansion& x, const Expansion& y) {
    return std::equal(
        x.elements.begin(), x.elements.end(), y.elements.begin(), y.elements.end(),
        [](const Element& a, const Element& b) { return a.conductance == b.conductance; });
}

CellMatrix spread(const std::vector<NetIndex>& nets, const Expansion& expansion,
                  const Potentials& potentials, Index k) {
    CellMatrix voltage(expansion.word_lines, expansion.bit_lines);
    for (Index i = 0; i < voltage.size(); ++i) {
        const NetIndex net = nets[static_cast<std::size_t>(i)];
        voltage.data()[i] =
            net == cut_off_net ? std::numeric_limits<double>::quiet_NaN() : potentials(net, k);
    }
    return voltage;
}

}  // namespace

struct NodalSolver::State {
    Expansion expansion;
    Sparsity sparsity;
    KluFactorization factors;
    double condition = 0;
    bool is_ready = false;

    void prepare(const Crossbar& crossbar);
    void eliminate(bool pattern_stands);
    void measure_condition();
    [[noreturn]] void refuse(NetIndex net) const;
    void find_unknowns(Potentials& potentials, Refinement refinement);
    void refine(Potentials& potentials);
    bool correct(Potentials& high, Potentials& low);
    Potentials excite(const std::vector<Index>& grounds);
    Eigen::MatrixXd terminal_response(const Crossbar& crossbar, Index grounds);
    void keep_voltages(const Potentials& potentials, OperatingPoint& point) const;
};

void NodalSolver::State::prepare(const Crossbar& crossbar) {
    Expansion next = expand(crossbar);
    const bool pattern_stands = is_ready && same_pattern(expansion, next);
    const bool stands = pattern_stands && same_conductances(expansion, next);
    expansion = std::move(next);
    if (stands) return;
    is_ready = false;  // until elimination has succeeded
    condition = 0;
    if (expansion.unknowns > 0) {
        eliminate(pattern_stands);
        measure_condition();
    }
    is_ready = true;
}

void NodalSolver::State::eliminate(bool pattern_stands) {
    if (!pattern_stands) {
        sparsity = make_sparsity(expansion);
        factors.analyze(sparsity.column_start, sparsity.row, nested_dissection(expansion));
    }
    const auto values = stamp_conductances(expansion, sparsity);
    const auto failed = pattern_stands ? factors.refactorize(values) : factors.factorize(values);
    if (failed) refuse(*failed);
}

/// L is an M-matrix, so its inverse has no negative entry and one solve gives the row sums of
/// |L^-1| diag(L).
void NodalSolver::State::measure_condition() {
    Eigen::MatrixXd growth = conductance_at_nets(expansion);
    factors.solve(growth);
    for (NetIndex net = 0; net < expansion.unknowns; ++net) {
        const double here = growth(net, 0);
        if (!(here > 0 && here < std::numeric_limits<double>::infinity())) refuse(net);
        condition = std::max(condition, here);
    }
    if (condition > condition_limit) {
        Index worst = 0;
        growth.col(0).maxCoeff(&worst);
        refuse(static_cast<NetIndex>(worst));
    }
}

void NodalSolver::State::refuse(NetIndex net) const {
    throw SingularSystem(
        expansion.net_name(net),
        fmt::format("{} array; the conductance leading away from it vanishes beside that around "
                    "it: is a cell shorted on an open line?",
                    to_string(ArrayShape{expansion.word_lines, expansion.bit_lines})));
}

/// Fills in the unknown rows; the terminals' rows are given.
void NodalSolver::State::find_unknowns(Potentials& potentials, Refinement refinement) {
    if (expansion.unknowns == 0) return;
    auto unknown = potentials.topRows(expansion.unknowns);
    unknown = injection(expansion, potentials);
    factors.solve(unknown);
    if (refinement == Refinement::always || condition > refine_above) refine(potentials);
}

/// Carries voltages in twice the working precision, which leaves them correct to the last bit.
void NodalSolver::State::refine(Potentials& potentials) {
    Potentials low = Potentials::Zero(potentials.rows(), potentials.cols());
    for (int step = 0; step < most_steps; ++step)
        if (!correct(potentials, low)) break;
}

bool NodalSolver::State::correct(Potentials& high, Potentials& low) {
    Eigen::MatrixXd correction = inflow(expansion, high, low);
    factors.solve(correction);
    bool mattered = false;
    for (Index k = 0; k < correction.cols(); ++k)
        for (Index net = 0; net < correction.rows(); ++net)
            mattered |= add_exactly(high(net, k), low(net, k), correction(net, k));
    return mattered;
}

/// Voltages with 1 V on one of these virtual grounds at a time, [nets × grounds].
Potentials NodalSolver::State::excite(const std::vector<Index>& grounds) {
    const auto count = static_cast<Index>(grounds.size());
    Potentials potentials = Potentials::Zero(net_count(expansion), count);
    for (Index k = 0; k < count; ++k)
        potentials(expansion.ground(grounds[static_cast<std::size_t>(k)]), k) = 1;
    find_unknowns(potentials, Refinement::where_needed);
    return potentials;
}

/// Currents out of the array into all terminals, sources first, with 1 V on one virtual ground at a
/// time, [word_lines + bit_lines × grounds].
Eigen::MatrixXd NodalSolver::State::terminal_response(const Crossbar& crossbar, Index grounds) {
    prepare(crossbar);
    Eigen::MatrixXd response(expansion.word_lines + expansion.bit_lines, grounds);
    for (Index first = 0; first < grounds; first += block_size) {
        const Index count = std::min(block_size, grounds - first);
        std::vector<Index> block(static_cast<std::size_t>(count));
        std::iota(block.begin(), block.end(), first);
        response.middleCols(first, count) = terminal_currents(expansion, excite(block));
    }
    return response;
}

void NodalSolver::State::keep_voltages(const Potentials& potentials, OperatingPoint& point) const {
    for (Index k = 0; k < potentials.cols(); ++k) {
        point.word_line_voltage.push_back(spread(expansion.word_net, expansion, potentials, k));
        point.bit_line_voltage.push_back(spread(expansion.bit_net, expansion, potentials, k));
    }
}

NodalSolver::NodalSolver() : state_(std::make_unique<State>()) {}
NodalSolver::~NodalSolver() = default;

OperatingPoint NodalSolver::solve(const Crossbar& crossbar,
                                  const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                  Voltages voltages) {
    if (!crossbar.law().is_linear()) return newton_.solve(crossbar, inputs, voltages);
    check_inputs(crossbar, inputs);
    state_->prepare(crossbar);
    const Expansion& expansion = state_->expansion;
    OperatingPoint point;
    point.current.resize(expansion.bit_lines, inputs.cols());
    for (Index first = 0; first < inputs.cols(); first += block_size) {
        const Index count = std::min(block_size, inputs.cols() - first);
        Potentials potentials = Potentials::Zero(net_count(expansion), count);
        potentials.middleRows(expansion.unknowns, expansion.word_lines) =
            inputs.middleCols(first, count);
        state_->find_unknowns(potentials, Refinement::always);
        point.current.middleCols(first, count) =
            terminal_currents(expansion, potentials).bottomRows(expansion.bit_lines);
        point.residual = std::max(point.residual, relative_residual(expansion, potentials));
        if (voltages == Voltages::keep) state_->keep_voltages(potentials, point);
    }
    if (auto warning = describe_cut_off(expansion); !warning.empty())
        point.warnings.push_back(std::move(warning));
    return point;
}

OperatingPoint NodalSolver::solve_from_grounds(const Crossbar& crossbar,
                                               const std::vector<Index>& bit_lines) {
    require_linear_cells(crossbar, "a solution from virtual grounds");
    state_->prepare(crossbar);
    const Expansion& expansion = state_->expansion;
    const Potentials potentials = state_->excite(bit_lines);
    OperatingPoint point;
    point.current = terminal_currents(expansion, potentials).bottomRows(expansion.bit_lines);
    point.residual = relative_residual(expansion, potentials);
    state_->keep_voltages(potentials, point);
    if (auto warning = describe_cut_off(expansion); !warning.empty())
        point.warnings.push_back(std::move(warning));
    return point;
}

Eigen::MatrixXd NodalSolver::transfer_rows(const Crossbar& crossbar, Index bit_lines) {
    require_linear_cells(crossbar, "a transfer matrix");
    return state_->terminal_response(crossbar, bit_lines)
        .topRows(crossbar.shape().word_lines)
        .transpose();
}

ArrayPorts NodalSolver::ports(const Crossbar& crossbar) {
    require_linear_cells(crossbar, "a transfer matrix");
    const auto [m, n] = crossbar.shape();
    const Eigen::MatrixXd response = state_->terminal_response(crossbar, n);
    return {response.topRows(m).transpose(), -response.bottomRows(n)};
}

double NodalSolver::condition() const {
    return state_->condition;
}

}  // namespace kirchnet
