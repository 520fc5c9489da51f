// docs/methods/nonlinear-cells.md. Inputs are taken in blocks of as many as a vector register has
// lanes. A block is finished when every input's Kirchhoff residual, computed anew from its
// voltages, is within the tolerance; what the iteration believes of itself decides only when to
// look.
#include "solver/line_solver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "solver/detail/aligned_buffer.hpp"
#include "solver/detail/line_grid.hpp"

namespace kirchnet {
namespace {

using detail::AlignedBuffer;
using detail::FactorizedLines;
using detail::LineGrid;
using detail::LineKernels;
using detail::LineState;
using detail::WireConductances;

constexpr double not_defined = std::numeric_limits<double>::quiet_NaN();
constexpr double forcing = 1e-3;  // part of the residual that a Newton step may leave
constexpr double reserve = 0.1;   // Newton goes on to this part of the tolerance
constexpr double inner_reserve = 0.02;
constexpr int most_halvings = 60;
constexpr int least_history = 4;          // passes before a rate of contraction is known
constexpr int relaxation_cycle = 3;       // passes from one relaxed pass to the next
constexpr double negligible_part = 1e-2;  // of the worst lane's change
constexpr double fastest_stall = 0.7;     // rate above which more modes than one are slow
constexpr double steepest = 4;            // slope beyond which line solves are not tried

const LineKernels& kernels_of(const LineSettings& settings) {
    if (!settings.instruction_set) return detail::line_kernels();
    for (const LineKernels* kernels : detail::available_line_kernels())
        if (kernels->instruction_set == to_string(*settings.instruction_set)) return *kernels;
    throw InvalidInput("instruction set", fmt::format("this processor does not run {}",
                                                      to_string(*settings.instruction_set)));
}

/// No cell of a batch sees more than this: node voltages lie between those of the terminals.
double voltage_range(const Eigen::Ref<const Eigen::MatrixXd>& inputs) {
    double widest = 0;
    for (Index k = 0; k < inputs.cols(); ++k)
        widest = std::max(widest, std::max(0.0, inputs.col(k).maxCoeff()) -
                                      std::min(0.0, inputs.col(k).minCoeff()));
    return widest;
}

/// Largest slope of any cell relative to its conductance up to this voltage, at least 1. Laws may
/// be steepest anywhere, at either sign: a transistor at 0 V, a sinh at the ends.
double largest_slope(const Crossbar& crossbar, double voltage) {
    if (const auto a = crossbar.law().sinh_factor()) return std::cosh(*a * voltage);
    if (crossbar.law().is_linear()) return 1;
    const auto& G = crossbar.conductance();
    const auto size = static_cast<std::size_t>(G.size());
    std::vector<double> slope(size);
    double largest = 1;
    for (const double part : {-1.0, -0.5, 0.0, 0.5, 1.0}) {
        const std::vector<double> v(size, part * voltage);
        crossbar.law().derivative({G.data(), size}, v, slope);
        for (std::size_t k = 0; k < size; ++k)
            if (G.data()[k] > 0) largest = std::max(largest, slope[k] / G.data()[k]);
    }
    return largest;
}

/// Up to `lanes` inputs side by side.
class Block {
  public:
    /// @param grid  what it points to outlives its use
    Block(const LineKernels& kernels, const LineSettings& settings, const LineGrid& grid)
        : kernels_(kernels),
          settings_(settings),
          grid_(grid),
          cells_(grid.rows * grid.columns * kernels.lanes),
          source_(grid.rows * kernels.lanes),
          word_(cells_),
          bit_(cells_),
          scratch_(detail::scratch_rows * grid.columns * kernels.lanes),
          source_current_(grid.rows * kernels.lanes),
          bit_current_(grid.columns * kernels.lanes),
          sums_(6 * kernels.lanes),
          earlier_current_(grid.rows * kernels.lanes),
          relaxation_(kernels.lanes) {}

