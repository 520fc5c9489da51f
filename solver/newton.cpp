// Kirchhoff's current law at every unknown net, docs/methods/nonlinear-cells.md:
//     R(u) = L_wires u + B_cells I(B_cells^T u) - (currents of terminals) = 0
//     J(u) du = -R(u),   J = L with cell slopes dI/dv for conductances,   u += t du.
// R is the gradient of the circuit's co-content, which is convex; t halves until the slope of the
// co-content along du has not turned up by more than half of what it went down.
#include "solver/newton.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "solver/klu_factorization.hpp"
#include "solver/nested_dissection.hpp"
#include "solver/stamps.hpp"

namespace kirchnet {
namespace {

constexpr Index chord_block = 8;
constexpr int most_halvings = 60;
constexpr int most_polishing_steps = 4;
constexpr double most_upturn = 0.5;
constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double not_defined = std::numeric_limits<double>::quiet_NaN();

/// Voltages of all nets as unevaluated sums high + low.
struct Voltage {
    Eigen::VectorXd high;
    Eigen::VectorXd low;
};

/// high + low += addend, exactly (Knuth's two-sum).
void add_exactly(double& high, double& low, double addend) {
    addend += low;
    const double sum = high + addend;
    const double part = sum - high;
    low = (high - (sum - part)) + (addend - part);
    high = sum;
}

/// Kirchhoff's law at one set of voltages.
struct Balance {
    Eigen::VectorXd inflow;   ///< current into each unknown net [A], [unknowns]
    double missing = 0;       ///< sum of |inflow|
    double cell_current = 0;  ///< sum of |current| over cells
    double rounding = 0;      ///< inflow that rounding of voltages alone may cause
    double largest_inflow = 0;
    double largest_branch = 0;

    [[nodiscard]] bool holds(double tolerance) const {
        return missing <= tolerance * cell_current + rounding;
    }
    [[nodiscard]] double residual() const {
        return missing <= rounding && cell_current == 0 ? 0 : missing / cell_current;
    }
    [[nodiscard]] double kirchhoff() const {
        return largest_branch > 0 ? largest_inflow / largest_branch : 0;
    }
};

/// The circuit's elements by kind, their cells in arrays that laws work on.
class Equations {
  public:
    explicit Equations(const Crossbar& crossbar)
        : law_(crossbar.law()), expansion_(expand(crossbar)), differential_(expansion_) {
        for (std::size_t k = 0; k < expansion_.elements.size(); ++k)
            if (expansion_.elements[k].kind == ElementKind::cell) {
                cells_.push_back(k);
                conductance_.push_back(expansion_.elements[k].conductance);
            } else {
                wires_.push_back(k);
            }
        drop_.resize(cells_.size());
        current_.resize(cells_.size());
    }

    [[nodiscard]] const Expansion& expansion() const { return expansion_; }
    [[nodiscard]] Index nets() const {
        return expansion_.unknowns + expansion_.word_lines + expansion_.bit_lines;
    }

    [[nodiscard]] Voltage start(const Eigen::Ref<const Eigen::VectorXd>& input) const {
        Voltage u{Eigen::VectorXd::Zero(nets()), Eigen::VectorXd::Zero(nets())};
        u.high.segment(expansion_.unknowns, expansion_.word_lines) = input;
        return u;
    }

    [[nodiscard]] Balance balance(const Voltage& u) {
        Balance result = balance_of_all_nets(u);
        result.inflow.conservativeResize(expansion_.unknowns);
        result.missing = result.inflow.cwiseAbs().sum();
        if (expansion_.unknowns > 0) result.largest_inflow = result.inflow.cwiseAbs().maxCoeff();
        return result;
    }

    /// The array with every cell's slope at u for its conductance.
    [[nodiscard]] const Expansion& linearised(const Voltage& u) {
        find_drops(u);
        law_.derivative(conductance_, drop_, current_);
        for (std::size_t i = 0; i < cells_.size(); ++i)
            differential_.elements[cells_[i]].conductance = current_[i];
        return differential_;
    }

