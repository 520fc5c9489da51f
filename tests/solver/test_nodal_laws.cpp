// The laws every linear resistive network obeys, on random arrays of every shape.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "dense_oracle.hpp"
#include "random_arrays.hpp"
#include "solver/nodal_solver.hpp"

using namespace kirchnet;
using test::Dice;
using test::random_array;
using test::random_inputs;

namespace {

constexpr int trials = 300;

/// |I - J| over sum_r |T_cr V_r|, the worst column and input. Currents up to `floor` apart [A]
/// count as equal.
double difference(const Eigen::MatrixXd& I, const Eigen::MatrixXd& J, const Eigen::MatrixXd& T,
                  const Eigen::MatrixXd& inputs, double floor = 0) {
    const Eigen::MatrixXd scale = T.cwiseAbs() * inputs.cwiseAbs();
    double worst = 0;
    for (Index i = 0; i < I.size(); ++i)
        if (const double apart = std::abs(I.reshaped()(i) - J.reshaped()(i)); apart > floor)
            worst = std::max(worst, apart / scale.reshaped()(i));
    return worst;
}

/// Currents that meet in one net: their sum and how large rounding of voltages may make it.
struct Meeting {
    double sum = 0;
    double scale = 0;

    void add(double conductance, double from, double to) {
        if (conductance == 0) return;
        sum += conductance * (from - to);
        scale += conductance * (std::abs(from) + std::abs(to));
    }
    [[nodiscard]] double ratio() const { return scale > 0 ? std::abs(sum) / scale : 0; }
};

/// Walks one line from one end to the other, nodes of zero resistance between them as one net.
/// `resistance(k)` lies between node k and node k - 1, or the terminal for k = 0 and k = nodes;
/// `voltage(k)` and `cell(k)` (conductance, far voltage) belong to node k.
template <typename Resistance, typename Voltage, typename Cell>
double worst_meeting(Index nodes, double terminal, Resistance resistance, Voltage voltage,
                     Cell cell) {
    double worst = 0;
    Meeting net;
    bool at_terminal = true;
    for (Index k = 0; k < nodes; ++k) {
        const double R = resistance(k);
        if (R > 0) {
            const double before = k == 0 ? terminal : voltage(k - 1);
            net.add(std::isinf(R) ? 0 : 1 / R, before, voltage(k));
            if (!at_terminal) worst = std::max(worst, net.ratio());
            net = {};
            at_terminal = false;
            net.add(std::isinf(R) ? 0 : 1 / R, voltage(k), before);
        }
        const auto [g, far] = cell(k);
        net.add(g, voltage(k), far);
    }
    const double R = resistance(nodes);
    if (at_terminal || R == 0) return worst;
    net.add(std::isinf(R) ? 0 : 1 / R, voltage(nodes - 1), terminal);
    return std::max(worst, net.ratio());
}

/// Resistance of the k-th gap of a word line, from the left end to the right end.
double word_line_gap(const Crossbar& crossbar, Index r, Index k) {
    return k < crossbar.shape().bit_lines ? crossbar.word_line_resistance(r, k)
                                          : crossbar.right_end_resistance(r);
}

/// Resistance of the k-th gap of a bit line, from the bottom to the top.
double bit_line_gap(const Crossbar& crossbar, Index c, Index k) {
    const Index m = crossbar.shape().word_lines;
    return k < m ? crossbar.bit_line_resistance(m - 1 - k, c) : crossbar.top_end_resistance(c);
}

double worst_kirchhoff(const Crossbar& crossbar, const OperatingPoint& point,
                       const Eigen::MatrixXd& inputs, Index k) {
    const auto [m, n] = crossbar.shape();
    const CellMatrix& u = point.word_line_voltage[static_cast<std::size_t>(k)];
    const CellMatrix& w = point.bit_line_voltage[static_cast<std::size_t>(k)];
    const CellMatrix& G = crossbar.conductance();
    double worst = 0;
    for (Index r = 0; r < m; ++r)
        worst = std::max(
            worst, worst_meeting(
                       n, inputs(r, k), [&](Index gap) { return word_line_gap(crossbar, r, gap); },
                       [&](Index c) { return u(r, c); },
                       [&](Index c) { return std::pair(G(r, c), w(r, c)); }));
    for (Index c = 0; c < n; ++c)
        worst = std::max(worst,
                         worst_meeting(
                             m, 0.0, [&](Index gap) { return bit_line_gap(crossbar, c, gap); },
                             [&](Index i) { return w(m - 1 - i, c); },
                             [&](Index i) { return std::pair(G(m - 1 - i, c), u(m - 1 - i, c)); }));
    return worst;
}

/// Current of each source, by the cells of its word line [A].
Eigen::VectorXd source_currents(const Crossbar& crossbar, const OperatingPoint& point) {
    const auto [m, n] = crossbar.shape();
    Eigen::VectorXd result = Eigen::VectorXd::Zero(m);
    for (Index r = 0; r < m; ++r)
        for (Index c = 0; c < n; ++c)
            if (const double g = crossbar.conductance()(r, c); g > 0) {
                const double drop =
                    point.word_line_voltage[0](r, c) - point.bit_line_voltage[0](r, c);
                if (!std::isnan(drop)) result(r) += g * drop;
            }
    return result;
}

double dissipated(double R, double before, double after) {
    if (R == 0 || std::isinf(R)) return 0;
    return (before - after) * (before - after) / R;
}

double nan_to_zero(double x) {
    return std::isnan(x) ? 0 : x;
}

/// Heat in every cell and wire [W].
double dissipation(const Crossbar& crossbar, const OperatingPoint& point,
                   const Eigen::VectorXd& inputs) {
    const auto [m, n] = crossbar.shape();
    const CellMatrix& u = point.word_line_voltage[0];
    const CellMatrix& w = point.bit_line_voltage[0];
    double power = 0;
    for (Index r = 0; r < m; ++r)
        for (Index c = 0; c < n; ++c) {
            const double left = c == 0 ? inputs(r) : u(r, c - 1);
            const double below = r == m - 1 ? 0 : w(r + 1, c);
            power += nan_to_zero(dissipated(crossbar.word_line_resistance(r, c), left, u(r, c)));
            power += nan_to_zero(dissipated(crossbar.bit_line_resistance(r, c), w(r, c), below));
            const double drop = u(r, c) - w(r, c);
            power += nan_to_zero(crossbar.conductance()(r, c) * drop * drop);
        }
    for (Index r = 0; r < m; ++r)
        power += nan_to_zero(dissipated(crossbar.right_end_resistance(r), inputs(r), u(r, n - 1)));
    for (Index c = 0; c < n; ++c)
        power += nan_to_zero(dissipated(crossbar.top_end_resistance(c), w(0, c), 0));
    return power;
}

}  // namespace

