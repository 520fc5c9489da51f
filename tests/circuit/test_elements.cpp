#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"

using namespace kirchnet;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double g = 1e-5;

/// An expansion as lines one can read: `rwl_a_0_0 in_a_0 wl_a_0_0 0.1`.
std::vector<std::string> lines_of(const Expansion& expansion) {
    std::vector<std::string> lines;
    for (const Element& element : expansion.elements) {
        std::string value = std::to_string(element.conductance * 1e6);
        value.erase(value.find('.'));
        lines.push_back(expansion.element_name(element) + ' ' + expansion.net_name(element.from) +
                        ' ' + expansion.net_name(element.to) + ' ' + value + "uS");
    }
    return lines;
}

using Lines = std::vector<std::string>;

LineResistance per_line(std::initializer_list<double> values) {
    Eigen::VectorXd vector(static_cast<Index>(values.size()));
    std::copy(values.begin(), values.end(), vector.begin());
    return LineResistance(vector);
}

}  // namespace

TEST_CASE("one cell is three resistances in series") {
    // in_a_0 --(8 + 2 ohm)-- wl_a_0_0 --10 uS-- bl_a_0_0 --(2 + 3 ohm)-- out_a_0
    const CellMatrix cell = CellMatrix::Constant(1, 1, g);
    const Wires wires{
        .word_line_segment = 2.0, .bit_line_segment = 2.0, .driver = 8.0, .sense = 3.0};
    const Expansion expansion = expand(Crossbar(cell, wires));
    CHECK(expansion.unknowns == 2);
    CHECK(lines_of(expansion) == Lines{"rwl_a_0_0 in_a_0 wl_a_0_0 100000uS",
                                       "xc_a_0_0 wl_a_0_0 bl_a_0_0 10uS",
                                       "rbl_a_0_0 bl_a_0_0 out_a_0 200000uS"});
}

TEST_CASE("without end segments driver and sense resistance stand alone") {
    const CellMatrix cell = CellMatrix::Constant(1, 1, g);
    const Wires wires{.word_line_segment = 2.0,
                      .bit_line_segment = 2.0,
                      .driver = 8.0,
                      .sense = 4.0,
                      .end_segments = false};
    CHECK(lines_of(expand(Crossbar(cell, wires))) == Lines{"rwl_a_0_0 in_a_0 wl_a_0_0 125000uS",
                                                           "xc_a_0_0 wl_a_0_0 bl_a_0_0 10uS",
                                                           "rbl_a_0_0 bl_a_0_0 out_a_0 250000uS"});
}

TEST_CASE("a grid lists every segment and cell in row-major order") {
    // in_a_0 --wl_a_0_0--wl_a_0_1      each word-line node over its bit-line node,
    // in_a_1 --wl_a_1_0--wl_a_1_1      bit lines run down to out_a_0, out_a_1
    CellMatrix cells(2, 2);
    cells << 10e-6, 20e-6, 30e-6, 40e-6;
    const Expansion expansion =
        expand(Crossbar(cells, Wires{.word_line_segment = 10.0, .bit_line_segment = 20.0}));
    CHECK(expansion.unknowns == 8);
    CHECK(lines_of(expansion) ==
          Lines{"rwl_a_0_0 in_a_0 wl_a_0_0 100000uS", "xc_a_0_0 wl_a_0_0 bl_a_0_0 10uS",
                "rbl_a_0_0 bl_a_0_0 bl_a_1_0 50000uS", "rwl_a_0_1 wl_a_0_0 wl_a_0_1 100000uS",
                "xc_a_0_1 wl_a_0_1 bl_a_0_1 20uS", "rbl_a_0_1 bl_a_0_1 bl_a_1_1 50000uS",
                "rwl_a_1_0 in_a_1 wl_a_1_0 100000uS", "xc_a_1_0 wl_a_1_0 bl_a_1_0 30uS",
                "rbl_a_1_0 bl_a_1_0 out_a_0 50000uS", "rwl_a_1_1 wl_a_1_0 wl_a_1_1 100000uS",
                "xc_a_1_1 wl_a_1_1 bl_a_1_1 40uS", "rbl_a_1_1 bl_a_1_1 out_a_1 50000uS"});
    CHECK(describe_cut_off(expansion).empty());
}