    void solve(const Eigen::Ref<const Eigen::MatrixXd>& inputs, bool by_lines) {
        start(inputs);
        const bool is_done = by_lines && iterate();
        if (!is_done) finish_by_newton();
    }

    [[nodiscard]] InputReport report(std::size_t lane) const {
        InputReport report;
        report.converged = holds(lane);
        report.method = newton_steps_ > 0 ? SolveMethod::newton_pcg : SolveMethod::line;
        report.line_iterations = line_iterations_;
        report.newton_steps = newton_steps_;
        report.inner_iterations = inner_iterations_;
        report.residual = residual(lane);
        return report;
    }
    [[nodiscard]] double current(std::size_t column, std::size_t lane) const {
        return bit_current_.data()[column * kernels_.lanes + lane];
    }
    /// Largest inflow of a net over the largest branch current.
    [[nodiscard]] double kirchhoff(std::size_t lane) const {
        return branch()[lane] > 0 ? largest()[lane] / branch()[lane] : 0;
    }
    [[nodiscard]] CellMatrix word_voltage(std::size_t lane) const { return voltage(word_, lane); }
    [[nodiscard]] CellMatrix bit_voltage(std::size_t lane) const { return voltage(bit_, lane); }

  private:
    /// Sources along their whole word line, bit lines at ground.
    void start(const Eigen::Ref<const Eigen::MatrixXd>& inputs) {
        const std::size_t lanes = kernels_.lanes;
        for (std::size_t r = 0; r < grid_.rows; ++r)
            for (std::size_t k = 0; k < lanes; ++k)
                source_.data()[r * lanes + k] =
                    static_cast<Index>(k) < inputs.cols()
                        ? inputs(static_cast<Index>(r), static_cast<Index>(k))
                        : 0;
        reset_voltages();
        line_iterations_ = newton_steps_ = inner_iterations_ = 0;
        for (auto& moved : moved_) moved.assign(kernels_.lanes, 0.0);
        rates_.assign(kernels_.lanes, 0.0);
        total_.assign(kernels_.lanes, 0.0);
        std::fill_n(source_current_.data(), source_current_.size(), 0.0);
    }

    void reset_voltages() {
        const std::size_t lanes = kernels_.lanes;
        for (std::size_t r = 0; r < grid_.rows; ++r)
            for (std::size_t c = 0; c < grid_.columns; ++c)
                std::copy_n(source_.data() + r * lanes, lanes,
                            word_.data() + (r * grid_.columns + c) * lanes);
        std::fill_n(bit_.data(), cells_, 0.0);
        content_ = detail::voltages;
        direction_ = detail::downwards;
    }

    /// @return  whether every lane converged; otherwise the method stalls
    bool iterate() {
        while (line_iterations_ < settings_.max_line_iterations) {
            pass();
            if (line_iterations_ < least_history) continue;
            find_rates();
            const double expected = change_ * part_left_;
            if (!(passes_between(expected, settings_.tolerance) <= settings_.stall_iterations))
                break;
            if (expected > settings_.tolerance) continue;
            if (look()) return true;
            part_left_ = std::max(part_left_, worst_residual() / change_);
        }
        return look();
    }

    void pass() {
        relax();
        std::copy_n(source_current_.data(), source_current_.size(), earlier_current_.data());
        kernels_.pass(grid_, state(), direction_, content_);
        content_ = detail::eliminated;
        direction_ = direction_ == detail::downwards ? detail::upwards : detail::downwards;
        ++line_iterations_;
        measure_change();
    }

    /// Every third pass goes where the slowest mode, which shrinks by `rates_` each pass, would
    /// end.
    void relax() {
        const bool is_due = line_iterations_ >= least_history &&
                            (line_iterations_ - least_history) % relaxation_cycle == 0;
        for (std::size_t k = 0; k < kernels_.lanes; ++k)
            relaxation_.data()[k] = is_due && rates_[k] < fastest_stall ? 1 / (1 - rates_[k]) : 1;
    }

