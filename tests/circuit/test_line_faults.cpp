#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"
#include "circuit/faults.hpp"
#include "circuit/tile.hpp"

using namespace kirchnet;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const ArrayPlace place{1, 2, 0, Polarity::b};

std::vector<LineFault> draw(const LineFaultLaw& law, const ArrayShape& shape,
                            const Wires& wires = {}, std::uint32_t trial = 0) {
    return draw_line_faults(law, 3, trial, "conv", place, shape, wires);
}

std::size_t count(const std::vector<LineFault>& faults, LineDefect defect) {
    return static_cast<std::size_t>(
        std::count_if(faults.begin(), faults.end(),
                      [&](const LineFault& fault) { return fault.defect == defect; }));
}

LineFault fault_at(LineDefect defect, int word_line, int bit_line, double resistance = 0) {
    return {place, defect, word_line, bit_line, resistance};
}

}  // namespace

TEST_CASE("every segment and crossing is defective at its probability") {
    const LineFaultLaw law{.word_line_open = 0.02,
                           .word_line_short = 0.05,
                           .word_line_bridge = 0.03,
                           .bit_line_open = 0.04,
                           .bit_line_short = 0.01,
                           .bit_line_bridge = 0.06};
    const auto faults = draw(law, {300, 200});
    const auto is_near = [&](LineDefect defect, double places, double probability) {
        const double expected = places * probability;
        CHECK(std::abs(static_cast<double>(count(faults, defect)) - expected) <
              4 * std::sqrt(expected));
    };
    is_near(LineDefect::word_line_open, 300 * 200, 0.02);
    is_near(LineDefect::word_line_short, 300 * 200, 0.05);
    is_near(LineDefect::word_line_bridge, 299 * 200, 0.03);
    is_near(LineDefect::bit_line_open, 300 * 200, 0.04);
    is_near(LineDefect::bit_line_short, 300 * 200, 0.01);
    is_near(LineDefect::bit_line_bridge, 300 * 199, 0.06);
}

TEST_CASE("with certainty each segment that there is has its defect, and no other") {
    const auto opens = [&](const Wires& wires) {
        const auto faults = draw({.word_line_open = 1, .bit_line_open = 1}, {3, 5}, wires);
        return std::pair{count(faults, LineDefect::word_line_open),
                         count(faults, LineDefect::bit_line_open)};
    };
    using Pair = std::pair<std::size_t, std::size_t>;
    CHECK(opens({}) == Pair{15, 15});
    CHECK(opens({.drive = DriveSide::right, .sense_at = SenseSide::top}) == Pair{15, 15});
    CHECK(opens({.drive = DriveSide::both, .sense_at = SenseSide::both}) == Pair{18, 20});
    CHECK(opens({.end_segments = false}) == Pair{12, 10});
}

TEST_CASE("what is broken at one probability is broken at every larger one, and replays") {
    for (std::uint32_t trial = 0; trial < 20; ++trial) {
        const LineFaultLaw few{.word_line_open = 0.01, .bit_line_bridge = 0.02};
        const LineFaultLaw more{.word_line_open = 0.1, .bit_line_bridge = 0.04};
        const auto smaller = draw(few, {20, 30}, {}, trial);
        const auto larger = draw(more, {20, 30}, {}, trial);
        CHECK(smaller == draw(few, {20, 30}, {}, trial));
        for (const LineFault& fault : smaller)
            CHECK(std::find(larger.begin(), larger.end(), fault) != larger.end());
    }
    CHECK(draw({.word_line_open = 0.5}, {20, 30}, {}, 1) !=
          draw({.word_line_open = 0.5}, {20, 30}, {}, 2));
}

TEST_CASE("defects become resistances and bridges of the wires") {
    const Wires meant{
        .word_line_segment = 2.0,
        .bit_line_segment = LineResistance(Eigen::VectorXd(Eigen::VectorXd::Constant(4, 3.0))),
        .sense_at = SenseSide::both};
    const Wires wires = with_line_faults(
        meant,
        {fault_at(LineDefect::word_line_open, 1, 2), fault_at(LineDefect::word_line_short, 0, 0),
         fault_at(LineDefect::bit_line_open, 3, 1), fault_at(LineDefect::bit_line_short, 0, 2),
         fault_at(LineDefect::word_line_bridge, 1, 3, 50),
         fault_at(LineDefect::bit_line_bridge, 2, 0, 60)},
        {3, 4});
    const Crossbar array(CellMatrix::Constant(3, 4, 1e-5), wires);
    for (Index r = 0; r < 3; ++r)
        for (Index c = 0; c < 4; ++c) {
            const bool is_open = r == 1 && c == 2;
            const bool is_short = r == 0 && c == 0;
            CHECK(array.word_line_resistance(r, c) == (is_open ? infinity : is_short ? 0.0 : 2.0));
            CHECK(array.bit_line_resistance(r, c) == (r == 0 && c == 2 ? 0.0 : 3.0));
            CHECK(array.top_end_resistance(c) == (c == 1 ? infinity : 3.0));
        }
    CHECK(array.wires().bridges ==
          std::vector<Bridge>{{Bridge::Lines::word, 1, 3, 50}, {Bridge::Lines::bit, 2, 0, 60}});
    CHECK(with_line_faults(meant, {}, {3, 4}) == meant);
}