TEST_CASE("nets say what they are") {
    const Expansion expansion = expand(Crossbar(
        CellMatrix::Constant(2, 3, g), Wires{.word_line_segment = 1.0, .bit_line_segment = 1.0}));
    CHECK(expansion.unknowns == 12);
    CHECK(expansion.cells() == 6);
    CHECK(expansion.is_unknown(11));
    CHECK(expansion.is_source(12));
    CHECK(expansion.is_source(13));
    CHECK(expansion.is_ground(14));
    CHECK_FALSE(expansion.is_ground(13));
    CHECK_FALSE(expansion.is_unknown(cut_off_net));
    CHECK(expansion.source(1) == 13);
    CHECK(expansion.ground(2) == 16);
    CHECK(expansion.net_name(16) == "out_a_2");
}

TEST_CASE("zero resistance everywhere leaves cells between sources and grounds") {
    const Expansion expansion = expand(Crossbar(CellMatrix::Constant(2, 2, g)));
    CHECK(expansion.unknowns == 0);
    CHECK(lines_of(expansion) ==
          Lines{"xc_a_0_0 in_a_0 out_a_0 10uS", "xc_a_0_1 in_a_0 out_a_1 10uS",
                "xc_a_1_0 in_a_1 out_a_0 10uS", "xc_a_1_1 in_a_1 out_a_1 10uS"});
    CHECK(expansion.word_net == std::vector<NetIndex>{0, 0, 1, 1});
    CHECK(expansion.bit_net == std::vector<NetIndex>{2, 3, 2, 3});
}

TEST_CASE("word lines without resistance behind a driver are one net each") {
    const Expansion expansion =
        expand(Crossbar(CellMatrix::Constant(2, 2, g), Wires{.driver = 100.0}));
    CHECK(expansion.unknowns == 2);
    CHECK(lines_of(expansion) ==
          Lines{"rwl_a_0_0 in_a_0 wl_a_0_0 10000uS", "xc_a_0_0 wl_a_0_0 out_a_0 10uS",
                "xc_a_0_1 wl_a_0_0 out_a_1 10uS", "rwl_a_1_0 in_a_1 wl_a_1_0 10000uS",
                "xc_a_1_0 wl_a_1_0 out_a_0 10uS", "xc_a_1_1 wl_a_1_0 out_a_1 10uS"});
}

TEST_CASE("a single zero segment merges only its two nodes") {
    // bit line: wl nodes are sources; bl_a_0_0 =0= bl_a_1_0 --1 ohm-- bl_a_2_0 --1 ohm-- out
    const CellMatrix below = (CellMatrix(1, 3) << 0, 1, 1).finished();
    const Expansion expansion = expand(
        Crossbar(CellMatrix::Constant(3, 1, g), Wires{.bit_line_segment = LineResistance(below)}));
    CHECK(expansion.unknowns == 2);
    CHECK(lines_of(expansion) ==
          Lines{"xc_a_0_0 in_a_0 bl_a_0_0 10uS", "xc_a_1_0 in_a_1 bl_a_0_0 10uS",
                "rbl_a_1_0 bl_a_0_0 bl_a_2_0 1000000uS", "xc_a_2_0 in_a_2 bl_a_2_0 10uS",
                "rbl_a_2_0 bl_a_2_0 out_a_0 1000000uS"});
}

TEST_CASE("resistances whose inverse is no number merge as zero does") {
    for (const double resistance : {0.0, -0.0, 1e-320}) {
        const Expansion expansion =
            expand(Crossbar(CellMatrix::Constant(1, 1, g),
                            Wires{.word_line_segment = resistance, .bit_line_segment = 1.0}));
        CAPTURE(resistance);
        CHECK(expansion.unknowns == 1);
        CHECK(expansion.cut_off.empty());
        CHECK(lines_of(expansion) ==
              Lines{"xc_a_0_0 in_a_0 bl_a_0_0 10uS", "rbl_a_0_0 bl_a_0_0 out_a_0 1000000uS"});
    }
}

TEST_CASE("an open driver leaves a word line alive through its cells") {
    const Expansion expansion =
        expand(Crossbar(CellMatrix::Constant(2, 1, g),
                        Wires{.word_line_segment = 1.0, .driver = per_line({infinity, 0})}));
    CHECK(expansion.cut_off.empty());
    CHECK(lines_of(expansion) == Lines{"xc_a_0_0 wl_a_0_0 out_a_0 10uS",
                                       "rwl_a_1_0 in_a_1 wl_a_1_0 1000000uS",
                                       "xc_a_1_0 wl_a_1_0 out_a_0 10uS"});
}

