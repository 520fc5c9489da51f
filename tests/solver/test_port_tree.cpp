#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "circuit/error.hpp"
#include "dense_oracle.hpp"
#include "random_arrays.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/port_tree.hpp"

using namespace kirchnet;
using test::Dice;
using test::random_array;
using test::random_inputs;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();

Eigen::MatrixXd transfer(const Crossbar& crossbar, InstructionSet set = best_instruction_set()) {
    PortTree tree(Retain::transfer, set);
    REQUIRE(tree.reduce(crossbar));
    return tree.transfer_rows(crossbar.shape().bit_lines);
}

/// Largest relative difference of two entries; infinite where one is zero and the other is not.
/// Zero resistance stands for one 2^200 times smaller than all others, so that what merged nets
/// shield completely may be a 1e-60th part of the largest entry.
double worst_entry(const Eigen::MatrixXd& x, const Eigen::MatrixXd& y) {
    double worst = 0;
    const double nothing = 1e-55 * y.cwiseAbs().maxCoeff();
    for (Index i = 0; i < x.size(); ++i) {
        const double a = x.reshaped()(i);
        const double b = y.reshaped()(i);
        if (a == b || std::max(a, b) < nothing) continue;
        const double difference = std::abs(a - b) / std::max(std::abs(a), std::abs(b));
        if (!(difference <= worst)) worst = difference;
    }
    return worst;
}

Crossbar wired(Index m, Index n, Dice& dice, double segment = 2) {
    CellMatrix g(m, n);
    for (double& x : g.reshaped()) x = dice.log_uniform(1e-6, 1e-4);
    Wires wires;
    wires.word_line_segment = segment;
    wires.bit_line_segment = segment;
    return Crossbar(std::move(g), wires);
}

}  // namespace

TEST_CASE("one cell between its wires is three resistances in series") {
    CellMatrix g(1, 1);
    g(0, 0) = 1e-4;
    Wires wires;
    wires.word_line_segment = 2;
    wires.bit_line_segment = 3;
    wires.driver = 50;
    wires.sense = 20;
    CHECK(transfer(Crossbar(g, wires))(0, 0) == doctest::Approx(1 / (1e4 + 75)).epsilon(1e-15));
}

TEST_CASE("without wire resistance the transfer matrix is that of the cells") {
    Dice dice(11);
    const Crossbar crossbar = wired(11, 19, dice, 0);
    CHECK(worst_entry(transfer(crossbar), crossbar.conductance().transpose()) < 1e-15);
}

TEST_CASE("a word line without resistance across resistive bit lines leaves columns apart") {
    // Each column is a ladder: cells from ideal sources into nodes along the bit line. One column
    // of two cells by hand: nodes w0 and w1, segments of 1 / b,
    //     w0 (g0 + b) - b w1 = g0 v0,   w1 (g1 + 2 b) - b w0 = g1 v1,   I = b w1.
    CellMatrix g(2, 3);
    g << 1e-3, 2e-3, 4e-3, 3e-3, 5e-3, 1e-3;
    Wires wires;
    wires.bit_line_segment = 10;
    const double b = 0.1;
    const Eigen::MatrixXd T = transfer(Crossbar(g, wires));
    for (Index c = 0; c < 3; ++c) {
        const double g0 = g(0, c);
        const double g1 = g(1, c);
        const double determinant = (g0 + b) * (g1 + 2 * b) - b * b;
        CHECK(T(c, 0) == doctest::Approx(b * b * g0 / determinant).epsilon(1e-14));
        CHECK(T(c, 1) == doctest::Approx(b * (g0 + b) * g1 / determinant).epsilon(1e-14));
    }
}

TEST_CASE("currents agree with a dense solution of the circuit's full tableau") {
    Dice dice(12);
    for (int trial = 0; trial < 300; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 6});
        const Eigen::MatrixXd inputs = random_inputs(dice, crossbar.shape().word_lines, 2);
        const Eigen::MatrixXd T = transfer(crossbar);
        const Eigen::MatrixXd expected = test::dense_currents(crossbar, inputs);
        const Eigen::MatrixXd scale = T * inputs.cwiseAbs();
        CAPTURE(trial);
        // 1e-18 A: what elimination of the tableau leaves where no current flows.
        REQUIRE(
            (((T * inputs - expected).cwiseAbs().array() - 1e-18) <= 1e-12 * scale.array()).all());
    }
}

