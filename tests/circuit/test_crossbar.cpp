#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "circuit/crossbar.hpp"
#include "circuit/error.hpp"
#include "circuit/geometry.hpp"

using namespace kirchnet;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// 2 word lines, 3 bit lines, every value different.
CellMatrix small_array() {
    return (CellMatrix(2, 3) << 1e-6, 2e-6, 3e-6, 4e-6, 5e-6, 6e-6).finished();
}

FaultMatrix no_faults() {
    return FaultMatrix::Constant(2, 3, Fault::none);
}

Crossbar with_faults(CellMatrix actual, FaultMatrix faults) {
    return {small_array(), std::move(actual), std::move(faults), {}, ColumnPattern::all_a};
}

std::string message_of(const auto& action) {
    try {
        action();
    } catch (const InvalidInput& error) {
        return error.what();
    }
    return "nothing was thrown";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a crossbar keeps what it was given") {
    const Crossbar crossbar(small_array(), Wires{.driver = 50.0});
    CHECK(crossbar.shape() == ArrayShape{2, 3});
    CHECK(crossbar.conductance() == small_array());
    CHECK(crossbar.intended_conductance() == small_array());
    CHECK((crossbar.faults().array() == Fault::none).all());
    CHECK(crossbar.wires().driver(1) == 50.0);
    CHECK(crossbar.pattern() == ColumnPattern::all_a);
}

TEST_CASE("intended and actual conductance are told apart") {
    CellMatrix actual = small_array();
    actual(1, 2) = 1e-4;
    FaultMatrix faults = no_faults();
    faults(1, 2) = Fault::stuck_on;
    const Crossbar crossbar = with_faults(actual, faults);
    CHECK(crossbar.intended_conductance()(1, 2) == 6e-6);
    CHECK(crossbar.conductance()(1, 2) == 1e-4);
    CHECK(crossbar.faults()(1, 2) == Fault::stuck_on);
}

TEST_CASE("driver and sense resistance add to the end segments") {
    // Numbers chosen so that each sum has one reading only.
    Wires wires{.word_line_segment = 1.0, .bit_line_segment = 20.0, .driver = 300.0, .sense = 4000};
    SUBCASE("with end segments") {
        const Crossbar crossbar(small_array(), wires);
        CHECK(crossbar.word_line_resistance(0, 0) == 301);
        CHECK(crossbar.word_line_resistance(0, 1) == 1);
        CHECK(crossbar.bit_line_resistance(0, 2) == 20);
        CHECK(crossbar.bit_line_resistance(1, 2) == 4020);
    }
    SUBCASE("without them") {
        wires.end_segments = false;
        const Crossbar crossbar(small_array(), wires);
        CHECK(crossbar.word_line_resistance(0, 0) == 300);
        CHECK(crossbar.word_line_resistance(0, 1) == 1);
        CHECK(crossbar.bit_line_resistance(0, 2) == 20);
        CHECK(crossbar.bit_line_resistance(1, 2) == 4000);
    }
}

TEST_CASE("only ends that are driven or sensed have a resistance") {
    Wires wires{.word_line_segment = 1.0, .bit_line_segment = 20.0, .driver = 300.0, .sense = 4000};
    CHECK(Crossbar(small_array(), wires).right_end_resistance(0) == infinity);
    CHECK(Crossbar(small_array(), wires).top_end_resistance(0) == infinity);
    wires.drive = DriveSide::right;
    wires.sense_at = SenseSide::top;
    const Crossbar turned(small_array(), wires);
    CHECK(turned.word_line_resistance(0, 0) == infinity);
    CHECK(turned.word_line_resistance(0, 1) == 1);
    CHECK(turned.right_end_resistance(0) == 301);
    CHECK(turned.bit_line_resistance(1, 2) == infinity);
    CHECK(turned.bit_line_resistance(0, 2) == 20);
    CHECK(turned.top_end_resistance(2) == 4020);
    wires.drive = DriveSide::both;
    wires.sense_at = SenseSide::both;
    wires.end_segments = false;
    const Crossbar both(small_array(), wires);
    CHECK(both.word_line_resistance(1, 0) == 300);
    CHECK(both.right_end_resistance(1) == 300);
    CHECK(both.bit_line_resistance(1, 0) == 4000);
    CHECK(both.top_end_resistance(0) == 4000);
    CHECK_FALSE(both == turned);
}

