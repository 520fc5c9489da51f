#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "circuit/error.hpp"
#include "solver/nodal_solver.hpp"

using namespace kirchnet;

namespace {

constexpr double open_circuit = std::numeric_limits<double>::infinity();

CellMatrix cells(std::initializer_list<std::initializer_list<double>> rows) {
    return CellMatrix(rows);
}

double relative(const Eigen::MatrixXd& found, const Eigen::MatrixXd& expected) {
    return (found - expected).cwiseAbs().maxCoeff() / expected.cwiseAbs().maxCoeff();
}

OperatingPoint solve(const Crossbar& crossbar, const Eigen::MatrixXd& inputs) {
    return NodalSolver().solve(crossbar, inputs, Voltages::keep);
}

Eigen::MatrixXd transfer(const Crossbar& crossbar) {
    return NodalSolver().transfer(crossbar);
}

Eigen::VectorXd vector(std::initializer_list<double> values) {
    Eigen::VectorXd result(static_cast<Index>(values.size()));
    std::copy(values.begin(), values.end(), result.begin());
    return result;
}

}  // namespace

TEST_CASE("one cell is five resistances in series") {
    // driver 10 + segment 2 + cell 1/0.01 + segment 3 + sense 5 = 120 ohm; 0.6 V gives 5 mA.
    Wires wires;
    wires.word_line_segment = 2;
    wires.bit_line_segment = 3;
    wires.driver = 10;
    wires.sense = 5;
    const OperatingPoint point = solve(Crossbar(cells({{0.01}}), wires), vector({0.6}));
    CHECK(point.current(0, 0) == doctest::Approx(5e-3).epsilon(1e-15));
    CHECK(point.word_line_voltage.at(0)(0, 0) == doctest::Approx(0.6 - 12 * 5e-3).epsilon(1e-15));
    CHECK(point.bit_line_voltage.at(0)(0, 0) == doctest::Approx(8 * 5e-3).epsilon(1e-15));
    CHECK(point.residual < 1e-14);
    CHECK(point.warnings.empty());
}

TEST_CASE("a 2 x 2 array with driver and sense resistance agrees with paper") {
    // Drivers and sense lines of 1 ohm, no wires, G = [1 2; 3 4] S. Nets u0 u1 (word lines) and
    // w0 w1 (bit lines):
    //     [  4   0  -1  -2 ] [u0]   [v0]
    //     [  0   8  -3  -4 ] [u1] = [v1]
    //     [ -1  -3   5   0 ] [w0]   [ 0]
    //     [ -2  -4   0   7 ] [w1]   [ 0]
    // w0 = (u0 + 3 u1)/5 and w1 = (2 u0 + 4 u1)/7 leave
    //     113 u0 - 61 u1 = 35 v0,  -61 u0 + 137 u1 = 35 v1,  determinant 11760 = 35 * 336,
    // so u0 = (137 v0 + 61 v1)/336, u1 = (61 v0 + 113 v1)/336, and I = w / 1 ohm.
    Wires wires;
    wires.driver = 1;
    wires.sense = 1;
    const Crossbar crossbar(cells({{1, 2}, {3, 4}}), wires);
    Eigen::Matrix2d expected;
    expected << 4.0 / 21, 5.0 / 21, 37.0 / 168, 41.0 / 168;
    CHECK(relative(transfer(crossbar), expected) < 1e-15);

    const OperatingPoint point = solve(crossbar, Eigen::Matrix2d::Identity());
    CHECK(relative(point.current, expected) < 1e-15);
    const CellMatrix& u = point.word_line_voltage.at(1);
    CHECK(relative(u, cells({{61, 61}, {113, 113}}) / 336) < 1e-15);
    const CellMatrix& w = point.bit_line_voltage.at(1);
    CHECK(relative(w, cells({{5.0 / 21, 41.0 / 168}, {5.0 / 21, 41.0 / 168}})) < 1e-15);
}

TEST_CASE("every line has its own driver and sense resistance") {
    // One bit line with sense 1/6 ohm, drivers 1 and 1/2 ohm, cells 1 and 2 S: branches of 1/2 S
    // and 1 S into a node with 6 S to ground: w = (v0/2 + v1)/7.5.
    Wires wires;
    wires.driver = LineResistance(vector({1, 0.5}));
    wires.sense = LineResistance(vector({1.0 / 6}));
    const OperatingPoint point = solve(Crossbar(cells({{1}, {2}}), wires), vector({3, -1}));
    CHECK(point.current(0, 0) == doctest::Approx(6 * (1.5 - 1) / 7.5).epsilon(1e-15));
}

