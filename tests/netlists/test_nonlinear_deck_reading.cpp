// Edited decks of cells that are no resistors, read back: ngspice says what a changed cell
// conducts.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "circuit/read_point.hpp"
#include "edited_text.hpp"
#include "example_tile.hpp"
#include "netlists/deck_reading.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"
#include "solver/nodal_solver.hpp"
#include "tests/agreement/nonlinear_laws.hpp"

using namespace kirchnet;
using namespace kirchnet_test;

namespace {

/// Stuck-on, stuck-off and open cells, and working ones that vary.
Tile chip(const AccessResistance& access = {}) {
    TileSettings settings = example_settings(Mapping::differential, Layout::split);
    settings.wires.word_line_segment = 1.5;
    settings.wires.bit_line_segment = 2.5;
    settings.wires.driver = 40;
    settings.access = access;
    FaultMap faults;
    const std::string layer = example_block().layer;
    faults.set(layer, CellAddress{64, 5, 0, 0, 0, Polarity::a}, Fault::open);
    faults.set(layer, CellAddress{65, 5, 0, 1, 0, Polarity::b}, Fault::stuck_on);
    faults.set(layer, CellAddress{65, 6, 2, 0, 0, Polarity::a}, Fault::stuck_off);
    return {example_block(), settings, faults};
}

std::string deck_of(const Tile& tile, const CellLaw& law, bool is_flat) {
    TileDeckSettings settings;
    settings.law = law;
    return is_flat ? write_flat_deck(tile, example_inputs, settings)
                   : write_tile_deck(tile, example_inputs, settings);
}

DeckReading read(const std::string& edited, const std::string& original, const Tile& tile,
                 const CellLaw& law) {
    return read_deck(edited, original, tile, Compared::everything, {}, {.law = law});
}

/// What `g=` of the line becomes; the state of a user's cell with it.
std::string with_conductance(const std::string& line, double g, const CellLaw& law) {
    std::string edited = line.substr(0, line.find(" ;"));
    const std::size_t at = edited.find(" g=");
    REQUIRE(at != std::string::npos);
    edited.replace(at, edited.find(' ', at + 1) - at, fmt::format(" g={:.17g}", g));
    if (const SurfaceLaw* surface = surface_of(law)) {
        const std::size_t state = edited.find(" state=");
        edited.replace(state, edited.find(' ', state + 1) - state,
                       fmt::format(" state={:.17g}", surface->state_for(g)));
    }
    return edited;
}

}  // namespace

TEST_CASE("unmodified decks of nonlinear cells read back without a difference") {
    const Tile tile = chip();
    for (const CellLaw& law : test::nonlinear_laws())
        for (const bool is_flat : {false, true}) {
            CAPTURE(to_string(law));
            CAPTURE(is_flat);
            const std::string deck = deck_of(tile, law, is_flat);
            CHECK(is_flat_deck(deck) == is_flat);
            const DeckReading reading = read(deck, deck, tile, law);
            CHECK(reading.changes.empty());
            CHECK(reading.beyond.empty());
            CHECK(reading.arrays == tile.arrays());
        }
}

TEST_CASE("a changed parameter of a nonlinear cell is read back as what the cell then conducts") {
    const Tile tile = chip();
    for (const CellLaw& law : test::nonlinear_laws()) {
        CAPTURE(to_string(law));
        const std::string original = deck_of(tile, law, false);
        // A working cell, one that is stuck on, and one that is gone.
        std::string edited = original;
        for (const std::string name : {"xc_a_1_0", "xc_b_1_1"})
            edited = with_line(edited, name + " ",
                               with_conductance(line_of(original, name + " "), 4.5e-5, law));
        edited = with_line(edited, "xc_b_2_0 ", "");
        const DeckReading reading = read(edited, original, tile, law);
        REQUIRE(reading.changes.size() == 3);
        CHECK(reading.beyond.empty());
        for (const DeckChange& change : reading.changes) {
            CAPTURE(change.name);
            CHECK(change.kind == DeckChangeKind::cell);
            const std::size_t array = change.cell->polarity == Polarity::b ? 1 : 0;
            CHECK(*change.before == tile.arrays()[array].conductance()(change.cell->word_line,
                                                                       change.cell->bit_line));
            // The table of a user's cell is right to 1e-7.
            if (change.name == "xc_b_2_0")
                CHECK(*change.after == 0);
            else
                CHECK(*change.after == doctest::Approx(4.5e-5).epsilon(1e-7).scale(0));
            CHECK(reading.arrays[array].conductance()(change.cell->word_line,
                                                      change.cell->bit_line) == *change.after);
        }
        CHECK(reading.arrays[1].faults()(2, 0) == Fault::open);
        CHECK(reading.changes[0].line == line_number(edited, "xc_a_1_0 "));
    }
}

