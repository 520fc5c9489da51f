// Closed forms, and one road to the adjoint voltages against the other.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "circuit/conductance_slope.hpp"
#include "circuit/error.hpp"
#include "nonlinear_arrays.hpp"
#include "random_arrays.hpp"
#include "solver/sensitivity.hpp"

using namespace kirchnet;
using doctest::Approx;
using test::Dice;
using test::random_array;
using test::random_inputs;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();
constexpr auto roads = {AdjointRoad::fastest, AdjointRoad::nodal};

SensitivitySolver linearised(const Crossbar& crossbar, const Eigen::VectorXd& inputs,
                             AdjointRoad road = AdjointRoad::fastest) {
    const auto point = NodalSolver().solve(crossbar, inputs, Voltages::keep);
    return SensitivitySolver(crossbar, point.word_line_voltage[0], point.bit_line_voltage[0], road);
}

std::vector<Index> all_lines(const Crossbar& crossbar) {
    std::vector<Index> lines;
    for (Index c = 0; c < crossbar.shape().bit_lines; ++c) lines.push_back(c);
    return lines;
}

/// Largest difference relative to the largest entry of the same bit line.
double difference(const std::vector<CellMatrix>& x, const std::vector<CellMatrix>& y) {
    double worst = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
        const double largest = y[k].cwiseAbs().maxCoeff();
        const double apart = (x[k] - y[k]).cwiseAbs().maxCoeff();
        if (const double here = largest > 0 ? apart / largest : apart; !(here <= worst))
            worst = here;
    }
    return worst;
}

}  // namespace

TEST_CASE("one cell between its wires answers as three resistances in series say") {
    // V = v + R i(g, v): dI/dg = (di/dg) / (1 + R di/dv), R both ends of each line in parallel.
    const double D = 50, W = 200, B = 300, S = 20, g = 1e-3, V = 0.4, a = 5;
    for (const DriveSide drive : {DriveSide::left, DriveSide::right, DriveSide::both})
        for (const SenseSide sense : {SenseSide::bottom, SenseSide::top, SenseSide::both})
            for (const AdjointRoad road : roads) {
                Wires wires{.word_line_segment = W, .bit_line_segment = B, .driver = D, .sense = S};
                wires.drive = drive;
                wires.sense_at = sense;
                const double R = (D + W) / (drive == DriveSide::both ? 2 : 1) +
                                 (B + S) / (sense == SenseSide::both ? 2 : 1);
                const Crossbar ohmic(CellMatrix::Constant(1, 1, g), wires);
                const Eigen::VectorXd input = Eigen::VectorXd::Constant(1, V);
                CHECK(linearised(ohmic, input, road).of_own_bit_lines()(0, 0) ==
                      Approx(V / ((1 + g * R) * (1 + g * R))).epsilon(1e-13));
                const Crossbar curved = ohmic.with_law(CellLaw::sinh(a));
                const double v = V - R * test::series_current(g, a, R, V);
                CHECK(linearised(curved, input, road).of_own_bit_lines()(0, 0) ==
                      Approx(std::sinh(a * v) / a / (1 + R * g * std::cosh(a * v))).epsilon(1e-12));
            }
}

TEST_CASE("without wires a current answers to cells of its own bit line alone, as their law says") {
    const CellMatrix g = (CellMatrix(2, 2) << 1e-5, 2e-5, 3e-5, 0).finished();
    const Eigen::VectorXd input = (Eigen::VectorXd(2) << 0.2, -0.1).finished();
    for (const char* text : {"linear", "sinh:4", "stanford", "1s1r", "1t1r"})
        for (const AdjointRoad road : roads) {
            CAPTURE(text);
            const CellLaw law = parse_cell_law(text);
            const Crossbar crossbar = Crossbar(g).with_law(law);
            const CellMatrix found = linearised(crossbar, input, road).of_bit_lines({1}).front();
            for (Index r = 0; r < 2; ++r) {
                double expected = 0;
                conductance_slope(law, {&g(r, 1), 1}, {&input(r), 1}, {&expected, 1});
                CHECK(found(r, 0) == Approx(0).epsilon(1e-30));
                CHECK(found(r, 1) == Approx(expected).epsilon(1e-13));
            }
        }
}

TEST_CASE("bridged bit lines answer to one another's cells") {
    // One cell feeds node 0, which a bridge B joins to node 1; each has a sense resistance S.
    const double S = 100, B = 50, V = 0.2, g = 1e-3;
    const Crossbar array((CellMatrix(1, 2) << g, 0).finished(),
                         Wires{.sense = S, .bridges = {{Bridge::Lines::bit, 0, 0, B}}});
    const double R = 1 / (1 / S + 1 / (B + S));
    auto solver = linearised(array, Eigen::VectorXd::Constant(1, V));
    const auto found = solver.of_bit_lines({0, 1});
    const double total = V / ((1 + g * R) * (1 + g * R));  // d/dg of V / (1 / g + R)
    CHECK(found[0](0, 0) == Approx(total * R / S).epsilon(1e-13));
    CHECK(found[1](0, 0) == Approx(total * R / (B + S)).epsilon(1e-13));
    // A first siemens at node 1 brings its voltage there, V less that of S, as current.
    const double at_1 = V / (1 / g + R) * R / (B + S) * S;
    const double Y = 1 / S + g;
    const double node_1 = 1 / (1 / S + 1 / (B + 1 / Y));
    CHECK(found[1](0, 1) == Approx((V - at_1) * node_1 / S).epsilon(1e-13));
    CHECK(found[0](0, 1) == Approx((V - at_1) * node_1 / (1 + B * Y) / S).epsilon(1e-13));
    const CellMatrix own = solver.of_own_bit_lines();
    CHECK(own(0, 0) == found[0](0, 0));
    CHECK(own(0, 1) == found[1](0, 1));
}