TEST_CASE("a word line with an open driver and no conducting cell is cut off") {
    CellMatrix cells = CellMatrix::Constant(2, 3, g);
    cells.row(1).setZero();
    const Expansion expansion =
        expand(Crossbar(cells, Wires{.word_line_segment = 1.0, .driver = per_line({0, infinity})}));
    REQUIRE(expansion.cut_off.size() == 1);
    CHECK(expansion.cut_off[0].net == "wl_a_1_0");
    CHECK(expansion.cut_off[0].nodes == 3);
    CHECK(expansion.word_net[3] == cut_off_net);
    CHECK(expansion.word_net[0] != cut_off_net);
    for (const Element& element : expansion.elements) CHECK(element.word_line == 0);
    CHECK(describe_cut_off(expansion) ==
          "1 net without a path to any source or ground (0 A): wl_a_1_0 (3 nodes, "
          "cut off by open rwl_a_1_0 and 3 cells that conduct nothing)");
}

TEST_CASE("cut-off islands that share no conductor are named one by one") {
    // Word line 0 opens after its first cell; the cells behind do not conduct, nor do segments.
    CellMatrix cells = CellMatrix::Zero(1, 8);
    cells(0, 0) = g;
    CellMatrix left = CellMatrix::Constant(1, 8, infinity);
    left(0, 0) = 1;
    const Expansion expansion =
        expand(Crossbar(cells, Wires{.word_line_segment = LineResistance(left)}));
    CHECK(expansion.cut_off.size() == 7);
    CHECK(describe_cut_off(expansion) ==
          "7 nets without a path to any source or ground (0 A): wl_a_0_1 (1 node, cut "
          "off by open rwl_a_0_1, rwl_a_0_2 and 1 cell that conducts nothing); wl_a_0_2 (1 node, "
          "cut off by open rwl_a_0_2, rwl_a_0_3 and 1 cell that conducts nothing); wl_a_0_3 (1 "
          "node, cut off by open rwl_a_0_3, rwl_a_0_4 and 1 cell that conducts nothing); wl_a_0_4 "
          "(1 node, cut off by open rwl_a_0_4, rwl_a_0_5 and 1 cell that conducts nothing); "
          "wl_a_0_5 (1 node, cut off by open rwl_a_0_5, rwl_a_0_6 and 1 cell that conducts "
          "nothing); ...");
}

TEST_CASE("an open read-out of a bit line without cells cuts the line off") {
    CellMatrix cells = CellMatrix::Constant(2, 2, g);
    cells.col(1).setZero();
    const Expansion expansion =
        expand(Crossbar(cells, Wires{.bit_line_segment = 1.0, .sense = per_line({0, infinity})},
                        ColumnPattern::interleaved));
    REQUIRE(expansion.cut_off.size() == 1);
    CHECK(expansion.cut_off[0].net == "bl_b_0_1");
    CHECK(expansion.cut_off[0].nodes == 2);
}

TEST_CASE("an array with neither drivers nor read-outs is wholly cut off") {
    const Expansion expansion =
        expand(Crossbar(CellMatrix::Constant(2, 2, g), Wires{.word_line_segment = 1.0,
                                                             .bit_line_segment = 1.0,
                                                             .driver = infinity,
                                                             .sense = infinity}));
    CHECK(expansion.unknowns == 0);
    CHECK(expansion.elements.empty());
    REQUIRE(expansion.cut_off.size() == 1);
    CHECK(expansion.cut_off[0].nodes == 8);
}