TEST_CASE("defects without a place in the array are refused by name") {
    const auto refuses = [](const LineFault& fault, const Wires& wires, const std::string& words) {
        try {
            (void)with_line_faults(wires, {fault}, {3, 4});
            FAIL("accepted " << words);
        } catch (const InvalidInput& error) {
            CHECK_MESSAGE(std::string(error.what()).find(words) != std::string::npos, error.what());
        }
    };
    refuses(fault_at(LineDefect::word_line_open, 3, 0), {}, "tile 1,2 array b: word_line_open");
    refuses(fault_at(LineDefect::word_line_open, 0, 4), {}, "no such place");
    refuses(fault_at(LineDefect::word_line_short, 0, 0), {.end_segments = false}, "word line 0");
    refuses(fault_at(LineDefect::bit_line_open, 3, 0), {}, "bit_line_open");
    refuses(fault_at(LineDefect::word_line_bridge, 2, 0, 5), {}, "word_line_bridge");
    refuses(fault_at(LineDefect::bit_line_bridge, 0, 3, 5), {}, "bit_line_bridge");
    refuses(fault_at(LineDefect::bit_line_bridge, -1, 0, 5), {}, "word line -1");
    FaultMap map;
    CHECK_THROWS_AS(map.add("fc", fault_at(LineDefect::bit_line_bridge, 0, 0, 0)), InvalidInput);
    CHECK_THROWS_AS(Crossbar(CellMatrix::Constant(2, 2, 1e-5),
                             Wires{.bridges = {{Bridge::Lines::bit, 0, 0, 0.0}}}),
                    InvalidInput);
    CHECK_THROWS_AS(Crossbar(CellMatrix::Constant(2, 2, 1e-5),
                             Wires{.bridges = {{Bridge::Lines::bit, 0, 1, 1.0}}}),
                    InvalidInput);
}

TEST_CASE("two lines touch at one place once") {
    const std::vector<Bridge> twice{{Bridge::Lines::bit, 0, 0, 1.0}, {Bridge::Lines::bit, 0, 0, 2}};
    CHECK_THROWS_AS(Crossbar(CellMatrix::Constant(2, 2, 1e-5), Wires{.bridges = twice}),
                    InvalidInput);
}

TEST_CASE("names and consequences are those an engineer would use") {
    const ArrayShape shape{3, 4};
    const auto named = [&](const LineFault& fault) {
        return describe(fault, shape, ColumnPattern::all_b);
    };
    CHECK(named(fault_at(LineDefect::word_line_open, 1, 2)) == "word_line_open rwl_b_1_2");
    CHECK(named(fault_at(LineDefect::word_line_short, 1, 4)) == "word_line_short rwl_b_1_r");
    CHECK(named(fault_at(LineDefect::bit_line_open, 3, 2)) == "bit_line_open rbl_b_t_2");
    CHECK(named(fault_at(LineDefect::bit_line_bridge, 0, 2)) == "bit_line_bridge rblbridge_b_0_2");
    const auto means = [&](const LineFault& fault, const Wires& wires) {
        return consequence(fault, shape, wires);
    };
    CHECK(means(fault_at(LineDefect::word_line_open, 1, 2), {}) ==
          "bit lines 2 to 3 of word line 1 lose their driver");
    CHECK(means(fault_at(LineDefect::word_line_open, 1, 2), {.drive = DriveSide::right}) ==
          "bit lines 0 to 1 of word line 1 lose their driver");
    CHECK(means(fault_at(LineDefect::word_line_open, 1, 0), {.drive = DriveSide::both}) ==
          "word line 1 is driven at its right end alone");
    CHECK(means(fault_at(LineDefect::bit_line_open, 0, 3), {}) ==
          "word line 0 of bit line 3 loses its read-out");
    CHECK(means(fault_at(LineDefect::bit_line_open, 0, 3), {.sense_at = SenseSide::top}) ==
          "word lines 1 to 2 of bit line 3 lose their read-out");
    CHECK(means(fault_at(LineDefect::word_line_bridge, 1, 3, 50), {}) ==
          "word lines 1 and 2 pull at each other through 50 ohm");
}