    /// How much the sources' currents moved in the last pass, relative to all of them; the worst
    /// lane.
    void measure_change() {
        change_ = 0;
        for (std::size_t k = 0; k < kernels_.lanes; ++k) {
            double moved = 0;
            double total = 0;
            for (std::size_t r = 0; r < grid_.rows; ++r) {
                const std::size_t i = r * kernels_.lanes + k;
                moved += std::abs(source_current_.data()[i] - earlier_current_.data()[i]);
                total += std::abs(source_current_.data()[i]);
            }
            for (std::size_t age = moved_.size() - 1; age > 0; --age)
                moved_[age][k] = moved_[age - 1][k];
            moved_[0][k] = moved;
            total_[k] = total;
            const double change = total > 0 ? moved / total : 0;
            if (!(change <= change_)) change_ = change;  // not std::max, which would lose a NaN
        }
    }

    /// By which factor changes shrink: over the first passes, for the relaxation; over the last
    /// whole cycle, to foresee the end. What a pass leaves is about that part of what it moved, or
    /// twice.
    void find_rates() {
        slowest_rate_ = 0;
        for (std::size_t k = 0; k < kernels_.lanes; ++k) {
            if (line_iterations_ == least_history)
                rates_[k] = moved_[2][k] > 0 ? std::sqrt(moved_[0][k] / moved_[2][k]) : 0;
            const bool is_slow = moved_[0][k] > negligible_part * change_ * total_[k];
            const double rate = line_iterations_ == least_history
                                    ? rates_[k]
                                    : std::cbrt(moved_[0][k] / moved_[relaxation_cycle][k]);
            if (is_slow && !(rate <= slowest_rate_)) slowest_rate_ = rate;
        }
        if (line_iterations_ == least_history) part_left_ = std::min(1.0, 2 * slowest_rate_);
    }

    [[nodiscard]] double passes_between(double from, double to) const {
        if (from <= to) return 0;
        if (!(slowest_rate_ < 1)) return std::numeric_limits<double>::infinity();
        return std::log(from / to) / -std::log(slowest_rate_);
    }

    [[nodiscard]] double worst_residual() const {
        double worst = 0;
        for (std::size_t k = 0; k < kernels_.lanes; ++k)
            if (!(residual(k) <= worst)) worst = residual(k);
        return worst;
    }

    /// The verdict: Kirchhoff's law at every net, from the voltages alone.
    /// @return  whether all lanes are within this part of the tolerance
    bool look(double part = 1) {
        if (content_ == detail::eliminated) kernels_.finish(grid_, state(), direction_);
        content_ = detail::voltages;
        kernels_.residual(grid_, state(),
                          {missing(), cell_current(), rounding(), largest(), branch()});
        return all_hold(part);
    }

    /// Goes on to a tenth of the tolerance where that still helps: steps converge quadratically.
    void finish_by_newton() {
        look();
        if (!is_finite()) {
            reset_voltages();
            look();
        }
        const AlignedBuffer space(detail::newton_arrays * cells_);
        bool is_done = false;
        while (!is_done && is_finite() && newton_steps_ < settings_.max_newton_steps) {
            const double before = worst_residual();
            newton_step(space);
            const bool holds_well = look(reserve);
            is_done = holds_well || (all_hold(1) && worst_residual() > 0.5 * before);
        }
    }

    void newton_step(const AlignedBuffer& space) {
        const auto array = [&](std::size_t k) { return space.data() + k * cells_; };
        const detail::NewtonSpace views{array(0), array(1), array(2), array(3), array(4), array(5),
                                        array(6), array(7), array(8), array(9), array(10)};
        double* target = sums_.data() + 5 * kernels_.lanes;
        for (std::size_t k = 0; k < kernels_.lanes; ++k)
            target[k] = inner_reserve * settings_.tolerance * cell_current()[k];
        inner_iterations_ +=
            kernels_.newton_step(grid_, state(), views,
                                 {forcing, target, settings_.max_inner_iterations, most_halvings});
        ++newton_steps_;
    }