TEST_CASE("segments of the further ends are a further column") {
    const CellMatrix word_segments = (CellMatrix(2, 4) << 1, 2, 3, 4, 5, 6, 7, 8).finished();
    const CellMatrix bit_segments =
        (CellMatrix(3, 3) << 10, 20, 30, 40, 50, 60, 70, 80, 90).finished();
    const Crossbar crossbar(
        small_array(), Wires{.word_line_segment = LineResistance(word_segments),
                             .bit_line_segment = LineResistance(bit_segments),
                             .driver = LineResistance(Eigen::VectorXd(Eigen::Vector2d(100, 200))),
                             .drive = DriveSide::both,
                             .sense_at = SenseSide::both});
    CHECK(crossbar.word_line_resistance(1, 0) == 205);
    CHECK(crossbar.word_line_resistance(1, 2) == 7);
    CHECK(crossbar.right_end_resistance(0) == 104);
    CHECK(crossbar.right_end_resistance(1) == 208);
    CHECK(crossbar.bit_line_resistance(0, 2) == 70);  // below word line 0
    CHECK(crossbar.bit_line_resistance(1, 2) == 80);  // below the last, to the read-out
    CHECK(crossbar.top_end_resistance(2) == 90);      // above word line 0
}

TEST_CASE("resistances may differ per line and per segment") {
    const Eigen::VectorXd drivers = (Eigen::VectorXd(2) << 7, 9).finished();
    const CellMatrix word_segments = (CellMatrix(2, 3) << 1, 2, 3, 4, 5, 6).finished();
    // Bit line by bit line: the segment below word line 0, then the one below word line 1.
    const CellMatrix bit_segments = (CellMatrix(3, 2) << 10, 20, 30, 40, 50, 60).finished();
    const Crossbar crossbar(small_array(), Wires{.word_line_segment = LineResistance(word_segments),
                                                 .bit_line_segment = LineResistance(bit_segments),
                                                 .driver = LineResistance(drivers)});
    CHECK(crossbar.word_line_resistance(0, 0) == 7 + 1);
    CHECK(crossbar.word_line_resistance(1, 0) == 9 + 4);
    CHECK(crossbar.word_line_resistance(1, 2) == 6);
    CHECK(crossbar.bit_line_resistance(0, 1) == 30);
    CHECK(crossbar.bit_line_resistance(1, 2) == 60);
    CHECK_FALSE(crossbar.wires().driver.is_uniform());
    CHECK(crossbar.wires().sense.is_uniform());
}

TEST_CASE("crossbars compare by value") {
    const Crossbar crossbar(small_array());
    CHECK(crossbar == Crossbar(small_array()));
    CHECK_FALSE(crossbar == Crossbar(2 * small_array()));
    CHECK_FALSE(crossbar == Crossbar(small_array(), Wires{.sense = 1.0}));
    CHECK_FALSE(crossbar == Crossbar(small_array(), {}, ColumnPattern::all_b));
    CHECK_FALSE(crossbar == Crossbar(small_array().transpose()));
    FaultMatrix faults = no_faults();
    faults(0, 0) = Fault::stuck_on;
    CHECK_FALSE(crossbar == with_faults(small_array(), faults));
    CHECK_FALSE(crossbar == Crossbar(small_array(), Wires{.end_segments = false}));
    CHECK_FALSE(crossbar == Crossbar(small_array(), Wires{.drive = DriveSide::both}));
    CHECK_FALSE(crossbar == Crossbar(small_array(), Wires{.sense_at = SenseSide::top}));
    // One value for all and the same value per line are different descriptions.
    CHECK_FALSE(LineResistance(1.0) == LineResistance(Eigen::VectorXd(Eigen::VectorXd::Ones(2))));
}

TEST_CASE("a bad conductance is refused by cell") {
    CellMatrix conductance = small_array();
    const auto build = [&] { Crossbar(conductance, {}, ColumnPattern::interleaved); };
    SUBCASE("negative") {
        conductance(1, 1) = -1e-6;
    }
    SUBCASE("NaN") {
        conductance(1, 1) = not_a_number;
    }
    SUBCASE("infinite") {
        conductance(1, 1) = infinity;
    }
    // Bit line 1 of an interleaved array has polarity b.
    CHECK(contains(message_of(build), "xc_b_1_1"));
    CHECK(contains(message_of(build), "word line 1, bit line 1"));
}