TEST_CASE("the sense resistance of one bit line does not act on another held at ground") {
    // Ideal drivers: columns are independent; column 1 has 1/3 ohm behind cells of 2 + 4 S.
    Wires wires;
    wires.sense = LineResistance(vector({0, 1.0 / 3}));
    const OperatingPoint point =
        solve(Crossbar(cells({{1, 2}, {3, 4}}), wires), vector({0.1, 0.2}));
    CHECK(point.current(0, 0) == doctest::Approx(0.7).epsilon(1e-15));
    CHECK(point.current(1, 0) == doctest::Approx(3 * (0.2 + 0.8) / 9).epsilon(1e-15));
}

TEST_CASE("a word line over grounded bit lines is a ladder with a closed form") {
    // u(k-1) - 2 u(k) + u(k+1) = R g u(k), open far end:
    // u(k) = v cosh((n - k + 1/2) x) / cosh((n + 1/2) x), k = 1..n, 2 cosh x - 2 = R g.
    const Index n = 40;
    const double R = 2;
    const double g = 5e-3;
    Wires wires;
    wires.word_line_segment = R;
    const OperatingPoint point =
        solve(Crossbar(CellMatrix::Constant(1, n, g), wires), vector({0.2}));
    const double x = std::acosh(1 + R * g / 2);
    for (Index k = 1; k <= n; ++k) {
        const double u = 0.2 * std::cosh((static_cast<double>(n - k) + 0.5) * x) /
                         std::cosh((static_cast<double>(n) + 0.5) * x);
        CHECK(point.current(k - 1, 0) == doctest::Approx(g * u).epsilon(1e-13));
    }
}

TEST_CASE("one cell driven and sensed at both ends is parallel resistances in series") {
    // Left 10 + 2 ohm beside right 10 + 14 ohm: 8 ohm; cell 100 ohm; bottom 5 + 3 ohm beside top
    // 5 + 19 ohm: 6 ohm; together 114 ohm. 0.57 V gives 5 mA, 40 mV above the cell.
    Wires wires;
    wires.word_line_segment = LineResistance(cells({{2, 14}}));
    wires.bit_line_segment = LineResistance(cells({{3, 19}}));
    wires.driver = 10;
    wires.sense = 5;
    wires.drive = DriveSide::both;
    wires.sense_at = SenseSide::both;
    const OperatingPoint point = solve(Crossbar(cells({{0.01}}), wires), vector({0.57}));
    CHECK(point.current(0, 0) == doctest::Approx(5e-3).epsilon(1e-15));
    CHECK(point.word_line_voltage.at(0)(0, 0) == doctest::Approx(0.53).epsilon(1e-15));
    CHECK(point.bit_line_voltage.at(0)(0, 0) == doctest::Approx(0.03).epsilon(1e-15));
}

TEST_CASE("two cells of a word line agree with paper from each side") {
    // Cells of 1 and 2 S to ground, segments of 1 ohm. Nets u0, u1:
    Wires wires;
    wires.word_line_segment = 1;
    const auto currents = [&](DriveSide drive) {
        wires.drive = drive;
        return Eigen::VectorXd(transfer(Crossbar(cells({{1, 2}}), wires)));
    };
    // 3 u0 - u1 = v, -u0 + 3 u1 = 0: u0 = 3/8, u1 = 1/8
    CHECK(relative(currents(DriveSide::left), vector({3.0 / 8, 2.0 / 8})) < 1e-15);
    // 2 u0 - u1 = 0, -u0 + 4 u1 = v: u0 = 1/7, u1 = 2/7
    CHECK(relative(currents(DriveSide::right), vector({1.0 / 7, 4.0 / 7})) < 1e-15);
    // 3 u0 - u1 = v, -u0 + 4 u1 = v: u0 = 5/11, u1 = 4/11
    CHECK(relative(currents(DriveSide::both), vector({5.0 / 11, 8.0 / 11})) < 1e-15);
}