TEST_CASE("both roads agree on linear arrays of every kind, and with the merge tree's own") {
    Dice dice(61);
    double worst = 0;
    for (int trial = 0; trial < 300; ++trial) {
        CAPTURE(trial);
        const bool is_connected = trial % 2 == 0;
        const Crossbar crossbar = random_array(
            dice, {.largest = 12, .open_wires = !is_connected, .shorts = trial % 3 == 0});
        const Eigen::VectorXd inputs = random_inputs(dice, crossbar.shape().word_lines, 1);
        const auto lines = all_lines(crossbar);
        const auto nodal = linearised(crossbar, inputs, AdjointRoad::nodal).of_bit_lines(lines);
        const auto fastest = linearised(crossbar, inputs).of_bit_lines(lines);
        worst = std::max(worst, difference(nodal, fastest));
        if (!is_connected) continue;
        PortTree tree(Retain::everything);
        REQUIRE(tree.reduce(crossbar));
        worst = std::max(worst, difference(nodal, tree.sensitivities(inputs, lines)));
    }
    MESSAGE("largest difference ", worst);
    CHECK(worst <= 1e-9);
}

TEST_CASE("both roads agree on arrays of nonlinear cells") {
    Dice dice(62);
    double worst = 0;
    for (const char* text : {"sinh:6", "stanford", "1s1r:is=1e-3,vs=0.02", "1t1r:beta=1e-1"})
        for (int trial = 0; trial < 25; ++trial) {
            CAPTURE(text);
            const Crossbar crossbar =
                random_array(dice, {.shorts = false}).with_law(parse_cell_law(text));
            const Eigen::VectorXd inputs =
                0.3 * random_inputs(dice, crossbar.shape().word_lines, 1);
            const auto lines = all_lines(crossbar);
            worst = std::max(
                worst,
                difference(linearised(crossbar, inputs, AdjointRoad::nodal).of_bit_lines(lines),
                           linearised(crossbar, inputs).of_bit_lines(lines)));
        }
    CHECK(worst <= 1e-9);
}

TEST_CASE("a cell of 0 S answers, one that is interrupted or cut off does not") {
    const CellMatrix g = (CellMatrix(2, 2) << 0, 0, 1e-5, 1e-5).finished();
    FaultMatrix faults = FaultMatrix::Constant(2, 2, Fault::none);
    faults(0, 1) = Fault::open_via;
    CellMatrix below = CellMatrix::Constant(2, 2, 2);  // [bit_lines × word_lines]
    for (const AdjointRoad road : roads) {
        for (const char* text : {"linear", "sinh:2", "1s1r"}) {
            const Crossbar whole =
                Crossbar(g, g, faults, {}, ColumnPattern::all_a).with_law(parse_cell_law(text));
            const Eigen::VectorXd inputs = Eigen::VectorXd::Constant(2, 0.2);
            const CellMatrix found = linearised(whole, inputs, road).of_own_bit_lines();
            CHECK(found(0, 0) > 0.19);
            CHECK(found(0, 1) == 0);
            // The segment below it is open: whatever this cell conducts ends there.
            Wires wires;
            below(0, 0) = open;
            wires.bit_line_segment = LineResistance(below);
            const Crossbar broken = Crossbar(g, wires).with_law(parse_cell_law(text));
            const CellMatrix answer = linearised(broken, inputs, road).of_own_bit_lines();
            CHECK(answer(0, 0) == 0);
            CHECK(answer(1, 0) > 0.19);
            CHECK(answer.allFinite());
        }
    }
}

TEST_CASE("conductances beyond port merging are left to the nodal equations") {
    const CellMatrix g = (CellMatrix(2, 1) << 1e101, 1e-5).finished();
    const Eigen::VectorXd inputs = (Eigen::VectorXd(2) << 0.2, 0.1).finished();
    const CellMatrix found = linearised(Crossbar(g), inputs).of_own_bit_lines();
    CHECK(found(0, 0) == 0.2);
    CHECK(found(1, 0) == 0.1);
}

TEST_CASE("a saturated transistor answers to nothing") {
    // v_ov = 0.2 V, beta = 1 mA/V²: 20 uA whatever the element is.
    const Crossbar crossbar =
        Crossbar(CellMatrix::Constant(1, 1, 9e-5), Wires{.word_line_segment = 2})
            .with_law(parse_cell_law("1t1r:vg=0.7,vth=0.5,beta=1m"));
    for (const AdjointRoad road : roads)
        CHECK(
            linearised(crossbar, Eigen::VectorXd::Constant(1, 3), road).of_own_bit_lines()(0, 0) ==
            0);
}

TEST_CASE("voltages of another shape and bit lines that are not there are refused") {
    const Crossbar crossbar(CellMatrix::Constant(2, 3, 1e-5));
    const CellMatrix good = CellMatrix::Zero(2, 3);
    const CellMatrix bad = CellMatrix::Zero(3, 2);
    CHECK_THROWS_WITH_AS(SensitivitySolver(crossbar, good, bad), doctest::Contains("2 x 3"),
                         InvalidInput);
    SensitivitySolver solver(crossbar, good, good);
    CHECK_THROWS_WITH_AS((void)solver.of_bit_lines({0, 3}), doctest::Contains("0 to 2"),
                         InvalidInput);
    CHECK_THROWS_AS((void)solver.of_bit_lines({-1}), InvalidInput);
}