TEST_CASE("a bad actual conductance is refused too") {
    CellMatrix actual = small_array();
    actual(0, 2) = not_a_number;
    CHECK(contains(message_of([&] { with_faults(actual, no_faults()); }), "xc_a_0_2"));
}

TEST_CASE("shapes that do not fit are refused") {
    CHECK_THROWS_AS(Crossbar(CellMatrix(0, 3)), InvalidInput);
    CHECK_THROWS_AS(Crossbar(CellMatrix(3, 0)), InvalidInput);
    CHECK(contains(message_of([] { with_faults(CellMatrix::Zero(3, 2), no_faults()); }),
                   "actual conductance is 3 x 2"));
    CHECK(contains(
        message_of([] { with_faults(small_array(), FaultMatrix::Constant(2, 2, Fault::none)); }),
        "fault map is 2 x 2"));
}

TEST_CASE("an open cell that conducts is refused") {
    FaultMatrix faults = no_faults();
    faults(1, 0) = Fault::open;
    CHECK(contains(message_of([&] { with_faults(small_array(), faults); }), "xc_a_1_0"));
    CellMatrix actual = small_array();
    actual(1, 0) = 0;
    CHECK_NOTHROW(with_faults(actual, faults));
}

TEST_CASE("a bad resistance is refused by name") {
    const auto build = [](const Wires& wires) {
        return message_of([&] { Crossbar(small_array(), wires); });
    };
    const auto per_line = [](Index lines) {
        return LineResistance(Eigen::VectorXd(Eigen::VectorXd::Ones(lines)));
    };
    const auto per_segment = [](Index lines, Index segments) {
        return LineResistance(CellMatrix(CellMatrix::Ones(lines, segments)));
    };
    CHECK(contains(build({.word_line_segment = -1.0}), "word-line segment resistance"));
    CHECK(contains(build({.bit_line_segment = not_a_number}), "bit-line segment resistance"));
    CHECK(contains(build({.driver = per_line(3)}), "driver resistance"));
    CHECK(contains(build({.sense = per_line(2)}), "sense resistance"));
    CHECK(contains(build({.driver = per_segment(2, 3)}), "driver resistance"));
    CHECK(
        contains(build({.word_line_segment = per_segment(2, 2)}), "word-line segment resistance"));
    CHECK(
        contains(build({.word_line_segment = per_segment(1, 3)}), "word-line segment resistance"));
    CHECK(contains(build({.bit_line_segment = per_segment(2, 3)}), "bit-line segment resistance"));
    CHECK(contains(build({.driver = per_line(0)}), "driver resistance"));
}

TEST_CASE("segments given one by one must fit the ends that are connected") {
    const auto build = [](Index word_columns, Index bit_columns, DriveSide drive, SenseSide side,
                          bool end_segments) {
        Wires wires;
        wires.word_line_segment = LineResistance(CellMatrix(CellMatrix::Ones(2, word_columns)));
        wires.bit_line_segment = LineResistance(CellMatrix(CellMatrix::Ones(3, bit_columns)));
        wires.drive = drive;
        wires.sense_at = side;
        wires.end_segments = end_segments;
        return message_of([&] { Crossbar(small_array(), wires); });
    };
    const std::string fits = "nothing was thrown";
    const auto bottom = SenseSide::bottom;
    const auto left = DriveSide::left;
    for (const auto drive : {DriveSide::right, DriveSide::both}) {
        CHECK(build(4, 2, drive, bottom, true) == fits);
        CHECK(
            contains(build(3, 2, drive, bottom, true),
                     "word-line segment resistance: 2 x 3 values given, but the array has 2 lines "
                     "of 4 segments, the last of them right of the last cell"));
        CHECK(build(3, 2, drive, bottom, false) == fits);  // no end segment to give
        CHECK(build(4, 2, drive, bottom, false) == fits);
        CHECK(contains(build(5, 2, drive, bottom, true), "word-line segment"));
    }
    for (const auto side : {SenseSide::top, SenseSide::both}) {
        CHECK(build(3, 3, left, side, true) == fits);
        CHECK(contains(build(3, 2, left, side, true),
                       "bit-line segment resistance: 3 x 2 values given, but the array has 3 lines "
                       "of 3 segments, the last of them above word line 0"));
        CHECK(build(3, 2, left, side, false) == fits);
        CHECK(contains(build(3, 4, left, side, true), "bit-line segment"));
    }
    CHECK(contains(build(4, 2, left, bottom, true), "word-line segment"));  // nothing is there
    CHECK(contains(build(3, 3, left, bottom, true), "bit-line segment"));
    CHECK(build(1, 1, DriveSide::both, SenseSide::both, true) == fits);  // one per line
}

