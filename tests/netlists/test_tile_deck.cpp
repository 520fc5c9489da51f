#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <sstream>

#include "circuit/error.hpp"
#include "example_tile.hpp"
#include "netlists/netlist_writer.hpp"

using namespace kirchnet;
using kirchnet_test::example_block;
using kirchnet_test::example_inputs;
using kirchnet_test::example_settings;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();
constexpr double ulp = std::numeric_limits<double>::epsilon();

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/// One cell as a reader of the deck sees it.
struct CellOfDeck {
    std::string word_net;
    std::string bit_net;
    std::string kind;
    std::map<std::string, std::string> values;  ///< `g`, `g_intended`
    std::string comment;
};

std::map<std::string, CellOfDeck> cells_of(const std::string& deck) {
    std::map<std::string, CellOfDeck> cells;
    for (const std::string& line : lines_of(deck)) {
        if (!line.starts_with("xc_")) continue;
        const auto comment_at = line.find(" ; ");
        std::istringstream words(line.substr(0, comment_at));
        std::string name;
        CellOfDeck cell;
        words >> name >> cell.word_net >> cell.bit_net >> cell.kind;
        for (std::string value; words >> value;)
            cell.values[value.substr(0, value.find('='))] = value.substr(value.find('=') + 1);
        cell.comment = line.substr(comment_at + 3);
        CHECK_MESSAGE(cells.emplace(name, cell).second, name, " appears twice");
    }
    return cells;
}

/// Value of `.param` NAME in the deck.
double parameter(const std::string& deck, const std::string& name) {
    const auto at = deck.find(name + "=");
    REQUIRE(at != std::string::npos);
    return std::stod(deck.substr(at + name.size() + 1));
}

/// A reader of its own for the few forms a conductance takes.
double conductance(const std::string& text, double gmin, double gmax) {
    if (text == "{gmin_c}") return gmin;
    if (text == "{gmax_c}") return gmax;
    const std::string head = "{gmin_c+";
    const std::string tail = "*(gmax_c-gmin_c)}";
    if (!text.starts_with(head)) return std::stod(text);
    REQUIRE(text.ends_with(tail));
    const std::string state = text.substr(head.size(), text.size() - head.size() - tail.size());
    const auto slash = state.find('/');
    const double value = slash == std::string::npos
                             ? std::stod(state)
                             : std::stod(state) / std::stod(state.substr(slash + 1));
    return gmin + value * (gmax - gmin);
}

std::string address_text(const CellMeaning& cell) {
    std::ostringstream text;
    text << "r=" << cell.position.word_line << " c=" << cell.position.bit_line << " | ";
    if (const auto* at = std::get_if<CellAddress>(&cell.identity))
        text << "ic=" << at->input_channel << " ky=" << at->kernel_y << " kx=" << at->kernel_x
             << " oc=" << at->output_channel << " slice=" << at->slice
             << " pol=" << (at->polarity == Polarity::a ? 'a' : 'b') << " | w=";
    else
        text << "pad | state=";
    return text.str();
}

template <typename Visit>
void for_each_cell(const Tile& tile, Visit visit) {
    for (const Crossbar& array : tile.arrays())
        for (Index r = 0; r < array.shape().word_lines; ++r)
            for (Index c = 0; c < array.shape().bit_lines; ++c)
                visit(tile.meaning({polarity_of(array.pattern(), c), r, c}));
}

FaultMap example_faults() {
    FaultMap faults;
    const std::string layer = example_block().layer;
    faults.set(layer, CellAddress{64, 5, 0, 1, 0, Polarity::a}, Fault::stuck_off);
    faults.set(layer, CellAddress{65, 5, 0, 0, 0, Polarity::a}, Fault::stuck_on);
    faults.set(layer, CellAddress{65, 6, 2, 0, 0, Polarity::a}, Fault::open);
    faults.set(layer, PaddingCell{0, 1, 3, 4, Polarity::a}, Fault::stuck_on);
    return faults;
}

}  // namespace

