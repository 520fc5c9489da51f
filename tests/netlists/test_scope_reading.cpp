// Edited decks of a column and of a layer, read back.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "edited_text.hpp"
#include "example_layer.hpp"
#include "netlists/deck_reading.hpp"
#include "netlists/ngspice_session.hpp"
#include "solver/nodal_solver.hpp"

using namespace kirchnet;
using namespace kirchnet_test;

namespace {

TileSettings settings_of(Mapping mapping, Layout layout) {
    TileSettings settings = example_settings(mapping, layout);
    settings.wires.word_line_segment = 1.5;
    settings.wires.bit_line_segment = 2.5;
    settings.wires.driver = 40;
    return settings;
}

/// Two rows and two columns of tiles; word lines of a row share their inputs.
std::vector<LayerTile> layer_of(const TileSettings& settings) {
    return example_layer(settings, 2);
}

std::string deck_of(const std::vector<LayerTile>& tiles, bool is_flat, const CellLaw& law = {},
                    Readout readout = Readout::ideal) {
    TileDeckSettings settings;
    settings.law = law;
    settings.readout = readout;
    return is_flat ? write_flat_layer_deck(tiles, settings) : write_layer_deck(tiles, settings);
}

/// The deck with one line of a tile's subcircuit replaced.
std::string in_tile(const std::string& deck, const std::string& tile, const std::string& start,
                    const std::string& by) {
    const std::size_t at = deck.find(".subckt tile_" + tile + " ");
    REQUIRE(at != std::string::npos);
    return deck.substr(0, at) + with_line(deck.substr(at), start, by);
}

std::size_t line_in_tile(const std::string& deck, const std::string& tile,
                         const std::string& start) {
    const std::size_t at = deck.find(".subckt tile_" + tile + " ");
    return line_number(deck.substr(at), start) +
           static_cast<std::size_t>(
               std::count(deck.begin(), deck.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

std::string refusal(const std::string& edited, const std::vector<LayerTile>& tiles, bool is_flat) {
    try {
        (void)read_layer_deck(edited, deck_of(tiles, is_flat), tiles);
    } catch (const InvalidInput& error) {
        return error.what();
    }
    return {};
}

bool says(const std::string& text, const std::string& words) {
    CAPTURE(text);
    return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("an unmodified deck of a layer reads back as the arrays of all its tiles") {
    for (const Mapping mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const Layout layout : {Layout::split, Layout::interleaved})
            for (const bool is_flat : {false, true}) {
                CAPTURE(to_string(mapping));
                CAPTURE(is_flat);
                const auto tiles = layer_of(settings_of(mapping, layout));
                const std::string deck = deck_of(tiles, is_flat);
                CHECK(is_layer_deck(deck));
                CHECK(is_flat_deck(deck) == is_flat);
                const LayerReading reading = read_layer_deck(deck, deck, tiles);
                CHECK(reading.changes.empty());
                CHECK(reading.beyond.empty());
                REQUIRE(reading.tiles.size() == 4);
                for (std::size_t i = 0; i < 4; ++i) {
                    CHECK(reading.tiles[i].changes.empty());
                    CHECK(reading.tiles[i].arrays == tiles[i].tile.arrays());
                    CHECK(reading.tiles[i].voltages.front().head(3) == tiles[i].inputs);
                }
            }
    const auto tiles = layer_of(settings_of(Mapping::two_column, Layout::split));
    const std::string amplified = deck_of(tiles, false, {}, Readout::opamp);
    CHECK(read_layer_deck(amplified, amplified, tiles).tiles[3].changes.empty());
    CHECK_FALSE(is_layer_deck(write_tile_deck(tiles[0].tile, tiles[0].inputs, {})));
    CHECK_FALSE(is_layer_deck(write_flat_deck(tiles[0].tile, tiles[0].inputs, {})));
}

TEST_CASE("changes of a layer's deck are told tile by tile, and its sum is that of the arrays") {
    const auto tiles = layer_of(settings_of(Mapping::two_column, Layout::split));
    for (const bool is_flat : {false, true}) {
        CAPTURE(is_flat);
        const std::string original = deck_of(tiles, is_flat);
        std::string edited;
        std::size_t line = 0;
        if (is_flat) {
            edited = with_line(original, "rxc_a_1_0_t0_1 ",
                               "rxc_a_1_0_t0_1 wl_a_1_0_t0_1 bl_a_1_0_t0_1 1e6");
            edited = with_line(edited, "rxc_b_2_1_t1_0 ", "");
            edited = with_line(edited, "rwl_a_0_1_t1_0 ",
                               "rwl_a_0_1_t1_0 wl_a_0_0_t1_0 wl_a_0_1_t1_0 900");
            line = line_number(edited, "rxc_a_1_0_t0_1 ");
        } else {
            edited = in_tile(original, "0_1", "xc_a_1_0 ",
                             "xc_a_1_0 wl_a_1_0 bl_a_1_0 cell_1r g=1e-6 ; by hand");
            edited = in_tile(edited, "1_0", "xc_b_2_1 ", "");
            edited = in_tile(edited, "1_0", "rwl_a_0_1 ", "rwl_a_0_1 wl_a_0_0 wl_a_0_1 900");
            line = line_in_tile(edited, "0_1", "xc_a_1_0 ");
        }
        const LayerReading reading = read_layer_deck(edited, original, tiles);
        CHECK(reading.changes.empty());
        CHECK(reading.beyond.empty());
        CHECK(reading.tiles[0].changes.empty());
        CHECK(reading.tiles[3].changes.empty());
        REQUIRE(reading.tiles[1].changes.size() == 1);
        REQUIRE(reading.tiles[2].changes.size() == 2);
        const DeckChange& cell = reading.tiles[1].changes[0];
        CHECK(cell.name == "xc_a_1_0");
        CHECK(cell.line == line);
        CHECK(*cell.after == doctest::Approx(1e-6).epsilon(1e-14).scale(0));
        CHECK(reading.tiles[2].arrays[1].faults()(2, 1) == Fault::open);
        CHECK(reading.tiles[2].arrays[0].wires().word_line_segment(0, 1) == 900);
        // Outputs 0 and 1 are of column 0, 2 and 3 of column 1.
        const auto found = run_operating_point(edited, {"y_0", "y_1", "y_2", "y_3"});
        Eigen::Vector4d sums = Eigen::Vector4d::Zero();
        for (std::size_t i = 0; i < 4; ++i)
            for (Index j = 0; j < 2; ++j)
                for (std::size_t side = 0; side < 2; ++side)
                    sums(tiles[i].tile.block().first_output_channel + j) +=
                        (side == 0 ? 1 : -1) * NodalSolver()
                                                   .solve(reading.tiles[i].arrays[side],
                                                          reading.tiles[i].voltages[side],
                                                          Voltages::skip)
                                                   .current(j, 0);
        for (Index j = 0; j < 4; ++j)
            CHECK(found.at(fmt::format("y_{}", j)) ==
                  doctest::Approx(sums(j)).epsilon(1e-9).scale(0));
    }
}

TEST_CASE("a layer's deck is held against arrays alone") {
    for (const std::string text : {"linear", "1t1r", "sinh:4"})
        for (const Layout layout : {Layout::split, Layout::interleaved})
            for (const bool is_flat : {false, true}) {
                CAPTURE(text);
                CAPTURE(is_flat);
                const CellLaw law = parse_cell_law(text);
                auto tiles = layer_of(settings_of(Mapping::differential, layout));
                const std::string deck = deck_of(tiles, is_flat, law);
                const std::vector<std::string> labels{"t0_0", "t0_1", "t1_0", "t1_1"};
                // Arrays of no weights, as a file has them.
                for (LayerTile& part : tiles) {
                    WeightBlock block = part.tile.block();
                    block.weights.setZero();
                    block.inputs.assign(block.inputs.size(), {});
                    GivenArrays given;
                    given.set({block.layer, block.tile_row, block.tile_column, 0},
                              part.tile.arrays());
                    part.tile = Tile(block, part.tile.settings(), {}, {}, &given);
                }
                const LayerReading same = read_layer_arrays(deck, tiles, labels, {}, {.law = law});
                CHECK(same.changes.empty());
                CHECK(same.beyond.empty());
                for (std::size_t i = 0; i < 4; ++i) {
                    CHECK(same.tiles[i].changes.empty());
                    CHECK(same.tiles[i].arrays == tiles[i].tile.arrays());
                    CHECK(same.tiles[i].voltages.back().head(3) == tiles[i].inputs);
                }
                if (is_flat) continue;
                std::string edited = in_tile(deck, "1_0", "xc_a_1_0 ", "");
                edited = with_line(edited, "v_x_1_0_0 ", "v_x_1_0_0 x_1_0_0 0 dc 0.05");
                edited = with_line(edited, ".control", "rshort x_0_0_0 x_1_0_0 1k\n.control");
                const LayerReading reading =
                    read_layer_arrays(edited, tiles, labels, {}, {.law = law});
                REQUIRE(reading.changes.size() == 2);
                CHECK(reading.changes[0].name == "v_x_1_0_0");
                CHECK(*reading.changes[0].before == tiles[0].inputs(1));
                CHECK(reading.changes[1].name == "rshort");
                CHECK(reading.beyond.size() == 1);
                REQUIRE(reading.tiles[2].changes.size() == 1);
                CHECK(reading.tiles[2].arrays[0].faults()(1, 0) == Fault::open);
            }
}

TEST_CASE("cells of a law in a layer's deck are read back by what they conduct") {
    for (const std::string text : {"sinh:4", "1t1r", "1s1r"}) {
        const CellLaw law = parse_cell_law(text);
        const auto tiles = layer_of(settings_of(Mapping::differential, Layout::split));
        for (const bool is_flat : {false, true}) {
            CAPTURE(text);
            CAPTURE(is_flat);
            const std::string deck = deck_of(tiles, is_flat, law);
            const LayerReading same = read_layer_deck(deck, deck, tiles, {}, {.law = law});
            for (const DeckReading& tile : same.tiles) CHECK(tile.changes.empty());
        }
        const std::string original = deck_of(tiles, false, law);
        const std::string name = text == "1t1r"   ? "cell_1t1r"
                                 : text == "1s1r" ? "cell_1s1r"
                                                  : "cell_sinh";
        const LayerReading reading =
            read_layer_deck(in_tile(original, "1_1", "xc_b_0_1 ",
                                    fmt::format("xc_b_0_1 wl_b_0_1 bl_b_0_1{} {} g=3e-5",
                                                text == "1t1r" ? " sel_b_0" : "", name)),
                            original, tiles, {}, {.law = law});
        REQUIRE(reading.tiles[3].changes.size() == 1);
        CHECK(reading.tiles[3].beyond.empty());
        CHECK(*reading.tiles[3].changes[0].after == doctest::Approx(3e-5).epsilon(1e-8).scale(0));
    }
}

TEST_CASE("what tiles share is told beside them") {
    const auto tiles = layer_of(settings_of(Mapping::two_column, Layout::split));
    const std::string original = deck_of(tiles, false);
    SUBCASE("an input drives all its tiles") {
        const LayerReading reading = read_layer_deck(
            with_line(original, "v_x_1_0_0 ", "v_x_1_0_0 x_1_0_0 0 dc 0.05"), original, tiles);
        REQUIRE(reading.changes.size() == 1);
        CHECK(reading.changes[0].kind == DeckChangeKind::source);
        CHECK(*reading.changes[0].after == 0.05);
        CHECK(reading.beyond.empty());
        CHECK(reading.tiles[0].voltages[1](1) == 0.05);
        CHECK(reading.tiles[1].voltages[0](1) == 0.05);
        CHECK(reading.tiles[2].voltages[0](1) == tiles[2].inputs(1));
    }
    SUBCASE("a parameter and its cells") {
        const LayerReading reading =
            read_layer_deck(with_text(original, "gmax_c=", "gmax_c=2e-4 gold="), original, tiles);
        CHECK(reading.changes.size() == 2);  // gmax_c, and gold anew
        for (const DeckReading& tile : reading.tiles) CHECK(tile.changes.size() >= 6);
    }
    SUBCASE("devices between tiles, and within one") {
        std::string edited =
            with_line(original, ".control", "rshort s_t0_0_0 s_t1_0_0 10\n.control");
        edited = in_tile(edited, "0_1", "xc_a_1_0 ",
                         line_of(edited.substr(edited.find(".subckt tile_0_1")), "xc_a_1_0 ") +
                             "\nrleak wl_a_0_0 bl_a_2_1 1k");
        const LayerReading reading = read_layer_deck(edited, original, tiles);
        REQUIRE(reading.beyond.size() == 1);
        CHECK(says(reading.beyond[0], "rshort was added between s_t0_0_0 and s_t1_0_0"));
        REQUIRE(reading.tiles[1].beyond.size() == 1);
        CHECK(says(reading.tiles[1].beyond[0], "rleak was added between wl_a_0_0 and bl_a_2_1"));
        CHECK(reading.tiles[1].changes[0].line == line_in_tile(edited, "0_1", "rleak "));
    }
    SUBCASE("a sum") {
        const LayerReading reading =
            read_layer_deck(with_line(original, "by_0 ", ""), original, tiles);
        CHECK(reading.beyond == std::vector<std::string>{"by_0 is missing"});
    }
}

TEST_CASE("decks of layers that cannot be read are refused with the line") {
    const auto tiles = layer_of(settings_of(Mapping::two_column, Layout::split));
    const std::string original = deck_of(tiles, false);
    const auto cell = [&](const std::string& by) {
        return in_tile(original, "1_0", "xc_a_1_1 ", by);
    };
    const std::string at = fmt::format("line {}", line_in_tile(original, "1_0", "xc_a_1_1 "));
    for (const std::string by :
         {"xc_a_1_1 wl_a_1_1 bl_a_1_1 cell_none g=1", "xc_a_1_1 wl_a_1_1 bl_a_1_1 cell_1r g={nope}",
          "xc_a_1_1 wl_a_1_1 bl_a_1_1 cell_1r g={1e-6", "xc_a_1_1 wl_a_1_1 cell_1r g=1e-6"}) {
        CAPTURE(by);
        CHECK(says(refusal(cell(by), tiles, false), at));
    }
    const std::string flat = deck_of(tiles, true);
    // The instance goes on over several lines.
    std::string without = original;
    const std::size_t begin = without.find("\nxt1_0 ") + 1;
    without.erase(begin, without.find("\nxt1_1 ") + 1 - begin);
    CHECK(says(refusal(without, tiles, false), "has nothing of tile 1_0: is xt1_0 gone?"));
    CHECK(says(refusal(with_line(flat, "rxc_a_0_0_t0_0 ", "rxc_a_0_0_t0_0 wl_a_0_0_t0_0 0 0"),
                       tiles, true),
               fmt::format("line {}", line_number(flat, "rxc_a_0_0_t0_0 "))));
    TileSettings small = settings_of(Mapping::two_column, Layout::interleaved);
    small.array = {3, 4};
    CHECK(says(refusal(deck_of(layer_of(small), false), tiles, false), "is no deck of this tile"));
}

TEST_CASE("a deck of one column is read back into the whole arrays") {
    for (const Layout layout : {Layout::split, Layout::interleaved})
        for (const bool is_flat : {false, true}) {
            CAPTURE(is_flat);
            const Tile tile(example_block(), settings_of(Mapping::differential, layout));
            TileDeckSettings settings;
            settings.output = 1;
            const std::string original = is_flat ? write_flat_deck(tile, example_inputs, settings)
                                                 : write_tile_deck(tile, example_inputs, settings);
            CHECK(output_of_deck(original) == Index{1});
            const DeckTerms terms{.output = 1};
            const DeckReading same =
                read_deck(original, original, tile, Compared::everything, {}, terms);
            CHECK(same.changes.empty());
            CHECK(same.arrays == tile.arrays());
            // A cell of the column, one of another bit line, and a segment.
            const bool is_split = layout == Layout::split;
            const std::string kept = is_split ? "a_2_1" : "a_2_2";
            const std::string other = is_split ? "a_2_0" : "b_2_1";
            const auto cell = [&](const std::string& at, const std::string& bit_net, double g) {
                return is_flat
                           ? fmt::format("rxc_{0} wl_{0} {1} {2:.17g}", at, bit_net, 1 / g)
                           : fmt::format("xc_{0} wl_{0} {1} cell_1r g={2:.17g}", at, bit_net, g);
            };
            const std::string x = is_flat ? "rxc_" : "xc_";
            std::string edited =
                with_line(original, x + kept + " ", cell(kept, "bl_" + kept, 2e-5));
            edited = with_line(edited, x + other + " ", cell(other, "0", 3e-5));
            const DeckReading reading =
                read_deck(edited, original, tile, Compared::everything, {}, terms);
            REQUIRE(reading.changes.size() == 2);
            CHECK(reading.beyond.empty());
            double sum = 0;
            for (std::size_t i = 0; i < reading.arrays.size(); ++i) {
                const Crossbar column = column_crossbar(tile, reading.arrays[i], 1);
                const auto current =
                    NodalSolver().solve(column, reading.voltages[i], Voltages::skip).current;
                sum += is_split ? (i == 0 ? 1 : -1) * current(1, 0) : current(2, 0) - current(3, 0);
            }
            CHECK(run_operating_point(edited, {"sub_1"}).at("sub_1") ==
                  doctest::Approx(sum).epsilon(1e-9).scale(0));
        }
}