TEST_CASE("a further segment is checked as the others are") {
    CellMatrix segments = CellMatrix::Ones(2, 4);
    segments(1, 3) = -1;
    const Wires wires{.word_line_segment = LineResistance(segments), .drive = DriveSide::right};
    CHECK(contains(message_of([&] { Crossbar(small_array(), wires); }), "-1 ohm at line 1"));
}

TEST_CASE("zero and infinite resistances are resistances") {
    CHECK_NOTHROW(Crossbar(small_array(), Wires{.word_line_segment = 0.0, .sense = infinity}));
}

TEST_CASE("array sizes read as word lines x bit lines") {
    CHECK(parse_array_shape("128x64") == ArrayShape{128, 64});
    CHECK(parse_array_shape("1x65536") == ArrayShape{1, 65536});
    CHECK(to_string(ArrayShape{3, 7}) == "3x7");
    for (const auto* text : {"", "x", "12", "12x", "x12", "0x4", "4x0", "-1x4", "4x65537", "4x4x4",
                             " 4x4", "4 x4", "4x4 ", "99999999999999999999x1", "4.5x3", "4X4"})
        CHECK_THROWS_AS(parse_array_shape(text), InvalidInput);
}

TEST_CASE("geometry words read back, others are refused") {
    for (const auto layout : {Layout::split, Layout::interleaved})
        CHECK(parse_layout(to_string(layout)) == layout);
    for (const auto pattern :
         {ColumnPattern::all_a, ColumnPattern::all_b, ColumnPattern::interleaved})
        CHECK(parse_column_pattern(to_string(pattern)) == pattern);
    for (const auto side : {DriveSide::left, DriveSide::right, DriveSide::both})
        CHECK(parse_drive_side(to_string(side)) == side);
    for (const auto side : {SenseSide::bottom, SenseSide::top, SenseSide::both})
        CHECK(parse_sense_side(to_string(side)) == side);
    for (const auto* text : {"", "Left", "top", "left,right"})
        CHECK_THROWS_AS(parse_drive_side(text), InvalidInput);
    for (const auto* text : {"", "Top", "right", "bottom "})
        CHECK_THROWS_AS(parse_sense_side(text), InvalidInput);
    CHECK_THROWS_AS(parse_layout("Split"), InvalidInput);
    CHECK_THROWS_AS(parse_column_pattern("ab"), InvalidInput);
}

TEST_CASE("interleaved bit lines alternate a and b") {
    CHECK(polarity_of(ColumnPattern::interleaved, 0) == Polarity::a);
    CHECK(polarity_of(ColumnPattern::interleaved, 1) == Polarity::b);
    CHECK(polarity_of(ColumnPattern::interleaved, 6) == Polarity::a);
    CHECK(polarity_of(ColumnPattern::all_a, 1) == Polarity::a);
    CHECK(polarity_of(ColumnPattern::all_b, 0) == Polarity::b);
    CHECK(to_char(Polarity::a) == 'a');
    CHECK(to_char(Polarity::b) == 'b');
}

TEST_CASE("errors hold the facts they speak of") {
    CHECK(FileError("/tmp/x", "disk full").path() == "/tmp/x");
    CHECK(std::string(FileError("/tmp/x", "disk full").what()) == "/tmp/x: disk full");
    CHECK(SingularSystem("bl_a_3_7", "64x64, rcond 2e-19").net() == "bl_a_3_7");
    CHECK(contains(SingularSystem("bl_a_3_7", "64x64").what(), "singular system at net bl_a_3_7"));
    CHECK(InvalidInput("key", "wrong").where() == "key");
}