TEST_CASE("the deck of a 2 x 2 array is the one written by hand, line by line") {
    WeightBlock block;
    block.layer = "layer1.0.conv1";
    block.tile_row = 2;
    block.tile_column = 5;
    block.weights.resize(2, 1);
    block.weights << 0.7, -1.0;
    block.inputs = {{7, 0, 2}, {7, 1, 0}};
    block.first_output_channel = 64;
    TileSettings settings;
    settings.array = {2, 2};
    settings.layout = Layout::interleaved;
    settings.weight_bits = 3;
    settings.device = {0.25, 0.0625};
    settings.wires.word_line_segment = 1.0;
    settings.wires.driver = 0.5;
    FaultMap faults;
    faults.set(block.layer, CellAddress{64, 7, 1, 0, 0, Polarity::a}, Fault::stuck_on);
    TileDeckSettings how;
    how.input_comment = "by hand";
    how.fault_comment = "drawn by hand";
    const auto written = lines_of(
        write_tile_deck(Tile(block, settings, FaultSource(faults)), Eigen::Vector2d(1.5, -3), how));
    std::ifstream file(std::string(KIRCHNET_TEST_CASES) + "/tile_deck_2x2/expected.cir");
    REQUIRE(file.good());
    const auto expected = lines_of({std::istreambuf_iterator<char>(file), {}});
    REQUIRE(written.size() == expected.size());
    for (std::size_t i = 0; i < written.size(); ++i) CHECK(written[i] == expected[i]);
}

TEST_CASE("every cell line says which weight it holds, and its conductance reads back") {
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        for (const auto layout : {Layout::split, Layout::interleaved})
            for (const int bits : {0, 3, 8}) {
                TileSettings settings = example_settings(mapping, layout);
                settings.weight_bits = bits;
                const Tile tile(example_block(), settings, FaultSource(example_faults()));
                const std::string deck = write_tile_deck(tile, example_inputs, {});
                const auto cells = cells_of(deck);
                const double gmin = parameter(deck, "gmin_c");
                const double gmax = parameter(deck, "gmax_c");
                std::size_t count = 0;
                for_each_cell(tile, [&](const CellMeaning& meaning) {
                    ++count;
                    const auto found = cells.find(cell_name(meaning.position));
                    REQUIRE(found != cells.end());
                    const CellOfDeck& cell = found->second;
                    CHECK_MESSAGE(cell.comment.starts_with(address_text(meaning)), cell.comment);
                    const auto same = [&](const std::string& key, double wanted) {
                        REQUIRE(cell.values.contains(key));
                        CHECK(std::abs(conductance(cell.values.at(key), gmin, gmax) - wanted) <=
                              2 * ulp * wanted);
                    };
                    if (meaning.fault != Fault::open) same("g", meaning.conductance);
                    if (meaning.fault != Fault::none)
                        same("g_intended", meaning.intended_conductance);
                });
                CHECK(cells.size() == count);
            }
}

TEST_CASE("a faulty cell is a subcircuit of its own with its intended conductance") {
    const Tile tile(example_block(), example_settings(Mapping::two_column, Layout::split),
                    FaultSource(example_faults()));
    const std::string deck = write_tile_deck(tile, example_inputs, {});
    const auto cells = cells_of(deck);
    CHECK(cells.at("xc_a_1_0").kind == "cell_stuck_off");
    CHECK(cells.at("xc_a_1_0").values.at("g_intended") == "{gmax_c}");  // weight +1
    CHECK(cells.at("xc_a_1_0").comment.ends_with("| fault=stuck_off"));
    CHECK(cells.at("xc_a_0_1").kind == "cell_stuck_on");
    CHECK(cells.at("xc_a_2_1").kind == "cell_open");
    CHECK_FALSE(cells.at("xc_a_2_1").values.contains("g"));
    CHECK(cells.at("xc_a_3_4").kind == "cell_stuck_on");  // padding breaks too
    CHECK(cells.at("xc_b_1_0").kind == "cell_1r");
    CHECK(deck.find("\n* faults    4 of 48 cells\n") != std::string::npos);
}