TEST_CASE("currents agree with a dense solution of the circuit's full tableau") {
    Dice dice(1);
    NodalSolver solver;
    for (int trial = 0; trial < trials; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 6});
        const Eigen::MatrixXd inputs = random_inputs(dice, crossbar.shape().word_lines, 2);
        const Eigen::MatrixXd T = solver.transfer(crossbar);
        const Eigen::MatrixXd I = solver.solve(crossbar, inputs, Voltages::skip).current;
        const Eigen::MatrixXd expected = test::dense_currents(crossbar, inputs);
        // Where no current flows at all, elimination of the tableau leaves up to 1e-20 A.
        constexpr double floor = 1e-18;
        CAPTURE(trial);
        REQUIRE(difference(I, expected, T, inputs, floor) < 1e-12);
        REQUIRE(difference(T * inputs, expected, T, inputs, floor) < 1e-11);
    }
}

TEST_CASE("Kirchhoff's current law holds at every node for the voltages returned") {
    Dice dice(2);
    NodalSolver solver;
    for (int trial = 0; trial < trials; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 12});
        const Eigen::MatrixXd inputs = random_inputs(dice, crossbar.shape().word_lines, 2);
        const OperatingPoint point = solver.solve(crossbar, inputs, Voltages::keep);
        CAPTURE(trial);
        // Half a unit in the last place of each voltage, and a few more from elimination.
        REQUIRE(worst_kirchhoff(crossbar, point, inputs, 0) < 1e-14);
        REQUIRE(worst_kirchhoff(crossbar, point, inputs, 1) < 1e-14);
        REQUIRE(point.residual < 1e-6);
    }
}

TEST_CASE("sources deliver what cells and wires dissipate") {
    Dice dice(3);
    NodalSolver solver;
    for (int trial = 0; trial < trials; ++trial) {
        // Shorts dissipate by a voltage drop of a few units in the last place.
        const Crossbar crossbar = random_array(dice, {.shorts = false});
        const Eigen::VectorXd inputs = random_inputs(dice, crossbar.shape().word_lines, 1);
        const OperatingPoint point = solver.solve(crossbar, inputs, Voltages::keep);
        const double heat = dissipation(crossbar, point, inputs);
        // 1e-30 W: lines at one voltage, apart by one unit in the last place.
        CAPTURE(trial);
        REQUIRE(std::abs(inputs.dot(source_currents(crossbar, point)) - heat) <=
                1e-10 * heat + 1e-30);
    }
}