TEST_CASE("a second end of a line is an element of its own") {
    // Right end: 8 + 2 ohm; top end: 3 + 2 ohm.
    const CellMatrix cells = CellMatrix::Constant(1, 2, g);
    Wires wires{.word_line_segment = 2.0, .bit_line_segment = 2.0, .driver = 8.0, .sense = 3.0};
    SUBCASE("both") {
        wires.drive = DriveSide::both;
        wires.sense_at = SenseSide::both;
        CHECK(lines_of(expand(Crossbar(cells, wires, ColumnPattern::interleaved))) ==
              Lines{"rwl_a_0_0 in_ab_0 wl_a_0_0 100000uS", "xc_a_0_0 wl_a_0_0 bl_a_0_0 10uS",
                    "rbl_a_0_0 bl_a_0_0 out_a_0 200000uS", "rwl_b_0_1 wl_a_0_0 wl_b_0_1 500000uS",
                    "xc_b_0_1 wl_b_0_1 bl_b_0_1 10uS", "rbl_b_0_1 bl_b_0_1 out_b_1 200000uS",
                    "rwl_b_0_r in_ab_0 wl_b_0_1 100000uS", "rbl_a_t_0 bl_a_0_0 out_a_0 200000uS",
                    "rbl_b_t_1 bl_b_0_1 out_b_1 200000uS"});
    }
    SUBCASE("the other ones alone") {
        wires.drive = DriveSide::right;
        wires.sense_at = SenseSide::top;
        CHECK(lines_of(expand(Crossbar(cells, wires))) ==
              Lines{"xc_a_0_0 wl_a_0_0 bl_a_0_0 10uS", "rwl_a_0_1 wl_a_0_0 wl_a_0_1 500000uS",
                    "xc_a_0_1 wl_a_0_1 bl_a_0_1 10uS", "rwl_a_0_r in_a_0 wl_a_0_1 100000uS",
                    "rbl_a_t_0 bl_a_0_0 out_a_0 200000uS", "rbl_a_t_1 bl_a_0_1 out_a_1 200000uS"});
    }
    SUBCASE("without end segments") {
        wires.drive = DriveSide::both;
        wires.end_segments = false;
        const auto lines = lines_of(expand(Crossbar(CellMatrix::Constant(1, 1, g), wires)));
        CHECK(lines ==
              Lines{"rwl_a_0_0 in_a_0 wl_a_0_0 125000uS", "xc_a_0_0 wl_a_0_0 bl_a_0_0 10uS",
                    "rbl_a_0_0 bl_a_0_0 out_a_0 333333uS", "rwl_a_0_r in_a_0 wl_a_0_0 125000uS"});
    }
}

TEST_CASE("an end without resistance merges its line with the terminal, and its fellow vanishes") {
    // The word line hangs on its source at the right by 0 ohm and at the left by 5 ohm; segments
    // between the cells are 0 ohm, so the 5 ohm join a net with itself.
    const CellMatrix segments = (CellMatrix(1, 3) << 5, 0, 0).finished();
    const Expansion expansion = expand(
        Crossbar(CellMatrix::Constant(1, 2, g),
                 Wires{.word_line_segment = LineResistance(segments), .drive = DriveSide::both}));
    CHECK(expansion.unknowns == 0);
    CHECK(lines_of(expansion) ==
          Lines{"xc_a_0_0 in_a_0 out_a_0 10uS", "xc_a_0_1 in_a_0 out_a_1 10uS"});
}

TEST_CASE("a line whose only end is open is cut off, whichever end that is") {
    CellMatrix cells = CellMatrix::Constant(2, 2, g);
    cells.row(0).setZero();
    const CellMatrix right_open = (CellMatrix(2, 3) << 1, 1, infinity, 1, 1, 1).finished();
    Wires wires{.word_line_segment = LineResistance(right_open), .drive = DriveSide::right};
    CHECK(describe_cut_off(expand(Crossbar(cells, wires))) ==
          "1 net without a path to any source or ground (0 A): wl_a_0_0 (2 nodes, "
          "cut off by open rwl_a_0_r and 2 cells that conduct nothing)");
    wires.drive = DriveSide::both;
    CHECK(expand(Crossbar(cells, wires)).cut_off.empty());
}

TEST_CASE("a cell that does not conduct keeps its entry while its nets are alive") {
    CellMatrix cells = CellMatrix::Constant(1, 2, g);
    cells(0, 1) = 0;
    const Wires wires{.word_line_segment = 1.0, .bit_line_segment = 1.0};
    const Expansion expansion = expand(Crossbar(cells, wires));
    CHECK(expansion.elements.size() ==
          expand(Crossbar(CellMatrix::Constant(1, 2, g), wires)).elements.size());
    CHECK(expansion.elements[4].kind == ElementKind::cell);
    CHECK(expansion.elements[4].conductance == 0);
}

namespace {

/// Reachability by repeated sweeps over all branches, slow and plain: the second road.
struct Plain {
    Index m;
    Index n;
    std::vector<int> net;    // smallest node reachable over 0 ohm
    std::vector<bool> live;  // reaches a terminal over anything that conducts

