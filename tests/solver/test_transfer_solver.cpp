#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "random_arrays.hpp"
#include "solver/nodal_solver.hpp"
#include "solver/transfer_solver.hpp"

using namespace kirchnet;
using test::Dice;
using test::random_array;
using test::random_inputs;

TEST_CASE("currents, voltages and warnings are those of the nodal engine") {
    Dice dice(31);
    NodalSolver nodal;
    TransferSolver transfer;
    for (int trial = 0; trial < 200; ++trial) {
        const Crossbar crossbar = random_array(dice, {.largest = 20});
        const Eigen::MatrixXd inputs = random_inputs(dice, crossbar.shape().word_lines, 3);
        const OperatingPoint expected = nodal.solve(crossbar, inputs, Voltages::keep);
        const OperatingPoint found = transfer.solve(crossbar, inputs, Voltages::keep);
        const Eigen::MatrixXd scale = transfer.transfer(crossbar) * inputs.cwiseAbs();
        CAPTURE(trial);
        REQUIRE(
            ((found.current - expected.current).cwiseAbs().array() <= 1e-11 * scale.array()).all());
        REQUIRE(found.warnings == expected.warnings);
        REQUIRE(found.residual < 1e-6);
        for (std::size_t k = 0; k < 3; ++k)
            for (Index i = 0; i < crossbar.shape().cells(); ++i) {
                const double x = found.word_line_voltage[k].data()[i];
                const double y = expected.word_line_voltage[k].data()[i];
                REQUIRE(std::isnan(x) == std::isnan(y));
                if (!std::isnan(x)) REQUIRE(std::abs(x - y) < 1e-13);
            }
    }
}

TEST_CASE("without voltages, cut-off nets are still named and no residual is claimed") {
    Wires wires;
    wires.bit_line_segment = std::numeric_limits<double>::infinity();
    const Crossbar crossbar(CellMatrix::Zero(2, 2), wires);
    const OperatingPoint point =
        TransferSolver().solve(crossbar, Eigen::MatrixXd::Ones(2, 1), Voltages::skip);
    CHECK(std::isnan(point.residual));
    REQUIRE(point.warnings.size() == 1);
    CHECK(
        point.warnings[0] ==
        NodalSolver().solve(crossbar, Eigen::MatrixXd::Ones(2, 1), Voltages::keep).warnings.at(0));
}

TEST_CASE("without any resistance the transfer matrix is that of the cells, to the bit") {
    Dice dice(33);
    CellMatrix cells(5, 9);
    for (double& g : cells.reshaped()) g = dice.log_uniform(1e-6, 1e-3);
    Wires wires;
    wires.drive = DriveSide::both;
    TransferSolver solver;
    CHECK(solver.transfer(Crossbar(cells, wires)) == cells.transpose());
    CHECK(solver.transfer_rows(Crossbar(cells), 4) == cells.transpose().topRows(4));
}

TEST_CASE("what is beyond the method goes to the nodal engine, and the result says so") {
    // 1 V through one cell of 1e120 S and a sense resistance of 10 ohm.
    Wires wires;
    wires.sense = 10;
    const Crossbar crossbar(CellMatrix::Constant(1, 1, 1e120), wires);
    TransferSolver solver;
    const OperatingPoint point =
        solver.solve(crossbar, Eigen::MatrixXd::Ones(1, 1), Voltages::skip);
    CHECK(point.current(0, 0) == doctest::Approx(0.1));
    REQUIRE(point.warnings.size() == 1);
    CHECK(point.warnings[0].find("engine nodal") != std::string::npos);
    CHECK(solver.transfer(crossbar)(0, 0) == doctest::Approx(0.1));
}

TEST_CASE("conductances beyond the method have voltages without any resistance too") {
    const CellMatrix cells = (CellMatrix(1, 2) << 1e120, 1e-5).finished();
    const OperatingPoint point =
        TransferSolver().solve(Crossbar(cells), Eigen::MatrixXd::Ones(1, 1), Voltages::keep);
    REQUIRE(point.word_line_voltage.size() == 1);
    CHECK(point.word_line_voltage[0] == CellMatrix::Ones(1, 2));
    CHECK(point.bit_line_voltage[0] == CellMatrix::Zero(1, 2));
    CHECK(point.current(0, 0) == 1e120);
    CHECK(point.warnings.size() == 1);
}