TEST_CASE("the transfer matrix times the inputs is what a solve gives") {
    Dice dice(4);
    NodalSolver solver;
    for (int trial = 0; trial < trials; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 14});
        const Eigen::MatrixXd inputs = random_inputs(dice, crossbar.shape().word_lines, 5);
        const Eigen::MatrixXd T = solver.transfer(crossbar);
        const Eigen::MatrixXd I = solver.solve(crossbar, inputs, Voltages::skip).current;
        CAPTURE(trial);
        REQUIRE(difference(I, T * inputs, T, inputs) < 2e-11);
    }
}

TEST_CASE("each column of T is the solution for one volt on one word line") {
    Dice dice(5);
    NodalSolver solver;
    for (int trial = 0; trial < trials; ++trial) {
        const Crossbar crossbar = random_array(dice);
        const Index m = crossbar.shape().word_lines;
        const Eigen::MatrixXd unit = Eigen::MatrixXd::Identity(m, m);
        const Eigen::MatrixXd T = solver.transfer(crossbar);
        const Eigen::MatrixXd direct = solver.OperatingPointSolver::transfer(crossbar);
        CAPTURE(trial);
        // Relative to every single entry: condition 1e5, beyond which T is refined, times 1e-16.
        REQUIRE(difference(direct, T, T, unit) < 2e-11);
    }
}

TEST_CASE("solutions superpose") {
    Dice dice(6);
    NodalSolver solver;
    for (int trial = 0; trial < trials; ++trial) {
        const Crossbar crossbar = random_array(dice);
        const Eigen::MatrixXd inputs = random_inputs(dice, crossbar.shape().word_lines, 2);
        const Eigen::VectorXd mixture = 0.3 * inputs.col(0) - 1.7 * inputs.col(1);
        const Eigen::MatrixXd I = solver.solve(crossbar, inputs, Voltages::skip).current;
        const Eigen::MatrixXd J = solver.solve(crossbar, mixture, Voltages::skip).current;
        const Eigen::MatrixXd scale =
            0.3 * inputs.col(0).cwiseAbs() + 1.7 * inputs.col(1).cwiseAbs();
        CAPTURE(trial);
        REQUIRE(difference(J, 0.3 * I.col(0) - 1.7 * I.col(1), solver.transfer(crossbar), scale) <
                1e-12);
    }
}

TEST_CASE("an array seen from its other side has the transposed transfer matrix") {
    Dice dice(7);
    NodalSolver solver;
    for (int trial = 0; trial < trials; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 10});
        const Eigen::MatrixXd T = solver.transfer(crossbar);
        const Eigen::MatrixXd back = solver.transfer(test::swapped(crossbar));
        const Eigen::MatrixXd expected = T.transpose().reverse();
        CAPTURE(trial);
        REQUIRE(difference(back, expected, expected,
                           Eigen::MatrixXd::Identity(T.rows(), T.rows())) < 4e-11);
    }
}

TEST_CASE("an array driven from the right is its mirror image driven from the left") {
    Dice dice(12);
    NodalSolver solver;
    for (int trial = 0; trial < trials; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 10});
        const Eigen::MatrixXd T = solver.transfer(crossbar);
        const Crossbar mirrored = test::mirrored(crossbar);
        const Eigen::MatrixXd image = solver.transfer(mirrored).colwise().reverse();
        CAPTURE(trial);
        REQUIRE(mirrored.wires().drives_left() == crossbar.wires().drives_right());
        REQUIRE(difference(image, T, T, Eigen::MatrixXd::Identity(T.cols(), T.cols())) < 4e-11);
    }
}

TEST_CASE("an array sensed at the top is the same array upside down sensed at the bottom") {
    Dice dice(13);
    NodalSolver solver;
    for (int trial = 0; trial < trials; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 10});
        const Eigen::MatrixXd T = solver.transfer(crossbar);
        const Crossbar flipped = test::flipped(crossbar);
        const Eigen::MatrixXd image = solver.transfer(flipped).rowwise().reverse();
        CAPTURE(trial);
        REQUIRE(flipped.wires().senses_bottom() == crossbar.wires().senses_top());
        REQUIRE(difference(image, T, T, Eigen::MatrixXd::Identity(T.cols(), T.cols())) < 4e-11);
    }
}

TEST_CASE("a second end never lets a source drive less current") {
    Dice dice(14);
    NodalSolver solver;
    for (int trial = 0; trial < trials; ++trial) {
        const Crossbar one_end = random_array(dice, {.open_wires = false, .shorts = false});
        Wires wires = one_end.wires();
        wires.word_line_segment = LineResistance(wires.word_line_segment(0));
        wires.bit_line_segment = LineResistance(wires.bit_line_segment(0));
        const auto drives = [&](Index r, DriveSide drive, SenseSide sense_at) {
            wires.drive = drive;
            wires.sense_at = sense_at;
            const Crossbar crossbar(one_end.conductance(), wires);
            const Eigen::VectorXd unit = Eigen::VectorXd::Unit(crossbar.shape().word_lines, r);
            return source_currents(crossbar, solver.solve(crossbar, unit, Voltages::keep))(r);
        };
        const Index r = dice.integer(0, one_end.shape().word_lines - 1);
        const double least = drives(r, DriveSide::left, SenseSide::top);
        CAPTURE(trial);
        REQUIRE(drives(r, DriveSide::both, SenseSide::top) >= least * (1 - 1e-10));
        REQUIRE(drives(r, DriveSide::left, SenseSide::both) >= least * (1 - 1e-10));
    }
}