    [[nodiscard]] std::size_t word(Index r, Index c) const {
        return static_cast<std::size_t>(r * n + c);
    }
    [[nodiscard]] std::size_t bit(Index r, Index c) const {
        return static_cast<std::size_t>(m * n + r * n + c);
    }
    explicit Plain(const Crossbar& x) : m(x.shape().word_lines), n(x.shape().bit_lines) {
        const auto nodes = static_cast<std::size_t>(2 * m * n + m + n);
        net.resize(nodes);
        for (std::size_t i = 0; i < nodes; ++i) net[i] = static_cast<int>(i);
        live.assign(nodes, false);
        for (std::size_t i = static_cast<std::size_t>(2 * m * n); i < nodes; ++i) live[i] = true;
        for (std::size_t sweep = 0; sweep < nodes; ++sweep) {
            for (Index r = 0; r < m; ++r)
                for (Index c = 0; c < n; ++c) visit(x, r, c);
            for (Index r = 0; r < m; ++r)
                wire(right_end(x.wires(), r), static_cast<std::size_t>(2 * m * n + r),
                     word(r, n - 1));
            for (Index c = 0; c < n; ++c)
                wire(top_end(x.wires(), c), bit(0, c), static_cast<std::size_t>(2 * m * n + m + c));
        }
    }
    [[nodiscard]] double right_end(const Wires& wires, Index r) const {
        if (wires.drive == DriveSide::left) return infinity;
        return wires.driver(r) + (wires.end_segments ? wires.word_line_segment(r, n) : 0);
    }
    [[nodiscard]] double top_end(const Wires& wires, Index c) const {
        if (wires.sense_at == SenseSide::bottom) return infinity;
        return wires.sense(c) + (wires.end_segments ? wires.bit_line_segment(c, m) : 0);
    }
    void visit(const Crossbar& x, Index r, Index c) {
        const auto source = static_cast<std::size_t>(2 * m * n + r);
        const auto ground = static_cast<std::size_t>(2 * m * n + m + c);
        wire(x.word_line_resistance(r, c), c > 0 ? word(r, c - 1) : source, word(r, c));
        wire(x.bit_line_resistance(r, c), bit(r, c), r + 1 < m ? bit(r + 1, c) : ground);
        if (x.conductance()(r, c) > 0) conduct(word(r, c), bit(r, c));
    }
    void wire(double resistance, std::size_t x, std::size_t y) {
        if (resistance == 0) net[x] = net[y] = std::min(net[x], net[y]);
        if (resistance < infinity) conduct(x, y);
    }
    void conduct(std::size_t x, std::size_t y) {
        if (live[x] || live[y]) live[x] = live[y] = true;
    }
};

LineResistance random_resistance(std::mt19937& random, Index lines, Index segments) {
    constexpr double choices[] = {0, 1, 5, infinity};
    CellMatrix values(lines, segments);
    for (auto& value : values.reshaped()) value = choices[random() % 4];
    return LineResistance(values);
}

Crossbar random_crossbar(std::mt19937& random) {
    const auto m = static_cast<Index>(1 + random() % 5);
    const auto n = static_cast<Index>(1 + random() % 5);
    CellMatrix cells(m, n);
    for (auto& value : cells.reshaped()) value = random() % 3 == 0 ? 0 : g;
    Wires wires;
    wires.drive = DriveSide(random() % 3);
    wires.sense_at = SenseSide(random() % 3);
    wires.word_line_segment = random_resistance(random, m, n + (wires.drives_right() ? 1 : 0));
    wires.bit_line_segment = random_resistance(random, n, m + (wires.senses_top() ? 1 : 0));
    wires.driver = random_resistance(random, m, 1);
    wires.sense = random_resistance(random, n, 1);
    wires.end_segments = random() % 2 == 0;
    return Crossbar(cells, wires);
}

}  // namespace

TEST_CASE("nets and cut-off nodes of random arrays are those of a plain search") {
    std::mt19937 random(7);
    int cut_off = 0;
    for (int trial = 0; trial < 500; ++trial) {
        const Crossbar crossbar = random_crossbar(random);
        const Expansion expansion = expand(crossbar);
        const Plain plain(crossbar);
        std::vector<NetIndex> number = expansion.word_net;
        number.insert(number.end(), expansion.bit_net.begin(), expansion.bit_net.end());
        for (std::size_t i = 0; i < number.size(); ++i) {
            REQUIRE((number[i] != cut_off_net) == plain.live[i]);
            cut_off += plain.live[i] ? 0 : 1;
            for (std::size_t j = 0; j < i; ++j)
                if (plain.live[i] && plain.live[j])
                    REQUIRE((number[i] == number[j]) == (plain.net[i] == plain.net[j]));
        }
        for (const Element& element : expansion.elements) {
            REQUIRE(element.from != element.to);
            REQUIRE(std::isfinite(element.conductance));
        }
    }
    CHECK(cut_off > 100);  // the search had something to find
}