TEST_CASE("two cells of a bit line agree with paper from each side") {
    // Ideal drivers, cells of 1 and 2 S, segments of 1 ohm. Nets w0, w1 of one bit line:
    Wires wires;
    wires.bit_line_segment = 1;
    const auto row = [&](SenseSide side) {
        wires.sense_at = side;
        return Eigen::VectorXd(transfer(Crossbar(cells({{1}, {2}}), wires)).transpose());
    };
    // 2 w0 - w1 = v0, -w0 + 4 w1 = 2 v1: I = w1 = (v0 + 4 v1)/7
    CHECK(relative(row(SenseSide::bottom), vector({1.0 / 7, 4.0 / 7})) < 1e-15);
    // 3 w0 - w1 = v0, -w0 + 3 w1 = 2 v1: I = w0 = (3 v0 + 2 v1)/8
    CHECK(relative(row(SenseSide::top), vector({3.0 / 8, 2.0 / 8})) < 1e-15);
    // 3 w0 - w1 = v0, -w0 + 4 w1 = 2 v1: I = w0 + w1 = (5 v0 + 8 v1)/11
    CHECK(relative(row(SenseSide::both), vector({5.0 / 11, 8.0 / 11})) < 1e-15);
}

TEST_CASE("a word line driven from both ends is a ladder with a closed form") {
    // As below, with u(0) = u(n + 1) = v: u(k) = v cosh((k - (n + 1)/2) x) / cosh((n + 1)/2 x).
    const Index n = 40;
    const double R = 2;
    const double g = 5e-3;
    Wires wires;
    wires.word_line_segment = R;
    wires.drive = DriveSide::both;
    const OperatingPoint point =
        solve(Crossbar(CellMatrix::Constant(1, n, g), wires), vector({0.2}));
    const double x = std::acosh(1 + R * g / 2);
    const double middle = static_cast<double>(n + 1) / 2;
    for (Index k = 1; k <= n; ++k) {
        const double u =
            0.2 * std::cosh((static_cast<double>(k) - middle) * x) / std::cosh(middle * x);
        CHECK(point.current(k - 1, 0) == doctest::Approx(g * u).epsilon(1e-13));
    }
}

TEST_CASE("an end whose segment is open is as one that is neither driven nor sensed") {
    const CellMatrix G = cells({{1e-3, 2e-3, 3e-3}, {4e-3, 5e-3, 6e-3}});
    Wires both;
    both.drive = DriveSide::both;
    both.sense_at = SenseSide::both;
    both.word_line_segment =
        LineResistance(cells({{open_circuit, 2, 3, 4}, {open_circuit, 5, 6, 7}}));
    both.bit_line_segment = LineResistance(
        cells({{8, 9, open_circuit}, {10, 11, open_circuit}, {12, 13, open_circuit}}));
    Wires one = both;
    one.drive = DriveSide::right;
    one.sense_at = SenseSide::bottom;
    one.bit_line_segment = LineResistance(cells({{8, 9}, {10, 11}, {12, 13}}));
    CHECK(transfer(Crossbar(G, both)) == transfer(Crossbar(G, one)));
}

TEST_CASE("without resistance both ends are one net, and the currents add to the ideal ones") {
    const CellMatrix G = cells({{1, 2, 3}, {4, 5, 6}});
    for (const DriveSide drive : {DriveSide::left, DriveSide::right, DriveSide::both})
        for (const SenseSide side : {SenseSide::bottom, SenseSide::top, SenseSide::both}) {
            Wires wires;
            wires.drive = drive;
            wires.sense_at = side;
            const OperatingPoint point = solve(Crossbar(G, wires), vector({1, 10}));
            CHECK(point.current == Eigen::Vector3d(41, 52, 63));
        }
}

TEST_CASE("a bit line under ideally driven word lines is the same ladder from the other end") {
    // Reciprocity: T(0, r) of a column of n cells is T(c, 0) of a row with c = n - 1 - r.
    const Index n = 9;
    Wires row_wires;
    row_wires.word_line_segment = 3;
    row_wires.driver = 7;
    Wires column_wires;
    column_wires.bit_line_segment = 3;
    column_wires.sense = 7;
    const auto row = transfer(Crossbar(CellMatrix::Constant(1, n, 0.02), row_wires));
    const auto column = transfer(Crossbar(CellMatrix::Constant(n, 1, 0.02), column_wires));
    CHECK(relative(column.transpose().reverse(), row) < 1e-15);
}

