#include <doctest/doctest.h>

#include <limits>
#include <memory>

#include "circuit/error.hpp"
#include "circuit/table_law.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"

using namespace kirchnet;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();

Wires uniform_wires(double word, double bit, double driver, double sense) {
    Wires wires;
    wires.word_line_segment = word;
    wires.bit_line_segment = bit;
    wires.driver = driver;
    wires.sense = sense;
    return wires;
}

bool contains(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

bool has_line(const std::string& deck, const std::string& line) {
    return ("\n" + deck).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("the flat deck of a 1 x 2 array is what one would write by hand") {
    CellMatrix g(1, 2);
    g << 0.25, 0.5;
    const Crossbar crossbar(g, uniform_wires(3, 5, 1, 2));
    CHECK(write_flat_deck(crossbar, Eigen::VectorXd::Constant(1, 0.1), "by hand") ==
          R"(* by hand
.options reltol=1e-6 abstol=1e-14 vntol=1e-9 gmin=1e-15
* 1x2 crossbar, pattern a: one resistor per element
v_in_a_0 in_a_0 0 dc 0.1
rwl_a_0_0 in_a_0 wl_a_0_0 4
rxc_a_0_0 wl_a_0_0 bl_a_0_0 4
rbl_a_0_0 bl_a_0_0 out_a_0 7
rwl_a_0_1 wl_a_0_0 wl_a_0_1 3
rxc_a_0_1 wl_a_0_1 bl_a_0_1 2
rbl_a_0_1 bl_a_0_1 out_a_1 7
vs_a_0 out_a_0 0 dc 0
vs_a_1 out_a_1 0 dc 0
.end
)");
}

TEST_CASE("the flat deck of a cell driven and sensed at both ends is what one would write") {
    // Left 10 + 2, right 10 + 14 ohm: 8 ohm in parallel; bottom 5 + 3, top 5 + 19 ohm: 6 ohm;
    // cell 100 ohm: 0.57 V / 114 ohm = 5 mA.
    Wires wires = uniform_wires(0, 0, 10, 5);
    wires.word_line_segment = LineResistance(CellMatrix((CellMatrix(1, 2) << 2, 14).finished()));
    wires.bit_line_segment = LineResistance(CellMatrix((CellMatrix(1, 2) << 3, 19).finished()));
    wires.drive = DriveSide::both;
    wires.sense_at = SenseSide::both;
    const Crossbar crossbar(CellMatrix::Constant(1, 1, 0.01), wires);
    const std::string deck =
        write_flat_deck(crossbar, Eigen::VectorXd::Constant(1, 0.57), "both ends");
    CHECK(deck == R"(* both ends
.options reltol=1e-6 abstol=1e-14 vntol=1e-9 gmin=1e-15
* 1x1 crossbar, pattern a: one resistor per element
v_in_a_0 in_a_0 0 dc 0.57
rwl_a_0_0 in_a_0 wl_a_0_0 12
rxc_a_0_0 wl_a_0_0 bl_a_0_0 100
rbl_a_0_0 bl_a_0_0 out_a_0 8
rwl_a_0_r in_a_0 wl_a_0_0 24
rbl_a_t_0 bl_a_0_0 out_a_0 24
vs_a_0 out_a_0 0 dc 0
.end
)");
    const auto found = run_operating_point(deck, {"vs_a_0#branch", "v_in_a_0#branch"});
    CHECK(found.at("vs_a_0#branch") == doctest::Approx(5e-3).epsilon(1e-13));
    CHECK(found.at("v_in_a_0#branch") == doctest::Approx(-5e-3).epsilon(1e-13));
}

TEST_CASE("a ladder along the word line gives the currents found on paper") {
    // 1 ohm to node A, cell 1 ohm, 1 ohm to node B, cell 1 ohm: A sees 1 || 2 = 2/3 ohm, so it is
    // at 0.4 V; 0.4 A flow through the first cell, 0.2 A through the second.
    const Crossbar crossbar(CellMatrix::Ones(1, 2), uniform_wires(1, 0, 0, 0));
    const auto found =
        run_operating_point(write_flat_deck(crossbar, Eigen::VectorXd::Ones(1), "ladder"),
                            {"vs_a_0#branch", "vs_a_1#branch", "wl_a_0_0"});
    CHECK(found.at("vs_a_0#branch") == doctest::Approx(0.4).epsilon(1e-13));
    CHECK(found.at("vs_a_1#branch") == doctest::Approx(0.2).epsilon(1e-13));
    CHECK(found.at("wl_a_0_0") == doctest::Approx(0.4).epsilon(1e-13));
}

TEST_CASE("a cell that does not conduct is a comment") {
    CellMatrix g(1, 2);
    g << 0, 1;
    const auto deck =
        write_flat_deck(Crossbar(g, uniform_wires(1, 1, 0, 0)), Eigen::VectorXd::Ones(1), "t");
    CHECK(has_line(deck, "* xc_a_0_0 conducts nothing"));
    CHECK(has_line(deck, "rxc_a_0_1 wl_a_0_1 bl_a_0_1 1"));
}

TEST_CASE("cut-off nets are named in a comment and absent") {
    CellMatrix g(2, 2);
    g << 1, 1, 0, 0;
    Wires wires = uniform_wires(1, 1, 0, 0);
    CellMatrix drivers(2, 1);
    drivers << 0, open;
    wires.driver = LineResistance(drivers);
    const auto deck = write_flat_deck(Crossbar(g, wires), Eigen::VectorXd::Ones(2), "t");
    CHECK(deck.find("\n* left out: 1 net without a path") != std::string::npos);
    CHECK(deck.find("wl_a_1_0 (2 nodes, cut off by open rwl_a_1_0 and 2 cells") !=
          std::string::npos);
    CHECK(deck.find("\nrwl_a_1_") == std::string::npos);
    CHECK(has_line(deck, "v_in_a_1 in_a_1 0 dc 1"));
}

TEST_CASE("an interleaved array has one source per word line and a letter per bit line") {
    const Crossbar crossbar(CellMatrix::Ones(1, 2), {}, ColumnPattern::interleaved);
    const auto deck = write_flat_deck(crossbar, Eigen::VectorXd::Ones(1), "t");
    CHECK(has_line(deck, "rxc_a_0_0 in_ab_0 out_a_0 1"));
    CHECK(has_line(deck, "rxc_b_0_1 in_ab_0 out_b_1 1"));
    CHECK(has_line(deck, "vs_b_1 out_b_1 0 dc 0"));
}

TEST_CASE("numbers keep every digit") {
    const double g = 1.0 / 3e4;
    const auto deck = write_flat_deck(Crossbar(CellMatrix::Constant(1, 1, g)),
                                      Eigen::VectorXd::Constant(1, 0.1 + 0.2), "t");
    CHECK(has_line(deck, "v_in_a_0 in_a_0 0 dc 0.30000000000000004"));
    const auto at = deck.find("rxc_a_0_0 in_a_0 out_a_0 ") + 25;
    CHECK(std::stod(deck.substr(at)) == 1 / g);
}

TEST_CASE("a title cannot add lines to a deck") {
    const Crossbar crossbar(CellMatrix::Ones(1, 1));
    const auto deck = write_flat_deck(crossbar, Eigen::VectorXd::Ones(1), "x\n.end\nv9 in_a_0 0 7");
    CHECK(deck.substr(0, deck.find('\n')) == "* x .end v9 in_a_0 0 7");
    CHECK(run_operating_point(deck, {"vs_a_0#branch"}).at("vs_a_0#branch") == doctest::Approx(1.0));
}

TEST_CASE("read voltages that do not fit are refused") {
    const Crossbar crossbar(CellMatrix::Ones(2, 1));
    CHECK_THROWS_AS(write_flat_deck(crossbar, Eigen::VectorXd::Ones(3), "t"), InvalidInput);
    CHECK_THROWS_AS(write_flat_deck(crossbar, Eigen::VectorXd::Constant(2, open), "t"),
                    InvalidInput);
}

TEST_CASE("sinh cells are current sources of the law") {
    CellMatrix g(1, 2);
    g << 0.25, 0;
    const Crossbar crossbar = Crossbar(g, uniform_wires(3, 5, 1, 2)).with_law(CellLaw::sinh(2));
    const std::string deck =
        write_flat_deck(crossbar, Eigen::VectorXd::Constant(1, 0.1), "by hand");
    CHECK(has_line(deck, "bxc_a_0_0 wl_a_0_0 bl_a_0_0 i=0.125*sinh(2*(v(wl_a_0_0)-v(bl_a_0_0)))"));
    CHECK(has_line(deck, "* xc_a_0_1 conducts nothing"));
    CHECK(has_line(deck, "* but cells of law sinh:2"));
}

TEST_CASE("cells of a table are current sources of SPICE's pwl") {
    // Slopes 1 and 3 A/V over g: f(0.5 V) = 0.1 + 3 * 0.4 = 1.3 V, and beyond the last sample so
    // on.
    const CellLaw law = CellLaw::custom(std::make_shared<TableLaw>(
        "bent", std::vector<CurveSample>{{0, 0}, {0.1, 1e-6}, {0.3, 7e-6}}));
    const Crossbar crossbar = Crossbar(CellMatrix::Constant(1, 1, 0.25)).with_law(law);
    const std::string deck = write_flat_deck(crossbar, Eigen::VectorXd::Constant(1, -0.5), "table");
    CHECK(contains(deck, "i=0.25*pwl(v("));
    CHECK(contains(deck, ",0,0,0.1,0.1,0.3,"));
    const auto found = run_operating_point(deck, {"vs_a_0#branch"});
    CHECK(found.at("vs_a_0#branch") == doctest::Approx(-0.25 * 1.3).epsilon(1e-9));
}

TEST_CASE("a caller's law has no SPICE text and is refused") {
    class Cubic final : public CustomCellLaw {
      public:
        [[nodiscard]] std::string name() const override { return "cubic"; }
        void current(std::span<const double> conductance, std::span<const double> v,
                     std::span<double> i) const override {
            for (std::size_t k = 0; k < v.size(); ++k)
                i[k] = conductance[k] * (v[k] + v[k] * v[k] * v[k]);
        }
        void derivative(std::span<const double> conductance, std::span<const double> v,
                        std::span<double> s) const override {
            for (std::size_t k = 0; k < v.size(); ++k)
                s[k] = conductance[k] * (1 + 3 * v[k] * v[k]);
        }
    };
    const Crossbar crossbar = Crossbar(CellMatrix::Constant(1, 1, 1.0))
                                  .with_law(CellLaw::custom(std::make_shared<Cubic>()));
    CHECK_THROWS_WITH_AS((void)write_flat_deck(crossbar, Eigen::VectorXd::Zero(1), "cubic"),
                         doctest::Contains("cubic"), InvalidInput);
}