    /// Current into each virtual ground [A].
    [[nodiscard]] Eigen::VectorXd bit_line_currents(const Voltage& u) {
        return balance_of_all_nets(u).inflow.tail(expansion_.bit_lines);
    }

  private:
    /// Terminals among the nets.
    [[nodiscard]] Balance balance_of_all_nets(const Voltage& u) {
        find_cell_currents(u);
        Balance result;
        result.inflow = Eigen::VectorXd::Zero(nets());
        for (const std::size_t k : wires_) {
            const Element& e = expansion_.elements[k];
            add(e, e.conductance * drop(u, e), result);
            result.rounding += epsilon * e.conductance *
                               std::max(std::abs(u.high(e.from)), std::abs(u.high(e.to)));
        }
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            add(expansion_.elements[cells_[i]], current_[i], result);
            result.cell_current += std::abs(current_[i]);
        }
        return result;
    }

    static double drop(const Voltage& u, const Element& e) {
        return (u.high(e.from) - u.high(e.to)) + (u.low(e.from) - u.low(e.to));
    }
    static void add(const Element& e, double current, Balance& balance) {
        balance.inflow(e.from) -= current;
        balance.inflow(e.to) += current;
        // Not std::max, which would lose a NaN.
        if (!(std::abs(current) <= balance.largest_branch))
            balance.largest_branch = std::abs(current);
    }
    void find_drops(const Voltage& u) {
        for (std::size_t i = 0; i < cells_.size(); ++i)
            drop_[i] = drop(u, expansion_.elements[cells_[i]]);
    }
    void find_cell_currents(const Voltage& u) {
        find_drops(u);
        law_.current(conductance_, drop_, current_);
    }

    CellLaw law_;
    Expansion expansion_;
    Expansion differential_;  ///< cells' slopes in place of their conductances
    std::vector<std::size_t> cells_;
    std::vector<std::size_t> wires_;
    std::vector<double> conductance_;
    std::vector<double> drop_;
    std::vector<double> current_;
};

CellMatrix spread(const std::vector<NetIndex>& nets, const Expansion& expansion,
                  const Eigen::VectorXd& voltage) {
    CellMatrix result(expansion.word_lines, expansion.bit_lines);
    for (Index i = 0; i < result.size(); ++i) {
        const NetIndex net = nets[static_cast<std::size_t>(i)];
        result.data()[i] = net == cut_off_net ? not_defined : voltage(net);
    }
    return result;
}

}  // namespace

struct NewtonSolver::State {
    NewtonSettings settings;
    std::vector<InputReport> reports;
    KluFactorization factors;
    Sparsity sparsity;
    bool is_factorized = false;

    void analyze(const Expansion& expansion);
    void factorize(const Expansion& differential);
    [[nodiscard]] Eigen::VectorXd newton_step(Equations& equations, const Voltage& u,
                                              const Balance& balance);
    [[nodiscard]] Balance move(Equations& equations, Voltage& u, const Eigen::VectorXd& step,
                               const Balance& before) const;
    void polish(Equations& equations, Voltage& u, Balance& balance);
    [[nodiscard]] Voltage find(Equations& equations, Voltage u, Balance& balance,
                               InputReport& report);
    void find_by_chords(Equations& equations, std::vector<Voltage>& points,
                        std::vector<Balance>& balances, InputReport* reports_of_block);
    void keep(Equations& equations, const Voltage& u, const Balance& balance, Index k,
              Voltages voltages, OperatingPoint& point);
    void warn(const Expansion& expansion, OperatingPoint& point) const;
};

void NewtonSolver::State::analyze(const Expansion& expansion) {
    is_factorized = false;
    if (expansion.unknowns == 0) return;
    sparsity = make_sparsity(expansion);
    factors.analyze(sparsity.column_start, sparsity.row, nested_dissection(expansion));
}