    [[nodiscard]] bool is_finite() const {
        for (std::size_t k = 0; k < kernels_.lanes; ++k)
            if (std::isfinite(missing()[k])) return true;
        return false;
    }

    [[nodiscard]] bool holds(std::size_t lane, double part = 1) const {
        return missing()[lane] <=
               part * settings_.tolerance * cell_current()[lane] + rounding()[lane];
    }
    [[nodiscard]] bool all_hold(double part) const {
        for (std::size_t k = 0; k < kernels_.lanes; ++k)
            if (!holds(k, part)) return false;
        return true;
    }
    [[nodiscard]] double residual(std::size_t lane) const {
        const bool is_idle = cell_current()[lane] == 0 && missing()[lane] <= rounding()[lane];
        return is_idle ? 0 : missing()[lane] / cell_current()[lane];
    }

    [[nodiscard]] CellMatrix voltage(const AlignedBuffer& from, std::size_t lane) const {
        CellMatrix result(static_cast<Index>(grid_.rows), static_cast<Index>(grid_.columns));
        for (Index i = 0; i < result.size(); ++i)
            result.data()[i] = from.data()[static_cast<std::size_t>(i) * kernels_.lanes + lane];
        return result;
    }

    [[nodiscard]] LineState state() const {
        return {source_.data(),  relaxation_.data(),     word_.data(),       bit_.data(),
                scratch_.data(), source_current_.data(), bit_current_.data()};
    }
    [[nodiscard]] double* missing() const { return sums_.data(); }
    [[nodiscard]] double* cell_current() const { return sums_.data() + kernels_.lanes; }
    [[nodiscard]] double* rounding() const { return sums_.data() + 2 * kernels_.lanes; }
    [[nodiscard]] double* largest() const { return sums_.data() + 3 * kernels_.lanes; }
    [[nodiscard]] double* branch() const { return sums_.data() + 4 * kernels_.lanes; }

    const LineKernels& kernels_;
    const LineSettings& settings_;
    LineGrid grid_;
    std::size_t cells_;
    AlignedBuffer source_;
    AlignedBuffer word_;
    AlignedBuffer bit_;
    AlignedBuffer scratch_;
    AlignedBuffer source_current_;
    AlignedBuffer bit_current_;
    AlignedBuffer sums_;
    AlignedBuffer earlier_current_;
    AlignedBuffer relaxation_;
    std::array<std::vector<double>, relaxation_cycle + 1> moved_;  ///< per lane, last pass first
    std::vector<double> total_;                                    ///< per lane
    std::vector<double> rates_;                                    ///< per lane
    detail::BitContent content_ = detail::voltages;
    detail::Direction direction_ = detail::downwards;
    int line_iterations_ = 0;
    int newton_steps_ = 0;
    int inner_iterations_ = 0;
    double change_ = 0;        ///< of the worst lane
    double slowest_rate_ = 0;  ///< of the worst lane
    double part_left_ = 1;     ///< residual to expect, as part of the change
};

/// kappa between the slopes that cells have: as small as most of them, but at least half of the
/// largest, without which the iteration would swing (both measured to be near the best).
double kappa_for(double steepness) {
    return std::max(1 + (steepness - 1) / 4, steepness / 2);
}

std::optional<std::string> obstacle_in(const WireConductances& wires, const Crossbar& crossbar) {
    if (wires.has_merged()) return "has nets merged by 0 ohm";
    if (!crossbar.wires().bridges.empty()) return "has bridges between its lines";
    if (wires.has_open() && !expand(crossbar).cut_off.empty())
        return "has nets cut off from every source and ground";
    return std::nullopt;
}

std::string describe_failure(std::size_t input, const InputReport& report) {
    return fmt::format(
        "input {}: no operating point found in {} line iterations and {} Newton steps (residual "
        "{:.1e}); its currents are NaN",
        input, report.line_iterations, report.newton_steps, report.residual);
}

/// What depends on the array alone: kept while the next batch asks for the same one.
struct PreparedArray {
    Crossbar crossbar;
    double slope;
    FactorizedLines lines;
    Block block;