TEST_CASE("LRS of all cells of a law at once, by the deck's parameter") {
    const Tile tile = chip();
    const CellLaw law = parse_cell_law("1s1r:is=1e-4,vs=0.03");
    const std::string original = deck_of(tile, law, false);
    const std::string edited = with_text(original, "gmax_c=", "gmax_c=2e-4 gold=");
    const DeckReading reading = read(edited, original, tile, law);
    CHECK(reading.beyond.empty());
    std::size_t cells = 0;
    const double off = tile.settings().device.off;
    for (const DeckChange& change : reading.changes) {
        if (change.kind != DeckChangeKind::cell) continue;
        ++cells;
        const CellMeaning meaning = tile.meaning(*change.cell);
        const double state = meaning.fault == Fault::stuck_on ? 1 : meaning.state;
        CHECK(*change.after == doctest::Approx(off + state * (2e-4 - off)).epsilon(1e-8).scale(0));
    }
    CHECK(cells > 6);
}

TEST_CASE("an element of a flat deck's cell is read back as the cell") {
    const Tile tile = chip();
    const CellLaw law = parse_cell_law("1t1r");
    const std::string original = deck_of(tile, law, true);
    const std::string edited =
        with_line(original, "rxc_a_1_0 ", "rxc_a_1_0 wl_a_1_0 x_xc_a_1_0 20k ; by hand");
    const DeckReading reading = read(edited, original, tile, law);
    REQUIRE(reading.changes.size() == 1);
    CHECK(reading.beyond.empty());
    CHECK(reading.changes[0].name == "xc_a_1_0");
    CHECK(reading.changes[0].line == line_number(edited, "rxc_a_1_0 "));
    // 20 kohm and about 500 ohm of a transistor, at 0.2 V.
    CHECK(*reading.changes[0].after == doctest::Approx(1 / 20.5e3).epsilon(1e-3).scale(0));
    // The edited arrays, solved as cells of the law, carry what the edited deck carries.
    const Crossbar array = exact_at(reading.arrays[0], law, 0.2);
    const auto current = NodalSolver().solve(array, reading.voltages[0], Voltages::skip).current;
    CHECK(current(0, 0) ==
          doctest::Approx(run_operating_point(edited, {"vs_a_0#branch"}).at("vs_a_0#branch"))
              .epsilon(1e-8)
              .scale(0));
}