TEST_CASE("without any resistance the array is ideal, and has no unknown at all") {
    CellMatrix G(3, 5);
    for (Index i = 0; i < G.size(); ++i) G.data()[i] = 1e-6 * static_cast<double>(i * i);
    NodalSolver solver;
    CHECK(solver.transfer(Crossbar(G)) == Eigen::MatrixXd(G.transpose()));
    CHECK(solver.condition() == 0);
    const OperatingPoint point =
        solver.solve(Crossbar(G), vector({0.1, -0.2, 0.3}), Voltages::keep);
    CHECK(relative(point.current, G.transpose() * vector({0.1, -0.2, 0.3})) < 1e-15);
    CHECK(point.residual == 0);
    CHECK(point.word_line_voltage.at(0).row(1) == Eigen::RowVectorXd::Constant(5, -0.2));
    CHECK(point.bit_line_voltage.at(0) == CellMatrix::Zero(3, 5));
}

TEST_CASE("without end segments the first cell sits at its source and the last at ground") {
    // 1 x 2: cell 0 at the source; cell 1 behind one ohm with 1 S: 1/2 S. Bit lines of one
    // word line have no segment left.
    Wires wires;
    wires.word_line_segment = 1;
    wires.bit_line_segment = 1;
    wires.end_segments = false;
    Eigen::Vector2d expected(3, 0.5);
    CHECK(relative(transfer(Crossbar(cells({{3, 1}}), wires)), expected) < 1e-15);
    wires.end_segments = true;
    // With them: u0 - w0 branch 3/4 S, u1 branch 1/2 S behind one more ohm: 1/3 S; both in
    // parallel behind 1 ohm: u0 = 1/(1 + 3/4 + 1/3) = 12/25.
    expected << 9.0 / 25, 4.0 / 25;
    CHECK(relative(transfer(Crossbar(cells({{3, 1}}), wires)), expected) < 1e-15);
}

TEST_CASE("a word line with an open driver is driven by the others through its cells") {
    // Row 1 floats between the two ideal columns: 3 S and 4 S in series connect two grounds, so it
    // carries nothing; with sense lines of 1 ohm it couples the columns.
    Wires wires;
    wires.driver = LineResistance(vector({0, open_circuit}));
    const CellMatrix G = cells({{1, 2}, {3, 4}});
    Eigen::Matrix2d expected;
    expected << 1, 0, 2, 0;
    CHECK(transfer(Crossbar(G, wires)) == expected);

    // Nets u1, w0, w1 for v0 = 1: [7 -3 -4; -3 5 0; -4 0 7] x = (0, 1, 2):
    // w0 = (1 + 3 u1)/5, w1 = (2 + 4 u1)/7, u1 (7 - 9/5 - 16/7) = 3/5 + 8/7, u1 = 61/102.
    wires.sense = 1;
    const OperatingPoint point = solve(Crossbar(G, wires), vector({1, 5}));
    CHECK(relative(point.current, vector({(1 + 3 * 61.0 / 102) / 5, (2 + 4 * 61.0 / 102) / 7})) <
          1e-15);
    CHECK(point.word_line_voltage.at(0)(1, 0) == doctest::Approx(61.0 / 102).epsilon(1e-15));
    CHECK(point.warnings.empty());
}

TEST_CASE("an open bit line whose cells conduct floats at their weighted mean, and reads 0 A") {
    Wires wires;
    wires.sense = LineResistance(vector({0, open_circuit}));
    const OperatingPoint point =
        solve(Crossbar(cells({{1, 2}, {3, 4}}), wires), vector({0.1, 0.4}));
    CHECK(point.current(0, 0) == doctest::Approx(1.3).epsilon(1e-15));
    CHECK(point.current(1, 0) == 0);
    CHECK(point.bit_line_voltage.at(0)(0, 1) == doctest::Approx(0.3).epsilon(1e-15));
}

TEST_CASE("an open bit line without a conducting cell is cut off: 0 A, NaN, named in a warning") {
    Wires wires;
    wires.word_line_segment = 1;
    wires.bit_line_segment = 1;
    wires.sense = LineResistance(vector({0, open_circuit, 0}));
    const Crossbar crossbar(cells({{1, 0, 2}, {3, 0, 4}}), wires, ColumnPattern::interleaved);
    const OperatingPoint point = solve(crossbar, vector({0.1, 0.4}));
    CHECK(point.current(1, 0) == 0);
    CHECK(point.current(0, 0) > 0);
    CHECK(std::isnan(point.bit_line_voltage.at(0)(0, 1)));
    CHECK(std::isnan(point.bit_line_voltage.at(0)(1, 1)));
    CHECK_FALSE(point.word_line_voltage.at(0).hasNaN());
    REQUIRE(point.warnings.size() == 1);
    CHECK(point.warnings[0].find("bl_b_0_1") != std::string::npos);
    CHECK(transfer(crossbar).row(1) == Eigen::RowVector2d::Zero());
}

