#include "random_crossbars.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "circuit/random.hpp"
#include "netlists/ngspice_solver.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/transfer_solver.hpp"

namespace kirchnet::test {
namespace {

/// Uniform numbers of one crossbar, one after the other.
class Draws {
  public:
    explicit Draws(std::uint64_t number) : number_(number) {}
    double uniform() { return keyed_uniform(2026, number_, {next_++, 0, 0, 0}); }
    bool chance(double probability) { return uniform() < probability; }
    Index upto(Index largest) {
        return 1 + static_cast<Index>(uniform() * static_cast<double>(largest));
    }
    double log_uniform(double low, double high) { return low * std::pow(high / low, uniform()); }

  private:
    std::uint64_t number_;
    std::uint64_t next_ = 0;
};

constexpr double open = std::numeric_limits<double>::infinity();

CellMatrix draw_cells(Draws& draws, Index m, Index n) {
    const double open_share = draws.chance(0.3) ? 0.3 : 0.0;
    const double short_share = draws.chance(0.3) ? 0.05 : 0.0;
    CellMatrix cells(m, n);
    for (Index r = 0; r < m; ++r)
        for (Index c = 0; c < n; ++c) {
            cells(r, c) = draws.log_uniform(1e-6, 1e-3);
            if (draws.chance(short_share)) cells(r, c) = 1e3;
            if (draws.chance(open_share)) cells(r, c) = 0;
        }
    return cells;
}

/// One value, one per line or one per segment; sometimes zero, now and then open.
LineResistance draw_resistance(Draws& draws, Index lines, Index segments, double typical) {
    const auto value = [&] {
        if (draws.chance(0.15)) return 0.0;
        if (draws.chance(0.02)) return open;
        return draws.log_uniform(typical / 10, typical * 10);
    };
    const double kind = draws.uniform();
    if (kind < 0.2) return {0.0};
    if (kind < 0.5) return {draws.log_uniform(typical / 10, typical * 10)};
    if (kind < 0.8 || segments == 1) {
        Eigen::VectorXd per_line(lines);
        for (double& x : per_line) x = value();
        return LineResistance(per_line);
    }
    CellMatrix per_segment(lines, segments);
    for (double& x : per_segment.reshaped()) x = value();
    return LineResistance(per_segment);
}

std::vector<Bridge> draw_bridges(Draws& draws, Index m, Index n) {
    std::vector<Bridge> bridges;
    for (Index k = draws.upto(4); k > 0; --k) {
        const auto lines = draws.chance(0.5) ? Bridge::Lines::word : Bridge::Lines::bit;
        const Index last_row = lines == Bridge::Lines::word ? m - 1 : m;
        const Index last_column = lines == Bridge::Lines::word ? n : n - 1;
        if (last_row < 1 || last_column < 1) continue;
        const Bridge bridge{lines, draws.upto(last_row) - 1, draws.upto(last_column) - 1,
                            draws.log_uniform(0.1, 1e4)};
        const bool is_new = std::none_of(bridges.begin(), bridges.end(), [&](const Bridge& other) {
            return other.lines == bridge.lines && other.word_line == bridge.word_line &&
                   other.bit_line == bridge.bit_line;
        });
        if (is_new) bridges.push_back(bridge);
    }
    return bridges;
}

}  // namespace

Crossbar random_crossbar(std::uint64_t number) {
    Draws draws(number);
    const Index m = draws.chance(0.15) ? 1 : draws.upto(12);
    const Index n = draws.chance(0.15) ? 1 : draws.upto(12);
    CellMatrix cells = draw_cells(draws, m, n);
    Wires wires;
    wires.drive = DriveSide(draws.upto(3) - 1);
    wires.sense_at = SenseSide(draws.upto(3) - 1);
    wires.word_line_segment = draw_resistance(draws, m, n + (wires.drives_right() ? 1 : 0), 2);
    wires.bit_line_segment = draw_resistance(draws, n, m + (wires.senses_top() ? 1 : 0), 2);
    wires.driver = draw_resistance(draws, m, 1, 100);
    wires.sense = draw_resistance(draws, n, 1, 100);
    wires.end_segments = !draws.chance(0.2);
    const auto pattern = draws.chance(0.3)   ? ColumnPattern::interleaved
                         : draws.chance(0.3) ? ColumnPattern::all_b
                                             : ColumnPattern::all_a;
    if (draws.chance(0.3)) wires.bridges = draw_bridges(draws, m, n);
    return Crossbar(std::move(cells), wires, pattern);
}

Eigen::MatrixXd random_inputs(std::uint64_t number, Index word_lines, Index batch) {
    Eigen::MatrixXd inputs(word_lines, batch);
    for (Index k = 0; k < batch; ++k)
        for (Index r = 0; r < word_lines; ++r)
            inputs(r, k) = 0.4 * keyed_uniform(2027, number,
                                               {static_cast<std::uint64_t>(r),
                                                static_cast<std::uint64_t>(k), 0, 0}) -
                           0.2;
    return inputs;
}

Agreement compare_engines(const Crossbar& crossbar, const Eigen::MatrixXd& inputs) {
    const auto nodal = NodalSolver().solve(crossbar, inputs, Voltages::keep);
    const auto spice = NgspiceSolver().solve(crossbar, inputs, Voltages::keep);
    const Eigen::MatrixXd T = TransferSolver().transfer(crossbar);
    const Eigen::MatrixXd scale = T.cwiseAbs() * inputs.cwiseAbs();
    const Eigen::MatrixXd product = T * inputs;
    Agreement worst;
    const auto note = [&](double difference, Index c, Index k, std::string_view engines) {
        if (difference == 0 || difference <= worst.current * scale(c, k)) return;
        worst.current = difference / scale(c, k);
        worst.where = fmt::format("bit line {} input {}, {}", c, k, engines);
    };
    for (Index k = 0; k < inputs.cols(); ++k)
        for (Index c = 0; c < T.rows(); ++c) {
            note(std::abs(nodal.current(c, k) - spice.current(c, k)), c, k, "nodal : ngspice");
            note(std::abs(nodal.current(c, k) - product(c, k)), c, k, "nodal : transfer");
        }
    for (std::size_t k = 0; k < nodal.word_line_voltage.size(); ++k)
        for (const auto& [x, y] :
             {std::pair(&nodal.word_line_voltage[k], &spice.word_line_voltage[k]),
              std::pair(&nodal.bit_line_voltage[k], &spice.bit_line_voltage[k])})
            for (Index i = 0; i < x->size(); ++i) {
                const double a = x->data()[i];
                const double b = y->data()[i];
                if (std::isnan(a) && std::isnan(b)) continue;  // cut off on both roads
                if (!(std::abs(a - b) <= worst.voltage)) worst.voltage = std::abs(a - b);
            }
    return worst;
}

}  // namespace kirchnet::test
