#include <doctest/doctest.h>

#include <limits>

#include "circuit/error.hpp"
#include "circuit/ideal_solver.hpp"

using namespace kirchnet;

namespace {

/// 2 word lines x 3 bit lines [S], wires that the ideal engine must not see.
Crossbar array() {
    const CellMatrix G = (CellMatrix(2, 3) << 1e-6, 2e-6, 3e-6, 4e-6, 5e-6, 6e-6).finished();
    return Crossbar(G, Wires{.word_line_segment = 100.0, .driver = 1000.0});
}

/// Three inputs [V] on two word lines.
Eigen::MatrixXd inputs() {
    return (Eigen::MatrixXd(2, 3) << 0.1, 0.2, 0, 0.3, -0.2, 1).finished();
}

/// The default transfer of the interface: one solve per word line.
class Plain final : public OperatingPointSolver {
  public:
    [[nodiscard]] std::string_view name() const override { return "plain"; }
    [[nodiscard]] OperatingPoint solve(const Crossbar& crossbar,
                                       const Eigen::Ref<const Eigen::MatrixXd>& columns,
                                       Voltages voltages) override {
        return IdealSolver().solve(crossbar, columns, voltages);
    }
};

}  // namespace

TEST_CASE("ideal currents are the conductances times the voltages") {
    const OperatingPoint point = IdealSolver().solve(array(), inputs(), Voltages::skip);
    // By hand, e.g. bit line 0, input 0: 1 uS * 0.1 V + 4 uS * 0.3 V = 1.3 uA.
    const Eigen::MatrixXd expected =
        1e-6 * (Eigen::MatrixXd(3, 3) << 1.3, -0.6, 4, 1.7, -0.6, 5, 2.1, -0.6, 6).finished();
    CHECK(point.current.rows() == 3);
    CHECK(point.current.isApprox(expected, 1e-14));
    CHECK(point.word_line_voltage.empty());
    CHECK(point.warnings.empty());
}

TEST_CASE("ideal nodes sit at their source or at ground") {
    const OperatingPoint point = IdealSolver().solve(array(), inputs(), Voltages::keep);
    REQUIRE(point.word_line_voltage.size() == 3);
    REQUIRE(point.bit_line_voltage.size() == 3);
    const CellMatrix words = (CellMatrix(2, 3) << 0.2, 0.2, 0.2, -0.2, -0.2, -0.2).finished();
    CHECK(point.word_line_voltage[1] == words);
    CHECK(point.bit_line_voltage[1] == CellMatrix::Zero(2, 3));
}

TEST_CASE("the transfer matrix has a row per bit line") {
    const Eigen::MatrixXd expected = 1e-6 * (Eigen::MatrixXd(3, 2) << 1, 4, 2, 5, 3, 6).finished();
    CHECK(IdealSolver().transfer(array()).isApprox(expected, 1e-14));
    CHECK(Plain().transfer(array()).isApprox(expected, 1e-14));
    CHECK(IdealSolver().name() == "ideal");
}

TEST_CASE("inputs that do not fit are refused") {
    IdealSolver solver;
    CHECK_THROWS_AS((void)solver.solve(array(), Eigen::MatrixXd::Zero(3, 1), Voltages::skip),
                    InvalidInput);
    Eigen::MatrixXd bad = inputs();
    SUBCASE("NaN") {
        bad(1, 1) = std::numeric_limits<double>::quiet_NaN();
    }
    SUBCASE("infinite") {
        bad(1, 1) = std::numeric_limits<double>::infinity();
    }
    CHECK_THROWS_AS((void)solver.solve(array(), bad, Voltages::skip), InvalidInput);
}

TEST_CASE("an empty batch gives no currents and no error") {
    const OperatingPoint point =
        IdealSolver().solve(array(), Eigen::MatrixXd(2, 0), Voltages::keep);
    CHECK(point.current.rows() == 3);
    CHECK(point.current.cols() == 0);
}