void NewtonSolver::State::factorize(const Expansion& differential) {
    const auto values = stamp_conductances(differential, sparsity);
    const auto failed = is_factorized ? factors.refactorize(values) : factors.factorize(values);
    if (failed)
        throw SingularSystem(
            differential.net_name(*failed),
            fmt::format("{} array, Newton step; is a cell shorted on an open line?",
                        to_string(ArrayShape{differential.word_lines, differential.bit_lines})));
    is_factorized = true;
}

Eigen::VectorXd NewtonSolver::State::newton_step(Equations& equations, const Voltage& u,
                                                 const Balance& balance) {
    factorize(equations.linearised(u));
    Eigen::VectorXd step = balance.inflow;
    factors.solve(step);
    return step;
}

/// u += t step, with the balance there.
Balance NewtonSolver::State::move(Equations& equations, Voltage& u, const Eigen::VectorXd& step,
                                  const Balance& before) const {
    const double descent = step.dot(before.inflow);
    double t = 1;
    for (int halving = 0;; ++halving, t /= 2) {
        Voltage trial = u;
        for (Index net = 0; net < step.size(); ++net)
            add_exactly(trial.high(net), trial.low(net), t * step(net));
        Balance there = equations.balance(trial);
        const bool enough = step.dot(there.inflow) >= -most_upturn * descent;
        if (enough || halving == most_halvings) {
            u = std::move(trial);
            return there;
        }
    }
}

/// Corrections on the last factors while they help: each gains many digits and costs one solve.
void NewtonSolver::State::polish(Equations& equations, Voltage& u, Balance& balance) {
    for (int i = 0; i < most_polishing_steps && is_factorized; ++i) {
        Eigen::VectorXd step = balance.inflow;
        factors.solve(step);
        Voltage better = u;
        const Balance there = move(equations, better, step, balance);
        if (!(there.missing < balance.missing)) return;
        const bool is_done = there.missing > 0.1 * balance.missing;
        u = std::move(better);
        balance = there;
        if (is_done) return;
    }
}

Voltage NewtonSolver::State::find(Equations& equations, Voltage u, Balance& balance,
                                  InputReport& report) {
    report.method = SolveMethod::newton_klu;
    balance = equations.balance(u);
    // Before the first step no current flows, which balances but where no unknown net is.
    const bool is_settled = equations.expansion().unknowns == 0;
    while (!is_settled && report.newton_steps < settings.max_iterations) {
        if (balance.holds(settings.tolerance) && report.newton_steps > 0) break;
        const Eigen::VectorXd step = newton_step(equations, u, balance);
        if (!step.allFinite()) break;
        balance = move(equations, u, step, balance);
        ++report.newton_steps;
    }
    report.converged = balance.holds(settings.tolerance);
    if (report.converged && settings.polish && !is_settled) polish(equations, u, balance);
    report.residual = balance.residual();
    return u;
}

void NewtonSolver::State::find_by_chords(Equations& equations, std::vector<Voltage>& points,
                                         std::vector<Balance>& balances,
                                         InputReport* reports_of_block) {
    const auto unknowns = equations.expansion().unknowns;
    const auto count = static_cast<Index>(points.size());
    for (int step = 0; step <= settings.max_iterations; ++step) {
        Eigen::MatrixXd correction(unknowns, count);
        bool all = true;
        for (Index k = 0; k < count; ++k) {
            const auto at = static_cast<std::size_t>(k);
            balances[at] = equations.balance(points[at]);
            correction.col(k) = balances[at].inflow;
            InputReport& report = reports_of_block[k];
            report.method = SolveMethod::chord_klu;
            report.converged = step > 0 && balances[at].holds(settings.tolerance);
            report.residual = balances[at].residual();
            if (!report.converged) report.newton_steps = step;
            all = all && report.converged;
        }
        if (all || unknowns == 0 || !correction.allFinite()) return;
        factors.solve(correction);
        for (Index k = 0; k < count; ++k)
            for (Index net = 0; net < unknowns; ++net)
                add_exactly(points[static_cast<std::size_t>(k)].high(net),
                            points[static_cast<std::size_t>(k)].low(net), correction(net, k));
    }
}