TEST_CASE("a quantised cell shows its level, a continuous one its state in full") {
    TileSettings settings = example_settings(Mapping::differential, Layout::split);
    // w = -0.0312 at 8 bits is -4/127; side a holds 123 of 127 levels.
    CHECK(write_tile_deck(Tile(example_block(), settings), example_inputs, {})
              .find("xc_a_0_0 in_a_0 out_a_0 cell_1r g={gmin_c+123/127*(gmax_c-gmin_c)} ; "
                    "r=0 c=0 | ic=5 ky=0 kx=0 oc=64 slice=0 pol=a | w=-0.0312 q=-4/127 | "
                    "state=0.9685 | fault=none\n") != std::string::npos);
    settings.weight_bits = 0;
    CHECK(write_tile_deck(Tile(example_block(), settings), example_inputs, {})
              .find("g={gmin_c+0.9688*(gmax_c-gmin_c)} ; r=0 c=0 | ic=5 ky=0 kx=0 oc=64 slice=0 "
                    "pol=a | w=-0.0312 | state=0.9688") != std::string::npos);
}

TEST_CASE("wires that are 0 ohm, open or all different are written readably") {
    TileSettings settings = example_settings(Mapping::offset, Layout::split);
    settings.array = {3, 2};
    settings.wires.driver = LineResistance(Eigen::VectorXd(Eigen::Vector3d(0, 7, open)));
    CellMatrix segments = CellMatrix::Constant(2, 3, 2.5);
    segments(0, 1) = 0;
    segments(1, 0) = open;
    settings.wires.bit_line_segment = LineResistance(segments);
    settings.wires.word_line_segment = 1.0;
    const std::string deck = write_tile_deck(Tile(example_block(), settings), example_inputs, {});
    const auto has = [&](const std::string& line) {
        CHECK_MESSAGE(deck.find("\n" + line + "\n") != std::string::npos, line);
    };
    has("* rdrv_a_0 is 0 ohm: one node, in_a_0");
    has("rwl_a_0_0 in_a_0 wl_a_0_0 {rwl}");
    has("rdrv_a_1 in_a_1 drv_a_1 7");
    has("* rdrv_a_2 left out: open, word line 2 is not driven");
    has("rbl_a_0_0 bl_a_0_0 bl_a_1_0 2.5");
    has("* rbl_a_1_0 is 0 ohm: one node, bl_a_1_0");
    has("rbl_a_2_0 bl_a_1_0 out_a_0 2.5");
    has("* rbl_a_0_1 left out: open");
    has("* bit-line segment resistances differ and stand in the elements");
    CHECK(deck.find(".param rbl") == std::string::npos);
}

TEST_CASE("the further ends of the lines are written as the near ones are") {
    TileSettings settings = example_settings(Mapping::two_column, Layout::interleaved);
    settings.array = {3, 4};
    settings.wires = Wires{1.0, 2.0, 3.0, 4.0};
    settings.wires.drive = DriveSide::both;
    settings.wires.sense_at = SenseSide::both;
    const auto deck = [&] {
        return write_tile_deck(Tile(example_block(), settings), example_inputs, {});
    };
    const auto has = [&](const std::string& line) {
        CHECK_MESSAGE(deck().find("\n" + line + "\n") != std::string::npos, line);
    };
    SUBCASE("both ends") {
        has("* word lines are driven at both ends, by a driver each");
        has("* bit lines are read at both ends, by an input each; the currents add");
        has("rdrv_ab_2 in_ab_2 drv_ab_2 {rdrv}");
        has("rwl_a_2_0 drv_ab_2 wl_a_2_0 {rwl}");
        has("rdrv_ab_2_r in_ab_2 drv_ab_2_r {rdrv}");
        has("rwl_b_2_r drv_ab_2_r wl_b_2_3 {rwl}");
        has("rbl_b_t_1 bl_b_0_1 sns_b_t_1 {rbl}");
        has("rsense_b_t_1 sns_b_t_1 out_b_1 {rsense}");
        has("rbl_b_2_1 bl_b_2_1 sns_b_1 {rbl}");
        has("rsense_b_1 sns_b_1 out_b_1 {rsense}");
    }
    SUBCASE("only the further ends") {
        settings.wires.drive = DriveSide::right;
        settings.wires.sense_at = SenseSide::top;
        has("* word lines are driven at their right end");
        has("* bit lines are read at their top end");
        has("rdrv_ab_2_r in_ab_2 drv_ab_2_r {rdrv}");
        has("rsense_b_t_1 sns_b_t_1 out_b_1 {rsense}");
        for (const char* absent : {"\nrdrv_ab_2 ", "\nrwl_a_2_0 ", "\nrsense_b_1 ", "\nrbl_b_2_1 "})
            CHECK(deck().find(absent) == std::string::npos);
    }
    SUBCASE("an open segment at one of them") {
        CellMatrix segments = CellMatrix::Constant(3, 5, 1.5);
        segments(1, 4) = open;
        settings.wires.word_line_segment = LineResistance(segments);
        has("* rwl_b_1_r left out: open, word line 1 is not driven at this end");
        has("rdrv_ab_1 in_ab_1 drv_ab_1 {rdrv}");
        has("rwl_b_2_r drv_ab_2_r wl_b_2_3 1.5");
    }
    SUBCASE("a segment between two places of one net") {
        CellMatrix segments = CellMatrix::Zero(3, 5);
        segments.col(0).setConstant(7);
        settings.wires.word_line_segment = LineResistance(segments);
        settings.wires.driver = 0.0;
        has("* rwl_a_2_0 left out: both its ends are in_ab_2");
        has("* driver 0 ohm: source and both ends of each word line are one node (SPICE has no 0 "
            "ohm resistor)");
    }
}