TEST_CASE("no entry of T is negative, and no row drives more than its cells could carry") {
    Dice dice(8);
    NodalSolver solver;
    for (int trial = 0; trial < trials; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 12});
        const Eigen::MatrixXd T = solver.transfer(crossbar);
        const Eigen::VectorXd most = crossbar.conductance().rowwise().sum();
        CAPTURE(trial);
        REQUIRE(T.minCoeff() >= 0);
        REQUIRE(((T.colwise().sum().transpose() - most).array() <= 1e-13 * most.array()).all());
    }
}

TEST_CASE("T tends to the transposed conductances as every resistance vanishes") {
    Dice dice(9);
    NodalSolver solver;
    for (int trial = 0; trial < trials; ++trial) {
        const Crossbar drawn =
            random_array(dice, {.open_wires = false, .zero_resistances = false, .shorts = false});
        const CellMatrix& G = drawn.conductance();
        for (const double R : {1e-3, 1e-6, 1e-9}) {
            Wires wires;
            wires.drive = drawn.wires().drive;
            wires.sense_at = drawn.wires().sense_at;
            wires.word_line_segment = R;
            wires.bit_line_segment = R;
            wires.driver = R;
            wires.sense = R;
            const Eigen::MatrixXd T = solver.transfer(Crossbar(G, wires));
            // First order: the resistance on any path times all conductance of the array.
            const double bound = 4 * R * 7 * G.sum() * G.maxCoeff() + 1e-13 * G.maxCoeff();
            CAPTURE(trial);
            REQUIRE((T - G.transpose()).cwiseAbs().maxCoeff() <= bound);
        }
    }
}

TEST_CASE("more wire resistance never lets a source drive more current") {
    Dice dice(10);
    NodalSolver solver;
    for (int trial = 0; trial < trials; ++trial) {
        const Crossbar crossbar = random_array(dice, {.shorts = false});
        const auto [m, n] = crossbar.shape();
        Wires longer = crossbar.wires();
        const bool has_right_end = longer.drives_right() && longer.end_segments;
        CellMatrix segments(m, has_right_end ? n + 1 : n);
        for (Index r = 0; r < m; ++r)
            for (Index c = 0; c < segments.cols(); ++c)
                segments(r, c) = longer.word_line_segment(r, c) + dice.uniform(0, 100);
        longer.word_line_segment = LineResistance(segments);
        const Index r = dice.integer(0, m - 1);
        const Eigen::VectorXd unit = Eigen::VectorXd::Unit(m, r);
        const Crossbar worse(crossbar.conductance(), longer);
        const double before =
            source_currents(crossbar, solver.solve(crossbar, unit, Voltages::keep))(r);
        const double after = source_currents(worse, solver.solve(worse, unit, Voltages::keep))(r);
        CAPTURE(trial);
        REQUIRE(after <= before * (1 + 1e-10));
    }
}

TEST_CASE("one solver reused over arrays of every shape gives the bits of a fresh one") {
    Dice dice(11);
    NodalSolver reused;
    for (int trial = 0; trial < trials; ++trial) {
        Crossbar crossbar = random_array(dice, {.largest = 12});
        for (int version = 0; version < 3; ++version) {
            const Eigen::MatrixXd inputs = random_inputs(dice, crossbar.shape().word_lines, 3);
            NodalSolver fresh;
            CAPTURE(trial);
            CAPTURE(version);
            REQUIRE(reused.transfer(crossbar) == fresh.transfer(crossbar));
            const OperatingPoint x = reused.solve(crossbar, inputs, Voltages::keep);
            const OperatingPoint y = NodalSolver().solve(crossbar, inputs, Voltages::keep);
            REQUIRE(x.current == y.current);
            REQUIRE(x.residual == y.residual);
            REQUIRE(x.warnings == y.warnings);
            for (std::size_t k = 0; k < 3; ++k)
                REQUIRE((x.word_line_voltage[k].array() == y.word_line_voltage[k].array() ||
                         y.word_line_voltage[k].array().isNaN())
                            .all());
            // The next version has the same pattern: cells that conduct go on conducting.
            crossbar = Crossbar(crossbar.conductance() * dice.uniform(0.1, 10), crossbar.wires(),
                                crossbar.pattern());
        }
    }
}