    PreparedArray(const Crossbar& of, WireConductances wires, double kappa,
                  const LineKernels& kernels, const LineSettings& settings)
        : crossbar(of),
          slope(kappa),
          lines(crossbar, std::move(wires), kappa),
          block(kernels, settings, lines.grid()) {}
};

}  // namespace

struct LineSolver::State {
    LineSettings settings;
    const LineKernels* kernels = nullptr;
    std::vector<InputReport> reports;
    std::unique_ptr<PreparedArray> prepared;

    void prepare(const Crossbar& crossbar, double slope);

    void keep(const Block& block, Index input, std::size_t lane, Voltages voltages,
              OperatingPoint& point);
};

/// Takes one lane's results over; NaN where it did not converge.
void LineSolver::State::keep(const Block& block, Index input, std::size_t lane, Voltages voltages,
                             OperatingPoint& point) {
    const InputReport report = block.report(lane);
    reports[static_cast<std::size_t>(input)] = report;
    if (report.converged) {
        for (Index c = 0; c < point.current.rows(); ++c)
            point.current(c, input) = block.current(static_cast<std::size_t>(c), lane);
        point.residual = std::max(point.residual, block.kirchhoff(lane));
    } else {
        point.warnings.push_back(describe_failure(static_cast<std::size_t>(input), report));
    }
    if (voltages != Voltages::keep) return;
    point.word_line_voltage.push_back(block.word_voltage(lane));
    point.bit_line_voltage.push_back(block.bit_voltage(lane));
    if (report.converged) return;
    point.word_line_voltage.back().setConstant(not_defined);
    point.bit_line_voltage.back().setConstant(not_defined);
}

LineSolver::LineSolver(LineSettings settings) : state_(std::make_unique<State>()) {
    state_->settings = settings;
    state_->kernels = &kernels_of(settings);
}
LineSolver::~LineSolver() = default;

std::optional<std::string> LineSolver::obstacle(const Crossbar& crossbar) const {
    if (state_->prepared && state_->prepared->crossbar == crossbar) return std::nullopt;
    return obstacle_in(WireConductances(crossbar), crossbar);
}

void LineSolver::State::prepare(const Crossbar& crossbar, double slope) {
    if (prepared && prepared->slope == slope && prepared->crossbar == crossbar) return;
    WireConductances wires(crossbar);
    if (const auto reason = obstacle_in(wires, crossbar))
        throw InvalidInput("array", fmt::format("the line method does not describe it: it {}; "
                                                "engines nonlinear and nodal do",
                                                *reason));
    prepared.reset();
    prepared =
        std::make_unique<PreparedArray>(crossbar, std::move(wires), slope, *kernels, settings);
}

OperatingPoint LineSolver::solve(const Crossbar& crossbar,
                                 const Eigen::Ref<const Eigen::MatrixXd>& inputs,
                                 Voltages voltages) {
    check_inputs(crossbar, inputs);
    const double steepness = largest_slope(crossbar, voltage_range(inputs));
    const bool by_lines = steepness <= steepest;
    state_->prepare(crossbar, by_lines ? kappa_for(steepness) : 1);
    Block& block = state_->prepared->block;
    state_->reports.assign(static_cast<std::size_t>(inputs.cols()), {});
    OperatingPoint point;
    point.current =
        Eigen::MatrixXd::Constant(crossbar.shape().bit_lines, inputs.cols(), not_defined);
    const auto lanes = static_cast<Index>(state_->kernels->lanes);
    for (Index first = 0; first < inputs.cols(); first += lanes) {
        const Index count = std::min(lanes, inputs.cols() - first);
        block.solve(inputs.middleCols(first, count), by_lines);
        for (Index k = 0; k < count; ++k)
            state_->keep(block, first + k, static_cast<std::size_t>(k), voltages, point);
    }
    return point;
}

const std::vector<InputReport>& LineSolver::reports() const {
    return state_->reports;
}

}  // namespace kirchnet