TEST_CASE("without end segments the driver reaches the first cell") {
    TileSettings settings = example_settings(Mapping::offset, Layout::split);
    settings.wires = Wires{1.0, 2.0, 3.0, 4.0, false};
    const std::string deck = write_tile_deck(Tile(example_block(), settings), example_inputs, {});
    CHECK(deck.find("\nrdrv_a_0 in_a_0 wl_a_0_0 {rdrv}\n") != std::string::npos);
    CHECK(deck.find("\nrsense_a_5 bl_a_3_5 out_a_5 {rsense}\n") != std::string::npos);
    CHECK(deck.find("\nrwl_a_0_0 ") == std::string::npos);
}

TEST_CASE("padding word lines are driven at 0 V, padding bit lines are grounded or amplified") {
    for (const auto readout : {Readout::ideal, Readout::opamp}) {
        TileDeckSettings how;
        how.readout = readout;
        const std::string deck = write_tile_deck(
            Tile(example_block(), example_settings(Mapping::differential, Layout::split)),
            example_inputs, how);
        CHECK(deck.find("\nv_in_b_3 in_b_3 0 dc 0 ; pad\n") != std::string::npos);
        CHECK(deck.find(readout == Readout::ideal
                            ? "\nvs_b_5 out_b_5 0 dc 0 ; pad, at virtual ground\n"
                            : "\nvs_b_5 out_b_5 tin_b_5 dc 0\nxtia_b_5 tin_b_5 tia_b_5 tia rf={rf} "
                              "vos={vos} ; pad\n") != std::string::npos);
    }
}

TEST_CASE("text of users stays inside its comment") {
    const auto deck_of = [](const std::string& evil) {
        WeightBlock block = example_block();
        block.layer = evil;
        TileDeckSettings how;
        how.input_comment = evil;
        how.fault_comment = evil;
        return lines_of(write_tile_deck(
            Tile(block, example_settings(Mapping::offset, Layout::split)), example_inputs, how));
    };
    const auto harmless = deck_of("name");
    for (const char* evil : {"a\n.end\n", "\r\n*#quit", "+ 5", "\t.control\nquit\n.endc",
                             "\xff\xfe\x00", ".title x", "", "{nowhere}", "\"'`$(quit)"}) {
        const auto deck = deck_of(evil);
        REQUIRE(deck.size() == harmless.size());
        for (std::size_t i = 0; i < deck.size(); ++i) {
            for (const char letter : deck[i]) CHECK((letter >= 0x20 && letter < 0x7f));
            if (deck[i] != harmless[i]) CHECK(deck[i].starts_with("* "));
        }
    }
}

