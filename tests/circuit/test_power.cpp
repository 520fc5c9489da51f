#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "circuit/error.hpp"
#include "circuit/power.hpp"

using namespace kirchnet;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

Wires uniform_wires(double word, double bit, double driver, double sense) {
    Wires wires;
    wires.word_line_segment = word;
    wires.bit_line_segment = bit;
    wires.driver = driver;
    wires.sense = sense;
    return wires;
}

CellMatrix row_of(double first, double second) {
    CellMatrix values(1, 2);
    values << first, second;
    return values;
}

/// Two weights 0.5 and -0.5 of one output on 2 × 1 arrays.
Tile small_tile(Mapping mapping) {
    WeightBlock block;
    block.layer = "fc";
    block.weights = Eigen::MatrixXd(2, 1);
    block.weights << 0.5, -0.5;
    block.inputs = {{0, 0, 0}, {1, 0, 0}};
    TileSettings settings;
    settings.array = {2, 1};
    settings.mapping = mapping;
    return Tile(block, settings);
}

}  // namespace

TEST_CASE("power of one cell in series with its wires") {
    // 1 + 2 + 4 + 2 + 1 ohm = 10 ohm at 1 V: 0.1 A, and R I² of each.
    const Crossbar crossbar(CellMatrix::Constant(1, 1, 0.25), uniform_wires(2, 2, 1, 1));
    const CellMatrix word = CellMatrix::Constant(1, 1, 0.7);
    const CellMatrix bit = CellMatrix::Constant(1, 1, 0.3);
    const Eigen::VectorXd input = Eigen::VectorXd::Constant(1, 1.0);
    const LineCurrents currents = line_currents(crossbar, word, bit, input);
    const ArrayPower power = array_power(crossbar, word, bit, input, currents);
    CHECK(power.delivered == doctest::Approx(0.1));
    CHECK(power.drivers == doctest::Approx(0.01));
    CHECK(power.word_lines == doctest::Approx(0.02));
    CHECK(power.cells == doctest::Approx(0.04));
    CHECK(power.bit_lines == doctest::Approx(0.02));
    CHECK(power.sense == doctest::Approx(0.01));
    CHECK(power.dissipated() == doctest::Approx(0.1));
}

TEST_CASE("without wires, segment currents are what cells take further on") {
    CellMatrix g(2, 2);
    g << 1, 2, 3, 4;
    const Crossbar crossbar(g);
    const Eigen::Vector2d input(1, 0.5);
    CellMatrix word(2, 2);
    word << 1, 1, 0.5, 0.5;
    const CellMatrix bit = CellMatrix::Zero(2, 2);
    // Cells take 1 and 2 A on word line 0, 1.5 and 2 A on word line 1.
    const LineCurrents currents = line_currents(crossbar, word, bit, input);
    CellMatrix expected(2, 2);
    expected << 3, 2, 3.5, 2;
    CHECK(currents.word_line == expected);
    expected << 1, 2, 2.5, 4;
    CHECK(currents.bit_line == expected);
    CHECK(currents.right_end.isZero(0));
    CHECK(currents.top_end.isZero(0));
    CHECK(worst_word_line_segment(crossbar, currents) == SegmentCurrent{"rwl_a_1_0", 3.5});
    CHECK(worst_bit_line_segment(crossbar, currents) == SegmentCurrent{"rbl_a_1_1", 4});
    const ArrayPower power = array_power(crossbar, word, bit, input, currents);
    CHECK(power.delivered == doctest::Approx(1 * 3 + 0.5 * 3.5));
    CHECK(power.cells == doctest::Approx(4.75));
    CHECK(power.dissipated() == power.cells);
}

TEST_CASE("a cell driven and sensed at both ends draws through all four") {
    // Left 10 + 2, right 10 + 14 ohm: 8 ohm in parallel; bottom 5 + 3, top 5 + 19 ohm: 6 ohm;
    // cell 100 ohm: 0.57 V / 114 ohm = 5 mA, which divides 2 : 1 and 3 : 1.
    Wires wires = uniform_wires(0, 0, 10, 5);
    CellMatrix word_segments(1, 2);
    word_segments << 2, 14;
    CellMatrix bit_segments(1, 2);
    bit_segments << 3, 19;
    wires.word_line_segment = LineResistance(word_segments);
    wires.bit_line_segment = LineResistance(bit_segments);
    wires.drive = DriveSide::both;
    wires.sense_at = SenseSide::both;
    const Crossbar crossbar(CellMatrix::Constant(1, 1, 0.01), wires, ColumnPattern::all_b);
    const CellMatrix word = CellMatrix::Constant(1, 1, 0.57 - 0.04);
    const CellMatrix bit = CellMatrix::Constant(1, 1, 0.03);
    const Eigen::VectorXd input = Eigen::VectorXd::Constant(1, 0.57);
    const LineCurrents currents = line_currents(crossbar, word, bit, input);
    CHECK(currents.word_line(0, 0) == doctest::Approx(0.04 / 12));
    CHECK(currents.right_end(0) == doctest::Approx(0.04 / 24));
    CHECK(currents.bit_line(0, 0) == doctest::Approx(0.03 / 8));
    CHECK(currents.top_end(0) == doctest::Approx(0.03 / 24));
    CHECK(worst_word_line_segment(crossbar, currents).name == "rwl_b_0_0");
    CHECK(worst_bit_line_segment(crossbar, currents).name == "rbl_b_0_0");
    const ArrayPower power = array_power(crossbar, word, bit, input, currents);
    CHECK(power.delivered == doctest::Approx(0.57 * 5e-3));
    CHECK(power.dissipated() == doctest::Approx(0.57 * 5e-3));
    CHECK(power.drivers == doctest::Approx(10 * (0.04 / 12 * 0.04 / 12 + 0.04 / 24 * 0.04 / 24)));
    CHECK(power.sense == doctest::Approx(5 * (0.03 / 8 * 0.03 / 8 + 0.03 / 24 * 0.03 / 24)));
}