TEST_CASE("every entry agrees with adjoint solves by KLU on two thousand arrays of any kind") {
    Dice dice(13);
    NodalSolver nodal;
    PortTree tree;
    double worst = 0;
    for (int trial = 0; trial < 2000; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = trial % 20 == 0 ? 40 : 13});
        REQUIRE(tree.reduce(crossbar));
        const double difference =
            worst_entry(tree.transfer_rows(crossbar.shape().bit_lines), nodal.transfer(crossbar));
        CAPTURE(trial);
        // The nodal engine's own error, see docs/methods/transfer-matrix.md.
        REQUIRE(difference < 2e-11);
        worst = std::max(worst, difference);
    }
    MESSAGE("worst relative difference of an entry: " << worst);
}

TEST_CASE("instruction sets agree") {
    Dice dice(14);
    for (int trial = 0; trial < 100; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 40});
        const Eigen::MatrixXd expected = transfer(crossbar, InstructionSet::baseline);
        for (const InstructionSet set : available_instruction_sets()) {
            CAPTURE(trial);
            REQUIRE(worst_entry(transfer(crossbar, set), expected) < 1e-12);
        }
    }
}

TEST_CASE("a tree gives the same bits whatever it reduced before") {
    Dice dice(15);
    PortTree used;
    for (int trial = 0; trial < 50; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 40});
        REQUIRE(used.reduce(crossbar));
        REQUIRE(used.transfer_rows(crossbar.shape().bit_lines) == transfer(crossbar));
    }
}

TEST_CASE("fewer bit lines are the same rows") {
    Dice dice(16);
    const Crossbar crossbar = wired(21, 30, dice);
    PortTree tree;
    REQUIRE(tree.reduce(crossbar));
    CHECK(tree.transfer_rows(7) == tree.transfer_rows(30).topRows(7));
}

TEST_CASE("an array seen from its other side has the transposed transfer matrix") {
    Dice dice(17);
    for (int trial = 0; trial < 200; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 20});
        CAPTURE(trial);
        REQUIRE(worst_entry(transfer(test::swapped(crossbar)),
                            transfer(crossbar).transpose().reverse()) < 1e-12);
    }
}

TEST_CASE("mirrored and flipped arrays have mirrored and flipped transfer matrices") {
    Dice dice(18);
    for (int trial = 0; trial < 200; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 20});
        const Eigen::MatrixXd T = transfer(crossbar);
        CAPTURE(trial);
        REQUIRE(worst_entry(transfer(test::mirrored(crossbar)), T.colwise().reverse()) < 1e-12);
        REQUIRE(worst_entry(transfer(test::flipped(crossbar)), T.rowwise().reverse()) < 1e-12);
    }
}

TEST_CASE("no entry is negative, and a source drives at most what its cells conduct") {
    Dice dice(19);
    for (int trial = 0; trial < 200; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 20});
        const Eigen::MatrixXd T = transfer(crossbar);
        CAPTURE(trial);
        REQUIRE((T.array() >= 0).all());
        const Eigen::VectorXd driven = T.colwise().sum().transpose();
        const Eigen::VectorXd cells = crossbar.conductance().rowwise().sum();
        REQUIRE((driven.array() <= cells.array() * (1 + 1e-13)).all());
    }
}

TEST_CASE("more conductance anywhere never lowers what a terminal drives into the rest") {
    // Rayleigh's monotonicity: with all sources at 1 V the total current into ground grows.
    Dice dice(20);
    for (int trial = 0; trial < 100; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 20});
        CellMatrix more = crossbar.conductance();
        for (double& g : more.reshaped())
            if (dice.chance(0.1)) g += dice.log_uniform(1e-6, 1e-2);
        CAPTURE(trial);
        REQUIRE(transfer(Crossbar(more, crossbar.wires())).sum() >=
                transfer(crossbar).sum() * (1 - 1e-13));
    }
}

TEST_CASE("accuracy does not suffer from resistances sixty orders of magnitude apart") {
    // A ladder by hand: one word line, two cells of which the far one hangs on a segment of 1e30
    // ohm, beside one on a segment of 1e-30 ohm.
    CellMatrix g(1, 2);
    g << 1e-4, 2e-4;
    CellMatrix segment(1, 2);
    segment << 1e-30, 1e30;
    Wires wires;
    wires.word_line_segment = LineResistance(segment);
    const Eigen::MatrixXd T = transfer(Crossbar(g, wires));
    CHECK(T(0, 0) == doctest::Approx(1e-4).epsilon(1e-15));
    CHECK(T(1, 0) == doctest::Approx(1e-30).epsilon(1e-15));
}

TEST_CASE("what hardly conducts at all does no harm") {
    CellMatrix g = CellMatrix::Constant(9, 9, 1e-310);
    g(4, 4) = 1e-4;
    CellMatrix segment = CellMatrix::Constant(9, 9, 1.0);
    segment(2, 3) = 1e305;
    Wires wires;
    wires.word_line_segment = LineResistance(segment);
    wires.bit_line_segment = 1;
    const Eigen::MatrixXd T = transfer(Crossbar(g, wires));
    CHECK(T.allFinite());
    CHECK(T(4, 4) == doctest::Approx(1 / (1e4 + 5 + 5)).epsilon(1e-14));
}