TEST_CASE("settings that make no read-out are refused") {
    const Tile tile(example_block(), example_settings(Mapping::two_column, Layout::split));
    const auto write = [&](const auto& change) {
        TileDeckSettings how;
        how.readout = Readout::opamp;
        change(how.amplifiers.circuit);
        return write_tile_deck(tile, example_inputs, how);
    };
    CHECK_NOTHROW(write([](auto&) {}));
    CHECK_THROWS_AS(write([](auto& s) { s.amplifier.gain = 0; }), InvalidInput);
    CHECK_THROWS_AS(write([](auto& s) { s.amplifier.swing = -1; }), InvalidInput);
    CHECK_THROWS_AS(write([](auto& s) { s.amplifier.gain_bandwidth = open; }), InvalidInput);
    CHECK_THROWS_AS(write([](auto& s) { s.amplifier.offset = std::nan(""); }), InvalidInput);
    CHECK_THROWS_AS(write([](auto& s) { s.feedback_resistance = -5; }), InvalidInput);
    CHECK_THROWS_AS(write([](auto& s) { s.bridge_resistance = 0; }), InvalidInput);
    CHECK_THROWS_AS(write_tile_deck(tile, Eigen::VectorXd::Ones(4), {}), InvalidInput);
    CHECK_THROWS_AS(write_tile_deck(tile, Eigen::VectorXd::Constant(3, open), {}), InvalidInput);
}

TEST_CASE("R_f by default leaves a fifth of the swing at the largest column current") {
    // offset, one weight of +1 at 0.5 V: 0.5 V x 1 mS = 0.5 mA; 0.8 x 1.2 V / 0.5 mA = 1920 ohm.
    WeightBlock block;
    block.layer = "fc";
    block.weights = Eigen::MatrixXd::Ones(1, 1);
    block.inputs = {{0, 0, 0}};
    TileSettings settings;
    settings.array = {2, 3};
    settings.mapping = Mapping::offset;
    settings.device = {1e-3, 1e-5};
    TileDeckSettings how;
    how.readout = Readout::opamp;
    const std::string deck =
        write_tile_deck(Tile(block, settings), Eigen::VectorXd::Constant(1, 0.5), how);
    CHECK(parameter(deck, ".param rf") == doctest::Approx(1920).epsilon(1e-14));
    CHECK(deck.find("without wires (G^T v), 500 uA") != std::string::npos);
}

TEST_CASE(
    "a deck shows cells that the device laws change: what they conduct, and what was intended") {
    const TileSettings settings = example_settings(Mapping::two_column, Layout::split);
    FaultMap faults;
    faults.set(example_block().layer, CellAddress{64, 5, 0, 1, 0, Polarity::a}, Fault::stuck_off);
    const DeviceDraw draw{.laws = {.variation = 0.1}, .seed = 3};
    const Tile tile(example_block(), settings, FaultSource(faults), draw);
    TileDeckSettings how;
    how.device_comment = "seed 3";
    const std::string deck = write_tile_deck(tile, example_inputs, how);
    CHECK(deck.find("\n* devices   seed 3: 47 cells that work conduct other than intended\n") !=
          std::string::npos);
    CHECK(deck.find(" cell_stuck_off g={gmin_c} g_intended=") != std::string::npos);
    for_each_cell(tile, [&](const CellMeaning& cell) {
        if (cell.fault != Fault::none) return;
        const auto line = deck.find("\n" + cell_name(cell.position) + " ");
        REQUIRE(line != std::string::npos);
        const std::string text = deck.substr(line, deck.find('\n', line + 1) - line);
        const auto value = text.find("cell_varied g=");
        REQUIRE(value != std::string::npos);
        CHECK(std::stod(text.substr(value + 14)) == cell.conductance);
        CHECK(text.find(" g_intended=") != std::string::npos);
    });
    const std::string plain = write_tile_deck(Tile(example_block(), settings), example_inputs, {});
    CHECK(plain.find("cell_varied") == std::string::npos);
    CHECK(plain.find("* devices") == std::string::npos);
}