void NewtonSolver::State::keep(Equations& equations, const Voltage& u, const Balance& balance,
                               Index k, Voltages voltages, OperatingPoint& point) {
    const Expansion& expansion = equations.expansion();
    const bool is_good = reports[static_cast<std::size_t>(k)].converged;
    if (is_good) point.current.col(k) = equations.bit_line_currents(u);
    if (is_good) point.residual = std::max(point.residual, balance.kirchhoff());
    if (voltages != Voltages::keep) return;
    const Eigen::VectorXd voltage =
        is_good ? u.high : Eigen::VectorXd::Constant(u.high.size(), not_defined);
    point.word_line_voltage.push_back(spread(expansion.word_net, expansion, voltage));
    point.bit_line_voltage.push_back(spread(expansion.bit_net, expansion, voltage));
}

void NewtonSolver::State::warn(const Expansion& expansion, OperatingPoint& point) const {
    if (auto warning = describe_cut_off(expansion); !warning.empty())
        point.warnings.push_back(std::move(warning));
    for (std::size_t k = 0; k < reports.size(); ++k)
        if (!reports[k].converged)
            point.warnings.push_back(
                fmt::format("input {}: no operating point found in {} Newton steps (residual "
                            "{:.1e}); its currents are NaN",
                            k, reports[k].newton_steps, reports[k].residual));
}

NewtonSolver::NewtonSolver(NewtonSettings settings) : state_(std::make_unique<State>()) {
    state_->settings = settings;
}
NewtonSolver::~NewtonSolver() = default;

OperatingPoint NewtonSolver::solve(const Crossbar& crossbar,
                                   const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                   Voltages voltages) {
    check_inputs(crossbar, inputs);
    Equations equations(crossbar);
    state_->analyze(equations.expansion());
    state_->reports.assign(static_cast<std::size_t>(inputs.cols()), {});
    OperatingPoint point;
    point.current =
        Eigen::MatrixXd::Constant(equations.expansion().bit_lines, inputs.cols(), not_defined);
    for (Index k = 0; k < inputs.cols(); ++k) {
        Balance balance;
        const Voltage u = state_->find(equations, equations.start(inputs.col(k)), balance,
                                       state_->reports[static_cast<std::size_t>(k)]);
        state_->keep(equations, u, balance, k, voltages, point);
    }
    state_->warn(equations.expansion(), point);
    return point;
}

OperatingPoint NewtonSolver::solve_by_chords(const Crossbar& crossbar,
                                             const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                             Voltages voltages) {
    check_inputs(crossbar, inputs);
    Equations equations(crossbar);
    state_->analyze(equations.expansion());
    if (equations.expansion().unknowns > 0) state_->factorize(equations.expansion());
    state_->reports.assign(static_cast<std::size_t>(inputs.cols()), {});
    OperatingPoint point;
    point.current =
        Eigen::MatrixXd::Constant(equations.expansion().bit_lines, inputs.cols(), not_defined);
    for (Index first = 0; first < inputs.cols(); first += chord_block) {
        const Index count = std::min(chord_block, inputs.cols() - first);
        std::vector<Voltage> points;
        for (Index k = 0; k < count; ++k) points.push_back(equations.start(inputs.col(first + k)));
        std::vector<Balance> balances(points.size());
        state_->find_by_chords(equations, points, balances,
                               state_->reports.data() + static_cast<std::size_t>(first));
        for (Index k = 0; k < count; ++k)
            state_->keep(equations, points[static_cast<std::size_t>(k)],
                         balances[static_cast<std::size_t>(k)], first + k, voltages, point);
    }
    state_->warn(equations.expansion(), point);
    return point;
}

const std::vector<InputReport>& NewtonSolver::reports() const {
    return state_->reports;
}

}  // namespace kirchnet