TEST_CASE("conductances beyond what doubles can multiply are left to others") {
    CellMatrix g(1, 1);
    g(0, 0) = 1e160;
    PortTree tree;
    CHECK_FALSE(tree.reduce(Crossbar(g)));
}

TEST_CASE("cells of another law are refused") {
    PortTree tree;
    const Crossbar crossbar(CellMatrix::Constant(2, 2, 1e-4));
    CHECK_THROWS_AS((void)tree.reduce(crossbar.with_law(parse_cell_law("sinh:2"))), InvalidInput);
}

TEST_CASE("open bit lines have rows of exact zeros") {
    Dice dice(21);
    Eigen::VectorXd sense = Eigen::VectorXd::Constant(12, 5.0);
    sense(4) = open;
    Wires wires;
    wires.word_line_segment = 1;
    wires.bit_line_segment = 1;
    wires.sense = LineResistance(sense);
    const Eigen::MatrixXd T = transfer(Crossbar(wired(9, 12, dice).conductance(), wires));
    CHECK((T.row(4).array() == 0).all());
    CHECK((T.row(3).array() > 0).all());
}

namespace {

PortTree reduced(const Crossbar& crossbar) {
    PortTree tree(Retain::everything);
    REQUIRE(tree.reduce(crossbar));
    return tree;
}

Crossbar with_cells(const Crossbar& crossbar, CellMatrix cells) {
    return Crossbar(std::move(cells), crossbar.wires(), crossbar.pattern());
}

}  // namespace

TEST_CASE("a tree that keeps everything gives the same bits") {
    Dice dice(22);
    for (int trial = 0; trial < 100; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 40});
        CAPTURE(trial);
        REQUIRE(reduced(crossbar).transfer_rows(crossbar.shape().bit_lines) == transfer(crossbar));
    }
}

TEST_CASE("changed cells cost what depends on them, and give the bits of a full reduction") {
    Dice dice(23);
    for (int trial = 0; trial < 60; ++trial) {
        const Crossbar base = random_array(dice, {.largest = 60});
        const auto [m, n] = base.shape();
        PortTree tree = reduced(base);
        for (const Index changes : {Index{1}, Index{5}, m * n / 10}) {
            CellMatrix cells = base.conductance();
            for (Index k = 0; k < changes; ++k)
                cells(dice.integer(0, m - 1), dice.integer(0, n - 1)) =
                    dice.chance(0.5) ? 1e-4 : 1e-6;
            const Crossbar faulty = with_cells(base, cells);
            REQUIRE(tree.reduce(faulty));
            CAPTURE(trial);
            REQUIRE(tree.transfer_rows(n) == transfer(faulty));
        }
    }
}

TEST_CASE("one changed cell reduces one batch of leaves, none changed reduces nothing") {
    Dice dice(24);
    const Crossbar base = wired(64, 64, dice);
    PortTree tree = reduced(base);
    CHECK(tree.leaves_reduced() == 64);
    CellMatrix cells = base.conductance();
    cells(20, 41) = 1e-3;
    REQUIRE(tree.reduce(with_cells(base, cells)));
    CHECK(tree.leaves_reduced() <= 8);
    CHECK(tree.leaves_reduced() >= 1);
    REQUIRE(tree.reduce(with_cells(base, cells)));
    CHECK(tree.leaves_reduced() == 0);
}

TEST_CASE("voltages are those of the nodal equations") {
    Dice dice(25);
    NodalSolver nodal;
    for (int trial = 0; trial < 300; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 30});
        const auto [m, n] = crossbar.shape();
        const Index batch = dice.integer(1, 11);
        const Eigen::MatrixXd inputs = random_inputs(dice, m, batch);
        const OperatingPoint point = nodal.solve(crossbar, inputs, Voltages::keep);
        const auto voltages = reduced(crossbar).voltages(inputs, Eigen::MatrixXd::Zero(n, batch));
        REQUIRE(voltages.size() == static_cast<std::size_t>(batch));
        for (std::size_t k = 0; k < voltages.size(); ++k)
            for (const auto& [found, expected] :
                 {std::pair(&voltages[k].word_line, &point.word_line_voltage[k]),
                  std::pair(&voltages[k].bit_line, &point.bit_line_voltage[k])})
                for (Index i = 0; i < found->size(); ++i) {
                    CAPTURE(trial);
                    if (!std::isnan(expected->data()[i]))  // cut off
                        REQUIRE(std::abs(found->data()[i] - expected->data()[i]) < 1e-13);
                }
    }
}