TEST_CASE("an array cut off altogether carries nothing") {
    Wires wires;
    wires.driver = open_circuit;
    wires.sense = open_circuit;
    const OperatingPoint point =
        solve(Crossbar(cells({{1, 2}, {3, 4}}), wires), vector({0.1, 0.4}));
    CHECK(point.current == Eigen::Vector2d::Zero());
    CHECK(point.bit_line_voltage.at(0).array().isNaN().all());
    CHECK(point.residual == 0);
    CHECK(point.warnings.size() == 1);
}

TEST_CASE("a short seen only through high resistances keeps twelve digits") {
    // Row 0: driver open, cells 1e3 S and 1e-6 S. Row 1: source 0 ohm, cells 1e-6 S and 0.
    // Column 0 open: 1 V -1e-6 S- w0 -1e3 S- u0 -1e-6 S- ground 1. Series: 1/(1e6 + 1e-3 + 1e6).
    // Summing 1e3 + 1e-6 on the diagonal alone loses eight digits of this.
    Wires wires;
    wires.driver = LineResistance(vector({open_circuit, 0}));
    wires.sense = LineResistance(vector({open_circuit, 0}));
    const Crossbar crossbar(cells({{1e3, 1e-6}, {1e-6, 0}}), wires);
    const double expected = 1 / (2e6 + 1e-3);
    NodalSolver solver;
    const double current = solver.solve(crossbar, vector({0, 1}), Voltages::skip).current(1, 0);
    CHECK(std::abs(current / expected - 1) < 1e-14);
    CHECK(std::abs(solver.transfer(crossbar)(1, 1) / expected - 1) < 1e-14);
    CHECK(solver.condition() > 1e8);
}

TEST_CASE("a net that double precision cannot place is refused by name") {
    Wires wires;
    wires.driver = LineResistance(vector({open_circuit, 0}));
    wires.sense = LineResistance(vector({open_circuit, 0}));
    const Crossbar crossbar(cells({{1e3, 1e-15}, {1e-15, 0}}), wires);
    NodalSolver solver;
    try {
        (void)solver.transfer(crossbar);
        FAIL("accepted");
    } catch (const SingularSystem& error) {
        CHECK((error.net() == "wl_a_0_0" || error.net() == "bl_a_0_0"));
        CHECK(std::string(error.what()).find("2x2") != std::string::npos);
    }
    // and the solver is good for the next array
    CHECK(solver.transfer(Crossbar(cells({{2}}))) == Eigen::MatrixXd::Constant(1, 1, 2));
}

TEST_CASE("inputs that do not fit are refused") {
    const Crossbar crossbar(cells({{1, 2}, {3, 4}}));
    CHECK_THROWS_AS(solve(crossbar, vector({1})), InvalidInput);
    CHECK_THROWS_AS(solve(crossbar, vector({1, std::nan("")})), InvalidInput);
    CHECK_THROWS_AS(solve(crossbar, vector({1, open_circuit})), InvalidInput);
}

TEST_CASE("a batch of none gives no currents, and voltages are kept only on demand") {
    Wires wires;
    wires.sense = 1;
    const Crossbar crossbar(cells({{1, 2, 3}, {3, 4, 5}}), wires);
    NodalSolver solver;
    const OperatingPoint none = solver.solve(crossbar, Eigen::MatrixXd(2, 0), Voltages::keep);
    CHECK(none.current.rows() == 3);
    CHECK(none.current.cols() == 0);
    const OperatingPoint some =
        solver.solve(crossbar, Eigen::MatrixXd::Ones(2, 70), Voltages::skip);
    CHECK(some.word_line_voltage.empty());
    CHECK(some.current.col(0) == some.current.col(69));
    CHECK(solver.solve(crossbar, Eigen::MatrixXd::Ones(2, 70), Voltages::keep)
              .bit_line_voltage.size() == 70);
}

TEST_CASE(
    "the first rows of T are those of the whole, and merged wires give rows of the transposed G") {
    Wires wires;
    wires.word_line_segment = 3.0;
    wires.bit_line_segment = 5.0;
    const CellMatrix g = cells({{1e-4, 2e-4, 3e-4}, {4e-4, 5e-4, 6e-4}});
    const Crossbar wired(g, wires);
    CHECK(NodalSolver().transfer_rows(wired, 2) == transfer(wired).topRows(2));
    CHECK(NodalSolver().transfer_rows(Crossbar(g), 1) == g.transpose().topRows(1));
}