TEST_CASE("a series of fault maps gives the same bits with and without the kept tree") {
    Dice dice(32);
    const Crossbar base =
        random_array(dice, {.largest = 60, .open_wires = false, .zero_resistances = false});
    const auto [m, n] = base.shape();
    TransferSolver kept(TransferSettings{.keeps_tree = true});
    TransferSolver fresh;
    for (const int changes : {0, 1, 3, 400, 2, 0, 1}) {
        CellMatrix cells = base.conductance();
        for (int k = 0; k < changes; ++k)
            cells(dice.integer(0, m - 1), dice.integer(0, n - 1)) = 1e-4;
        const Crossbar faulty(cells, base.wires());
        REQUIRE(kept.transfer(faulty) == fresh.transfer(faulty));
    }
    const Crossbar other = random_array(dice, {.largest = 20});
    CHECK(kept.transfer(other) == fresh.transfer(other));
}

TEST_CASE("inputs of another shape and cells of another law are refused") {
    const Crossbar crossbar(CellMatrix::Constant(2, 2, 1e-4));
    TransferSolver solver;
    CHECK_THROWS_AS((void)solver.solve(crossbar, Eigen::MatrixXd::Ones(3, 1), Voltages::skip),
                    InvalidInput);
    const Crossbar nonlinear = crossbar.with_law(parse_cell_law("sinh:2"));
    CHECK_THROWS_AS((void)solver.solve(nonlinear, Eigen::MatrixXd::Ones(2, 1), Voltages::skip),
                    InvalidInput);
    CHECK_THROWS_AS((void)solver.transfer(nonlinear), InvalidInput);
}

TEST_CASE("admittances at the sense nodes are those of the nodal engine, and obey its laws") {
    Dice dice(57);
    NodalSolver nodal;
    TransferSolver transfer;
    for (int trial = 0; trial < 60; ++trial) {
        CAPTURE(trial);
        const Crossbar crossbar = random_array(dice, {.largest = 20});
        const ArrayPorts expected = nodal.ports(crossbar);
        const ArrayPorts found = transfer.ports(crossbar);
        const double scale = expected.sense_admittance.cwiseAbs().maxCoeff();
        // The nodal engine takes differences of voltages behind its largest conductances.
        double largest = 0;
        for (const Element& element : expand(crossbar).elements)
            largest = std::max(largest, element.conductance);
        CHECK((found.sense_admittance - expected.sense_admittance).cwiseAbs().maxCoeff() <=
              1e-11 * scale + 2e-15 * largest);
        CHECK((found.transfer - transfer.transfer(crossbar)).cwiseAbs().maxCoeff() <=
              1e-14 * found.transfer.maxCoeff());
        // All terminals at one voltage: no current flows.
        const Eigen::VectorXd left =
            found.sense_admittance.rowwise().sum() - found.transfer.rowwise().sum();
        CHECK(left.cwiseAbs().maxCoeff() <= 1e-13 * scale);
        // Reciprocity.
        CHECK((found.sense_admittance - found.sense_admittance.transpose()).norm() <=
              1e-13 * scale);
    }
}

TEST_CASE("from a virtual ground at 1 V flows what the admittances say") {
    Dice dice(63);
    for (int trial = 0; trial < 20; ++trial) {
        const Crossbar crossbar = random_array(dice, {.zero_resistances = false, .shorts = false});
        NodalSolver nodal;
        const Index last = crossbar.shape().bit_lines - 1;
        const OperatingPoint point = nodal.solve_from_grounds(crossbar, {last, 0});
        const Eigen::MatrixXd Y = TransferSolver().ports(crossbar).sense_admittance;
        CHECK(point.bit_line_voltage.size() == 2);
        CHECK((point.current.col(0) + Y.col(last)).norm() <= 1e-11 * Y.norm());
        CHECK((point.current.col(1) + Y.col(0)).norm() <= 1e-11 * Y.norm());
    }
    CHECK_THROWS_AS((void)NodalSolver().solve_from_grounds(
                        Crossbar(CellMatrix::Ones(1, 1)).with_law(CellLaw::sinh(2)), {0}),
                    InvalidInput);
}

TEST_CASE("two cells on one word line couple their columns as fractions on paper say") {
    // Driver of 1/2 S, cells of 1 and 3 S, nothing else: the word-line node has 9/2 S in all. A
    // volt at column 0 puts 1/(9/2) V there: 1 - 2/9 A flow in at column 0, 3 * 2/9 A out at 1.
    Wires wires;
    wires.driver = 2;
    CellMatrix G(1, 2);
    G << 1, 3;
    const ArrayPorts ports = TransferSolver().ports(Crossbar(G, wires));
    CHECK(ports.sense_admittance(0, 0) == doctest::Approx(7.0 / 9).epsilon(1e-14));
    CHECK(ports.sense_admittance(1, 0) == doctest::Approx(-6.0 / 9).epsilon(1e-14));
    CHECK(ports.sense_admittance(1, 1) == doctest::Approx(1).epsilon(1e-14));
    CHECK(ports.transfer(0, 0) == doctest::Approx(1.0 / 9).epsilon(1e-14));
}
