#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "edited_text.hpp"
#include "example_tile.hpp"
#include "netlists/deck_reading.hpp"
#include "netlists/detail/deck_parts.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"
#include "solver/nodal_solver.hpp"

using namespace kirchnet;
using namespace kirchnet_test;

namespace {

Wires resistive_wires() {
    Wires wires;
    wires.word_line_segment = 1.5;
    wires.bit_line_segment = 2.5;
    wires.driver = 40;
    wires.sense = 7;
    return wires;
}

Tile example(Mapping mapping = Mapping::two_column, Layout layout = Layout::split,
             const Wires& wires = resistive_wires()) {
    TileSettings settings = example_settings(mapping, layout);
    settings.wires = wires;
    return {example_block(), settings};
}

std::string deck_of(const Tile& tile, bool flat = false, Readout readout = Readout::ideal) {
    TileDeckSettings settings;
    settings.readout = readout;
    return flat ? write_flat_deck(tile, example_inputs, settings)
                : write_tile_deck(tile, example_inputs, settings);
}

std::vector<DeckChange> changes_of(const DeckReading& reading, DeckChangeKind kind) {
    std::vector<DeckChange> found;
    for (const DeckChange& change : reading.changes)
        if (change.kind == kind) found.push_back(change);
    return found;
}

std::string refusal(const std::string& edited, const Tile& tile,
                    const NgspiceSettings& settings = {}) {
    try {
        (void)read_deck(edited, deck_of(tile), tile, Compared::everything, settings);
    } catch (const InvalidInput& error) {
        return error.what();
    }
    return {};
}

bool says(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("an unmodified deck reads back as the same arrays to the last digit") {
    for (const Mapping mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const Layout layout : {Layout::split, Layout::interleaved})
            for (const bool flat : {false, true}) {
                const Tile tile = example(mapping, layout);
                const std::string deck = deck_of(tile, flat);
                const DeckReading reading = read_deck(deck, deck, tile);
                CHECK(reading.changes.empty());
                CHECK(reading.beyond.empty());
                REQUIRE(reading.arrays.size() == tile.arrays().size());
                for (std::size_t i = 0; i < reading.arrays.size(); ++i)
                    CHECK(reading.arrays[i] == tile.arrays()[i]);
                CHECK(reading.voltages.front().head(3) == example_inputs);
            }
}

TEST_CASE("a deck with amplifiers and faulty cells reads back as no difference") {
    FaultMap faults;
    const std::string layer = example_block().layer;
    faults.set(layer, CellAddress{64, 5, 0, 0, 0, Polarity::a}, Fault::open);
    faults.set(layer, CellAddress{65, 5, 0, 1, 0, Polarity::b}, Fault::stuck_on);
    TileSettings settings = example_settings(Mapping::differential, Layout::split);
    settings.wires = resistive_wires();
    const Tile tile(example_block(), settings, faults);
    const std::string deck = deck_of(tile, false, Readout::opamp);
    const DeckReading reading = read_deck(deck, deck, tile);
    CHECK(reading.changes.empty());
    CHECK(reading.arrays.front() == tile.arrays().front());
}

TEST_CASE("conductances of a deck come back within 2 ulp of what was written in it") {
    // ngspice writes 1/g with 16 digits, and the reader takes the inverse again.
    const Tile tile = example();
    const std::string original = deck_of(tile);
    for (const double g : {1e-6, 2.5e-5, 3e-4}) {
        const std::string edited = with_line(
            original, "xc_a_1_1 ", fmt::format("xc_a_1_1 wl_a_1_1 bl_a_1_1 cell_1r g={:.17g}", g));
        const auto cells = changes_of(read_deck(edited, original, tile), DeckChangeKind::cell);
        REQUIRE(cells.size() == 1);
        const double ulp = std::nextafter(g, 1.0) - g;
        CHECK(std::abs(*cells[0].after - g) <= 2 * ulp);
    }
}

TEST_CASE("a changed cell is named with its line, and nothing else changes") {
    const Tile tile = example();
    for (const bool flat : {false, true}) {
        const std::string original = deck_of(tile, flat);
        const std::string name = flat ? "rxc_b_2_1" : "xc_b_2_1";
        const std::string edited =
            with_line(original, name + " ",
                      flat ? "rxc_b_2_1 wl_b_2_1 bl_b_2_1 1meg"
                           : "xc_b_2_1 wl_b_2_1 bl_b_2_1 cell_1r g={1u} ; by hand");
        const DeckReading reading = read_deck(edited, original, tile);
        REQUIRE(reading.changes.size() == 1);
        const DeckChange& change = reading.changes.front();
        CHECK(change.kind == DeckChangeKind::cell);
        CHECK(change.name == "xc_b_2_1");
        CHECK(change.cell == CellPosition{Polarity::b, 2, 1});
        CHECK(change.line == line_number(edited, name + " "));
        CHECK(*change.after == doctest::Approx(1e-6).epsilon(1e-14).scale(0));
        CHECK(*change.before ==
              doctest::Approx(tile.arrays()[1].conductance()(2, 1)).epsilon(1e-14).scale(0));
        CHECK(reading.arrays[0] == tile.arrays()[0]);
        CHECK(reading.arrays[1].conductance()(2, 1) == *change.after);
        CHECK(reading.arrays[1].wires() == tile.arrays()[1].wires());
    }
}

TEST_CASE("a parameter means in every cell what it means to ngspice") {
    const Tile tile = example(Mapping::differential);
    const std::string original = deck_of(tile);
    std::string edited = original;
    const std::size_t at = edited.find("gmax_c=");
    REQUIRE(at != std::string::npos);
    edited.replace(at, edited.find(' ', at) - at, "gmax_c={0.5*5e-4}");
    const DeckReading reading = read_deck(edited, original, tile);
    const auto parameters = changes_of(reading, DeckChangeKind::parameter);
    REQUIRE(parameters.size() == 1);
    CHECK(parameters[0].name == "gmax_c");
    CHECK(parameters[0].text_after == "{0.5*5e-4}");
    // A cell at state s conducts off + s (on - off).
    const double off = tile.settings().device.off;
    for (const DeckChange& change : changes_of(reading, DeckChangeKind::cell)) {
        const double state = tile.meaning(*change.cell).state;
        CHECK(*change.after ==
              doctest::Approx(off + state * (2.5e-4 - off)).epsilon(1e-14).scale(0));
    }
    CHECK(changes_of(reading, DeckChangeKind::cell).size() > 6);
}

TEST_CASE("an edited subcircuit changes its cells by what stands between their two nets") {
    const Tile tile = example();
    const std::string original = deck_of(tile);
    // A series resistance of 1 kohm, and a dead end that carries nothing: g / (1 + 1000 g).
    const std::string edited =
        with_line(original, "rcell wl bl", "rcell wl m {1/g}\nracc m bl 1k\nrend m nowhere 5k");
    const DeckReading reading = read_deck(edited, original, tile);
    const auto cells = changes_of(reading, DeckChangeKind::cell);
    CHECK(cells.size() == 2 * 4 * 6);
    for (const DeckChange& change : cells)
        CHECK(
            *change.after ==
            doctest::Approx(*change.before / (1 + 1000 * *change.before)).epsilon(1e-12).scale(0));
    CHECK(changes_of(reading, DeckChangeKind::subcircuit).size() == 1);
    CHECK(reading.beyond.empty());
}

TEST_CASE("wires, drivers and read voltages are read back, and solved as ngspice solves them") {
    const Tile tile = example();
    const std::string original = deck_of(tile);
    std::string edited = with_line(original, "rwl_a_1_2 ", "");  // a broken word line
    edited = with_line(edited, "rbl_b_1_3 ", "rbl_b_1_3 bl_b_1_3 bl_b_2_3 900");
    edited = with_line(edited, "rdrv_a_0 ", "rdrv_a_0 in_a_0 drv_a_0 {2*rdrv}");
    edited = with_line(edited, "rsense_b_1 ", "rsense_b_1 sns_b_1 out_b_1 12");
    edited = with_line(edited, "v_in_a_2 ", "v_in_a_2 in_a_2 0 dc 0.11");
    edited = with_line(edited, "xc_a_0_0 ", "");  // a cell taken out
    const DeckReading reading = read_deck(edited, original, tile);
    REQUIRE(reading.beyond.empty());
    CHECK(reading.changes.size() == 6);
    CHECK(reading.arrays[0].wires().word_line_segment(1, 2) ==
          std::numeric_limits<double>::infinity());
    CHECK(reading.arrays[0].wires().word_line_segment(1, 1) == 1.5);
    CHECK(reading.arrays[1].wires().bit_line_segment(3, 1) == 900);
    CHECK(reading.arrays[0].wires().driver(0) == 80);
    CHECK(reading.arrays[1].wires().sense(1) == 12);
    CHECK(reading.arrays[0].faults()(0, 0) == Fault::open);
    CHECK(reading.voltages[0](2) == 0.11);

    std::vector<std::string> wanted;
    for (Index c = 0; c < 6; ++c) {
        wanted.push_back(fmt::format("vs_a_{}#branch", c));
        wanted.push_back(fmt::format("vs_b_{}#branch", c));
    }
    const auto by_ngspice = run_operating_point(edited, wanted);
    for (std::size_t i = 0; i < 2; ++i) {
        const Eigen::MatrixXd current =
            NodalSolver().solve(reading.arrays[i], reading.voltages[i], Voltages::skip).current;
        for (Index c = 0; c < 6; ++c)
            CHECK(current(c, 0) == doctest::Approx(by_ngspice.at(fmt::format(
                                                       "vs_{}_{}#branch", i == 0 ? 'a' : 'b', c)))
                                       .epsilon(1e-9)
                                       .scale(0));
    }
}

TEST_CASE("a segment of a flat deck that holds the driver too is taken apart again") {
    const Tile tile = example();
    const std::string original = deck_of(tile, true);
    const std::string edited =
        with_line(original, "rwl_a_1_0 ", "rwl_a_1_0 in_a_1 wl_a_1_0 45");  // was 40 + 1.5
    const DeckReading reading = read_deck(edited, original, tile);
    REQUIRE(reading.beyond.empty());
    CHECK(reading.arrays[0].wires().driver(1) == 40);
    CHECK(reading.arrays[0].wires().word_line_segment(1, 0) == 5);
}

TEST_CASE("what arrays cannot hold is named and kept apart") {
    const Tile tile = example();
    const std::string original = deck_of(tile);
    SUBCASE("an added device") {
        const std::string edited =
            with_line(original, ".control", "rshort wl_a_0_0 wl_a_2_1 10\n.control");
        const DeckReading reading = read_deck(edited, original, tile);
        REQUIRE(reading.changes.size() == 1);
        CHECK(reading.changes[0].kind == DeckChangeKind::added);
        CHECK(reading.changes[0].line == line_number(edited, "rshort"));
        REQUIRE(reading.beyond.size() == 1);
        CHECK(says(reading.beyond[0], "rshort was added between wl_a_0_0 and wl_a_2_1"));
    }
    SUBCASE("a rewired cell") {
        const DeckReading reading =
            read_deck(with_line(original, "xc_a_1_1 ", "xc_a_1_1 wl_a_1_1 bl_a_1_2 cell_1r g=1e-6"),
                      original, tile);
        REQUIRE(reading.changes.size() == 1);
        CHECK(reading.changes[0].kind == DeckChangeKind::rewired);
        CHECK(reading.changes[0].text_after == "wl_a_1_1 bl_a_1_2");
        CHECK(reading.beyond.size() == 1);
    }
    SUBCASE("a cell that is no resistor") {
        const DeckReading reading =
            read_deck(with_line(original, "rcell wl bl", "bcell wl bl i=1e-6*sinh(3*v(wl,bl))"),
                      original, tile);
        CHECK(reading.beyond.size() == 48);
        CHECK(says(reading.beyond[0], "is no conductance any more"));
    }
    SUBCASE("a read-out that is gone, and one that differs") {
        std::string edited = with_line(original, "bsub_1 ", "");
        edited = with_line(edited, "bsub_0 ", "bsub_0 sub_0 0 v = i(vs_a_0)");
        const DeckReading reading = read_deck(edited, original, tile);
        CHECK(changes_of(reading, DeckChangeKind::missing).size() == 1);
        CHECK(changes_of(reading, DeckChangeKind::device).size() == 1);
        CHECK(reading.beyond.size() == 2);
        CHECK(read_deck(edited, original, tile, Compared::arrays).changes.empty());
    }
}

TEST_CASE("amplifiers, hold stages and converters are no part of the arrays") {
    const Tile tile = example();
    TileDeckSettings settings;
    settings.readout = Readout::opamp;
    settings.amplifiers.circuit.hold.capacitance = 1e-14;
    settings.amplifiers.circuit.adc.adc = {{.bits = 6, .range = 1e-4}};
    const std::string deck = write_tile_deck(tile, example_inputs, settings);
    CHECK(says(deck, "xadc_1 held_1 code_1"));
    const DeckReading reading = read_deck(deck, deck_of(tile), tile, Compared::arrays);
    CHECK(reading.changes.empty());
    CHECK(reading.beyond.empty());
}

TEST_CASE("a renamed part between the same nets is the same part") {
    const Tile tile = example();
    const std::string original = deck_of(tile);
    const DeckReading reading = read_deck(
        with_line(original, "xc_a_1_1 ", "xmine wl_a_1_1 bl_a_1_1 cell_1r g=7e-6"), original, tile);
    CHECK(reading.beyond.empty());
    const auto renamed = changes_of(reading, DeckChangeKind::renamed);
    REQUIRE(renamed.size() == 1);
    CHECK(renamed[0].name == "xc_a_1_1");
    CHECK(renamed[0].text_after == "xmine");
    CHECK(reading.arrays[0].conductance()(1, 1) == doctest::Approx(7e-6).epsilon(1e-14).scale(0));
}

TEST_CASE("a deck that ngspice refuses is refused with its words and the line") {
    const Tile tile = example();
    const std::string deck = deck_of(tile);
    const auto edited = [&](const std::string& by) { return with_line(deck, "xc_a_1_1 ", by); };
    const std::string at = fmt::format("line {}", line_number(deck, "xc_a_1_1 "));
    const auto refused_at = [&](const std::string& text, const std::string& words) {
        const std::string message = refusal(text, tile);
        CAPTURE(message);
        CHECK(says(message, at));
        CHECK(says(message, words));
    };
    refused_at(edited("xc_a_1_1 wl_a_1_1 bl_a_1_1 cell_none g=1"), "unknown subckt");
    refused_at(edited("xc_a_1_1 wl_a_1_1 bl_a_1_1 cell_1r g={nope}"), "nope");
    refused_at(edited("xc_a_1_1 wl_a_1_1 bl_a_1_1 cell_1r g={1e-6"), "brace");
    refused_at(edited("xc_a_1_1 wl_a_1_1 bl_a_1_1 cell_1r g={1+*2}"), "1+*2");
    refused_at(edited("xc_a_1_1 wl_a_1_1 cell_1r g=1e-6"), "Too few");
    refused_at(edited("rnew wl_a_1_1 bl_a_1_1 0"), "0 ohm");
    refused_at(edited("gibberish here we go"), "gibberish");
    CHECK(says(refusal(with_line(deck, ".ends cell_1r", "* no end"), tile),
               ".subckt cell_1r has no .ends"));
    CHECK(says(refusal(deck.substr(0, deck.size() - 5), tile), ".end"));
}

TEST_CASE("another tile's deck is refused, not read as a thousand differences") {
    TileSettings other = example_settings(Mapping::two_column, Layout::interleaved);
    other.array = {3, 2 * 2};
    other.unused = Unused::trim;
    const Tile small(example_block(), other);
    CHECK(says(refusal(deck_of(small), example()), "is no deck of this tile"));
}

TEST_CASE("a deck that keeps ngspice busy is stopped at its limit") {
    // Every level holds the next one twice: 2^40 resistors.
    const Tile tile = example();
    std::string bomb = ".subckt level0 a b\nr1 a b 1k\n.ends\n";
    for (int level = 1; level <= 40; ++level)
        bomb += fmt::format(".subckt level{0} a b\nx1 a b level{1}\nx2 a b level{1}\n.ends\n",
                            level, level - 1);
    const std::string edited =
        with_line(deck_of(tile), ".control", bomb + "xbomb in_a_0 0 level40\n.control");
    const auto start = std::chrono::steady_clock::now();
    const std::string message = refusal(edited, tile, {{}, 2});
    CAPTURE(message);
    CHECK(says(message, "limit of 2 s"));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}

TEST_CASE("numbers with SPICE's suffixes") {
    using detail::parse_spice_number;
    CHECK(*parse_spice_number("1k") == 1e3);
    CHECK(*parse_spice_number("3meg") == 3e6);
    CHECK(*parse_spice_number("3m") == 3e-3);
    CHECK(*parse_spice_number("2.5e3ohm") == 2.5e3);
    CHECK_FALSE(parse_spice_number("abc"));
}

TEST_CASE("bridges and broken segments are read back, mended and added") {
    FaultMap faults;
    const std::string layer = example_block().layer;
    const ArrayPlace place{0, 1, 0, Polarity::a};
    faults.add(layer, {place, LineDefect::word_line_bridge, 1, 2, 30});
    faults.add(layer, {place, LineDefect::bit_line_bridge, 0, 1, 50});
    faults.add(layer, {place, LineDefect::word_line_open, 2, 3});
    faults.set(layer, CellAddress{64, 5, 0, 0, 0, Polarity::a}, {Fault::stuck_at, 2.5e-5});
    faults.set(layer, CellAddress{65, 5, 0, 1, 0, Polarity::b}, Fault::open_via);
    TileSettings settings = example_settings(Mapping::two_column, Layout::split);
    settings.wires = resistive_wires();
    const Tile tile(example_block(), settings, faults);
    for (const bool flat : {false, true}) {
        CAPTURE(flat);
        const std::string original = deck_of(tile, flat);
        const DeckReading same = read_deck(original, original, tile);
        CHECK(same.changes.empty());
        CHECK(same.arrays == tile.arrays());

        std::string edited =
            with_line(original, "rwlbridge_a_1_2 ", "rwlbridge_a_1_2 wl_a_1_2 wl_a_2_2 90");
        edited = with_line(edited, "rblbridge_a_0_1 ", "rwl_a_2_3 wl_a_2_2 wl_a_2_3 1.5");
        edited = with_line(edited, ".end\n", "rbad bl_b_3_4 bl_b_3_3 12\n.end");
        const DeckReading reading = read_deck(edited, original, tile);
        CHECK(reading.beyond.empty());
        CHECK(changes_of(reading, DeckChangeKind::segment).size() == 3);
        CHECK(changes_of(reading, DeckChangeKind::added).size() == 1);
        CHECK(reading.arrays[0].wires().bridges ==
              std::vector<Bridge>{{Bridge::Lines::word, 1, 2, 90}});
        CHECK(reading.arrays[0].word_line_resistance(2, 3) == 1.5);
        CHECK(reading.arrays[1].wires().bridges ==
              std::vector<Bridge>{{Bridge::Lines::bit, 3, 3, 12}});
    }
}