TEST_CASE("an array driven from the right counts its currents from there") {
    Wires wires = uniform_wires(0, 0, 1, 1);
    wires.drive = DriveSide::right;
    wires.sense_at = SenseSide::top;
    const Crossbar crossbar(row_of(1, 1), wires);
    // 1 ohm to both cells of 1 S, each with 1 ohm behind it: 2 V / (1 + 1) ohm = 1 A.
    const LineCurrents currents =
        line_currents(crossbar, row_of(1, 1), row_of(0.5, 0.5), Eigen::VectorXd::Constant(1, 2.0));
    CHECK(currents.right_end(0) == doctest::Approx(1));
    CHECK(currents.word_line(0, 0) == 0);
    CHECK(currents.word_line(0, 1) == doctest::Approx(-0.5));
    CHECK(currents.top_end(0) == doctest::Approx(0.5));
    CHECK(worst_word_line_segment(crossbar, currents).name == "rwl_a_0_r");
    CHECK(worst_bit_line_segment(crossbar, currents).name == "rbl_a_t_0");
}

TEST_CASE("lines that are cut off or undetermined have no power") {
    const Eigen::VectorXd input = Eigen::VectorXd::Constant(1, 1.0);
    SUBCASE("an open driver") {
        const Crossbar crossbar(row_of(1, 1), uniform_wires(1, 1, open, 0));
        const CellMatrix lost = row_of(not_a_number, not_a_number);
        const LineCurrents currents = line_currents(crossbar, lost, lost, input);
        CHECK(currents.word_line.isZero(0));
        CHECK(currents.bit_line.isZero(0));
        CHECK(worst_word_line_segment(crossbar, currents).name.empty());
        CHECK(array_power(crossbar, lost, lost, input, currents) == ArrayPower{});
    }
    SUBCASE("both ends without any resistance") {
        Wires wires;
        wires.drive = DriveSide::both;
        const Crossbar crossbar(row_of(1, 1), wires);
        const LineCurrents currents = line_currents(crossbar, row_of(1, 1), row_of(0, 0), input);
        CHECK(currents.word_line.array().isNaN().all());
        CHECK(worst_word_line_segment(crossbar, currents).name.empty());
        CHECK(array_power(crossbar, row_of(1, 1), row_of(0, 0), input, currents).delivered == 2);
    }
}

TEST_CASE("sinh cells use the power of their own current") {
    const Crossbar crossbar = Crossbar(CellMatrix::Constant(1, 1, 2.0)).with_law(CellLaw::sinh(3));
    const CellMatrix word = CellMatrix::Constant(1, 1, 0.5);
    const CellMatrix bit = CellMatrix::Zero(1, 1);
    const Eigen::VectorXd input = Eigen::VectorXd::Constant(1, 0.5);
    const LineCurrents currents = line_currents(crossbar, word, bit, input);
    const ArrayPower power = array_power(crossbar, word, bit, input, currents);
    CHECK(power.cells == doctest::Approx(0.5 * 2 * std::sinh(1.5) / 3));
    CHECK(power.delivered == doctest::Approx(power.cells));
}

TEST_CASE("resistors behind amplifiers use what their currents say") {
    SubtractorCircuit circuit;
    circuit.feedback_resistance = 1e3;
    SUBCASE("a pair") {
        const Tile tile = small_tile(Mapping::differential);
        CHECK(amplifier_count(tile, SubtractorKind::difference) == 3);
        // -1 V and -2 V behind the amplifiers; R3 and R4 take 1 V in series, and the inner nodes
        // are at -0.5 V; the output is at 1 V, so R1 and R2 have 1.5 V each.
        const ReadoutPower power = resistor_power(
            tile, {Eigen::VectorXd::Constant(1, 1e-3), Eigen::VectorXd::Constant(1, 2e-3)},
            circuit);
        CHECK(power.feedback == doctest::Approx(1e-3 + 4e-3));
        CHECK(power.bridge == doctest::Approx(1.0 / 2e4 + 2 * 1.5 * 1.5 / 1e4));
        CHECK(power.amplifiers == 0);
    }
    SUBCASE("a pair in current mode") {
        circuit.kind = SubtractorKind::current_mode;
        const Tile tile = small_tile(Mapping::differential);
        CHECK(amplifier_count(tile, circuit.kind) == 2);
        // -1 V over R_x = 1 kohm takes 1 mA of b's 2 mA; what is left flows through its R_f.
        const ReadoutPower power = resistor_power(
            tile, {Eigen::VectorXd::Constant(1, 1e-3), Eigen::VectorXd::Constant(1, 2e-3)},
            circuit);
        CHECK(power.feedback == doctest::Approx(1e-3 + 1e-3));
        CHECK(power.bridge == doctest::Approx(1e-3));
    }
    SUBCASE("one column alone") {
        const Tile tile = small_tile(Mapping::offset);
        CHECK(amplifier_count(tile, SubtractorKind::difference) == 1);
        const ReadoutPower power =
            resistor_power(tile, {Eigen::VectorXd::Constant(1, 1e-3)}, circuit);
        CHECK(power.feedback == doctest::Approx(1e-3));
        CHECK(power.bridge == 0);
    }
}

TEST_CASE("supplies that are none are refused") {
    CHECK_THROWS_AS(check(AmplifierSupply{-1e-6, 2.4}), InvalidInput);
    CHECK_THROWS_AS(check(AmplifierSupply{1e-6, not_a_number}), InvalidInput);
    CHECK_NOTHROW(check(AmplifierSupply{1e-6, 2.4}));
}