TEST_CASE("voltages do not depend on the instruction set beyond rounding") {
    Dice dice(26);
    const Crossbar crossbar = wired(33, 50, dice);
    const Eigen::MatrixXd inputs = random_inputs(dice, 33, 3);
    const Eigen::MatrixXd grounds = Eigen::MatrixXd::Zero(50, 3);
    const auto expected = reduced(crossbar).voltages(inputs, grounds);
    for (const InstructionSet set : available_instruction_sets()) {
        PortTree tree(Retain::everything, set);
        REQUIRE(tree.reduce(crossbar));
        const auto found = tree.voltages(inputs, grounds);
        CHECK((found[2].bit_line - expected[2].bit_line).cwiseAbs().maxCoeff() < 1e-14);
    }
}

TEST_CASE("sources deliver what their cells conduct, and no charge is lost") {
    Dice dice(27);
    NodalSolver nodal;
    for (int trial = 0; trial < 200; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 20, .shorts = false});
        const auto [m, n] = crossbar.shape();
        const Eigen::MatrixXd inputs = random_inputs(dice, m, 2);
        const OperatingPoint point = nodal.solve(crossbar, inputs, Voltages::keep);
        PortTree tree = reduced(crossbar);
        const Eigen::MatrixXd current = tree.source_currents(inputs);
        CAPTURE(trial);
        for (Index k = 0; k < 2; ++k) {
            const auto& u = point.word_line_voltage[static_cast<std::size_t>(k)];
            const auto& w = point.bit_line_voltage[static_cast<std::size_t>(k)];
            for (Index r = 0; r < m; ++r) {
                double expected = 0;
                double scale = 0;
                for (Index c = 0; c < n; ++c) {
                    const double g = crossbar.conductance()(r, c);
                    if (std::isnan(u(r, c)) || std::isnan(w(r, c))) continue;
                    expected += g * (u(r, c) - w(r, c));
                    scale += g * (std::abs(u(r, c)) + std::abs(w(r, c)));
                }
                REQUIRE(std::abs(current(r, k) - expected) <= 1e-11 * scale + 1e-30);
            }
            const double out = point.current.col(k).sum();
            REQUIRE(std::abs(current.col(k).sum() - out) <=
                    1e-11 * point.current.col(k).cwiseAbs().sum() + 1e-25);
        }
    }
}

TEST_CASE("sensitivity of one cell between two resistances by hand") {
    // I = V / (R + 1 / g): dI/dg = V / (1 + g R)^2.
    CellMatrix g(1, 1);
    g(0, 0) = 1e-3;
    Wires wires;
    wires.word_line_segment = 300;
    wires.bit_line_segment = 200;
    const Eigen::VectorXd inputs = Eigen::VectorXd::Constant(1, 0.2);
    const auto found = reduced(Crossbar(g, wires)).sensitivities(inputs, {0});
    CHECK(found[0](0, 0) == doctest::Approx(0.2 / 2.25).epsilon(1e-14));
}

TEST_CASE("sensitivities are differences of solved currents") {
    Dice dice(28);
    for (int trial = 0; trial < 20; ++trial) {
        const Crossbar base =
            random_array(dice, {.largest = 20, .open_wires = false, .shorts = false});
        const auto [m, n] = base.shape();
        const Eigen::VectorXd inputs = random_inputs(dice, m, 1);
        const std::vector<Index> bit_lines{0, n - 1};
        const auto found = reduced(base).sensitivities(inputs, bit_lines);
        for (int probe = 0; probe < 5; ++probe) {
            const Index r = dice.integer(0, m - 1);
            const Index c = dice.integer(0, n - 1);
            const double step = 1e-4 * (base.conductance()(r, c) + 1e-6);
            const auto current = [&](double change) -> Eigen::VectorXd {
                CellMatrix cells = base.conductance();
                cells(r, c) += change;
                return NodalSolver().solve(with_cells(base, cells), inputs, Voltages::skip).current;
            };
            // One-sided where a cell does not conduct; error of second order otherwise.
            const bool is_open = base.conductance()(r, c) == 0;
            const Eigen::VectorXd slope =
                is_open ? Eigen::VectorXd((4 * current(step) - 3 * current(0) - current(2 * step)) /
                                          (2 * step))
                        : Eigen::VectorXd((current(step) - current(-step)) / (2 * step));
            for (std::size_t k = 0; k < bit_lines.size(); ++k) {
                CAPTURE(trial);
                // Differences of currents of at most 1e-3 A, exact to 1e-19 A.
                REQUIRE(std::abs(found[k](r, c) - slope(bit_lines[k])) <=
                        1e-5 * std::abs(slope(bit_lines[k])) + 1e-8);
            }
        }
    }
}