TEST_CASE("a tile has the defects of its own arrays, cells and wires alike") {
    FaultMap map;
    map.add("fc", {{0, 0, 0, Polarity::a}, LineDefect::word_line_open, 0, 1});
    map.add("fc", {{0, 0, 0, Polarity::b}, LineDefect::bit_line_bridge, 1, 0, 20});
    map.add("fc", {{0, 1, 0, Polarity::a}, LineDefect::word_line_open, 1, 1});
    map.set("fc", CellAddress{0, 0}, {Fault::stuck_at, 4e-5});
    map.set("fc", CellAddress{1, 0, 0, 0, 0, Polarity::b}, Fault::open_transistor);
    map.set("fc", CellAddress{1, 1}, Fault::shorted_transistor);
    WeightBlock block;
    block.layer = "fc";
    block.weights = Eigen::MatrixXd::Constant(2, 2, 0.5);
    block.inputs = {{0}, {1}};
    TileSettings settings;
    settings.array = {2, 2};
    settings.weight_bits = 0;
    settings.access.resistance = 1000;
    settings.wires.word_line_segment = 1.0;
    settings.wires.bit_line_segment = 1.0;
    const Tile tile(block, settings, FaultSource(map));
    const Crossbar& a = tile.arrays()[0];
    const Crossbar& b = tile.arrays()[1];
    CHECK(a.word_line_resistance(0, 1) == infinity);
    CHECK(a.word_line_resistance(1, 1) == 1);
    CHECK(a.wires().bridges.empty());
    CHECK(b.word_line_resistance(0, 1) == 1);
    CHECK(b.wires().bridges == std::vector<Bridge>{{Bridge::Lines::bit, 1, 0, 20}});
    CHECK(a.conductance()(0, 0) == 4e-5);
    CHECK(b.conductance()(0, 1) == 0);
    // The element behind a cell of G is G / (1 - G R); without its transistor it shows that.
    const double g = a.intended_conductance()(1, 1);
    CHECK(a.conductance()(1, 1) == doctest::Approx(g / (1 - g * 1000)).epsilon(1e-14));
    CHECK(tile.faults() ==
          std::set<Fault>{Fault::stuck_at, Fault::open_transistor, Fault::shorted_transistor});
    CHECK(tile.line_faults()[0].size() == 1);

    SUBCASE("places of another array size are refused") {
        map.set_array({4, 4});
        CHECK_THROWS_AS(Tile(block, settings, FaultSource(map)), InvalidInput);
        map.set_array({2, 2});
        CHECK_NOTHROW(Tile(block, settings, FaultSource(map)));
    }
    SUBCASE("a transistor that is not there cannot be shorted") {
        settings.access = {};
        CHECK_THROWS_AS(Tile(block, settings, FaultSource(map)), InvalidInput);
    }
    SUBCASE("nor can a cell conduct more than its access device") {
        map.set("fc", CellAddress{0, 0}, {Fault::stuck_at, 2e-3});
        CHECK_THROWS_AS(Tile(block, settings, FaultSource(map)), InvalidInput);
    }
}

TEST_CASE("other defects of cells come at their probabilities and change no stuck cell") {
    FaultLaw law{.rate = 0.1};
    law.cells = {.open_via = 0.02,
                 .open_transistor = 0.03,
                 .shorted_transistor = 0.04,
                 .stuck_at = 0.05,
                 .lowest = 1e-6,
                 .highest = 1e-4};
    constexpr int cells = 200000;
    std::array<int, all_faults.size()> met{};
    double logarithms = 0;
    for (int i = 0; i < cells; ++i) {
        const CellIdentity cell = CellAddress{i / 1000, i % 1000};
        const CellFault fault = draw_fault({law, 4, 2}, "fc", cell);
        ++met[static_cast<std::size_t>(fault.kind)];
        if (fault.kind == Fault::stuck_at) {
            REQUIRE(fault.conductance >= 1e-6);
            REQUIRE(fault.conductance <= 1e-4);
            logarithms += std::log10(fault.conductance);
        }
        if (fault == Fault::stuck_on || fault == Fault::stuck_off)
            REQUIRE(draw_fault({FaultLaw{.rate = 0.1}, 4, 2}, "fc", cell) == fault);
    }
    const auto is_near = [&](Fault fault, double probability) {
        const double expected = cells * probability;
        CHECK(std::abs(met[static_cast<std::size_t>(fault)] - expected) < 4 * std::sqrt(expected));
    };
    is_near(Fault::open_via, 0.02);
    is_near(Fault::open_transistor, 0.03);
    is_near(Fault::stuck_at, 0.05);
    is_near(Fault::shorted_transistor, 0.04 * 0.9);  // a stuck element wins
    is_near(Fault::stuck_on, 0.1 * 5.2 / 6.2 * 0.9);
    // Uniform from -6 to -4: mean -5, deviation 2 / sqrt(12).
    const double count = met[static_cast<std::size_t>(Fault::stuck_at)];
    CHECK(std::abs(logarithms / count + 5) < 4 * 2 / std::sqrt(12 * count));
    law.cells.open_via = 0.95;
    CHECK_THROWS_AS(check(law), InvalidInput);
}