TEST_CASE("cells that are no cells of their law any more are named, and not put into arrays") {
    const Tile tile = chip();
    const CellLaw law = parse_cell_law("sinh:4");
    const std::string original = deck_of(tile, law, false);
    SUBCASE("another curve") {
        const std::string edited = with_line(original, "bcell wl bl", "bcell wl bl i={g}*v(wl,bl)");
        const DeckReading reading = read(edited, original, tile, law);
        CHECK(reading.beyond.size() == 45);  // all but the faulty ones, whose subcircuits differ
        CHECK(reading.beyond[0].find("is no cell of law sinh:4 any more") != std::string::npos);
    }
    SUBCASE("a resistor instead") {
        const std::string edited = with_line(original, "xc_a_1_0 ",
                                             "xc_a_1_0 wl_a_1_0 bl_a_1_0 mine\n"
                                             ".subckt mine p n\nr1 p n 1k\n.ends mine");
        const DeckReading reading = read(edited, original, tile, law);
        REQUIRE(reading.beyond.size() == 1);
        CHECK(*reading.changes[0].after == doctest::Approx(1e-3).epsilon(1e-9).scale(0));
    }
    SUBCASE("between other nets") {
        const std::string edited =
            with_line(original, "xc_a_1_0 ", "xc_a_1_0 wl_a_1_0 bl_a_1_1 cell_sinh g=1e-5");
        const DeckReading reading = read(edited, original, tile, law);
        REQUIRE(reading.changes.size() == 1);
        CHECK(reading.changes[0].kind == DeckChangeKind::rewired);
    }
    SUBCASE("another name") {
        const std::string edited =
            with_line(original, "xc_a_1_0 ", "xmine wl_a_1_0 bl_a_1_0 cell_sinh g=1e-5");
        const DeckReading reading = read(edited, original, tile, law);
        CHECK(reading.beyond.empty());
        CHECK(reading.changes[0].kind == DeckChangeKind::renamed);
        CHECK(reading.arrays[0].conductance()(1, 0) ==
              doctest::Approx(1e-5).epsilon(1e-9).scale(0));
    }
}

TEST_CASE("select lines and thresholds of 1T1R cells are told") {
    const Tile tile = chip();
    const CellLaw law = parse_cell_law("1t1r");
    const std::string original = deck_of(tile, law, false);
    SUBCASE("a select line") {
        const DeckReading reading = read(
            with_line(original, "vsel_a_1 ", "vsel_a_1 sel_a_1 0 dc 1.2"), original, tile, law);
        REQUIRE(reading.changes.size() == 1);
        CHECK(reading.changes[0].kind == DeckChangeKind::source);
        CHECK(*reading.changes[0].before == 1.5);
        CHECK(*reading.changes[0].after == 1.2);
        CHECK(reading.beyond == std::vector<std::string>{"select line sel_a_1 is at 1.2 V"});
    }
    SUBCASE("a threshold") {
        const DeckReading reading =
            read(with_line(original, ".model access nmos",
                           ".model access nmos level=1 vto=0.9 kp={beta} gamma=0 is=0"),
                 original, tile, law);
        std::size_t cells = 0;
        for (const DeckChange& change : reading.changes)
            if (change.kind == DeckChangeKind::cell) {
                ++cells;
                CHECK(*change.after < *change.before);
            }
        CHECK(cells == 45);
        // At HRS the transistor's curve does not show, at LRS it does.
        CHECK(reading.beyond.size() >= 4);
        CHECK(reading.beyond.size() < 45);
    }
    SUBCASE("the threshold of a flat deck, which is one for all cells") {
        const std::string flat = deck_of(tile, law, true);
        const DeckReading reading =
            read(with_line(flat, ".model access nmos",
                           ".model access nmos level=1 vto=0.9 kp=0.002 gamma=0 is=0"),
                 flat, tile, law);
        CHECK(reading.changes.size() == 47);  // all but the open one
    }
}

TEST_CASE("cells behind access resistances are read back with these in series") {
    for (const bool precompensate : {true, false}) {
        const Tile tile = chip({2e3, precompensate});
        const std::string original = deck_of(tile, {}, false);
        CHECK(read(original, original, tile, {}).changes.empty());
        const std::string edited = with_line(
            original, "xc_a_1_0 ", with_conductance(line_of(original, "xc_a_1_0 "), 4.5e-5, {}));
        const DeckReading reading = read(edited, original, tile, {});
        REQUIRE(reading.changes.size() == 1);
        CHECK(reading.beyond.empty());
        const double shown = precompensate ? 4.5e-5 : 4.5e-5 / (1 + 2e3 * 4.5e-5);
        // roff of the switch, 1e15 ohm, is not there; ngspice's tolerance is.
        CHECK(*reading.changes[0].after == doctest::Approx(shown).epsilon(1e-8).scale(0));
    }
}
