// The cells of every law as subcircuits of a readable deck, run by ngspice, against our own solver
// on the arrays that the deck stands for.
#include <doctest/doctest.h>

#include <cmath>

#include "circuit/characterised_cell.hpp"
#include "circuit/error.hpp"
#include "circuit/read_point.hpp"
#include "circuit/tile_circuit.hpp"
#include "example_tile.hpp"
#include "netlists/characterise.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"
#include "run_deck.hpp"
#include "solver/circuit_solver.hpp"
#include "solver/nodal_solver.hpp"

using namespace kirchnet;
using namespace kirchnet_test;

namespace {

/// A tile with wires, a stuck-on, a stuck-off and an open cell, and cells that vary.
Tile faulty_tile(const AccessResistance& access = {}, bool varies = false) {
    TileSettings settings = example_settings(Mapping::differential, Layout::split);
    settings.device = {1e-4, 2e-6};
    settings.access = access;
    settings.wires.word_line_segment = 20;
    settings.wires.bit_line_segment = 30;
    settings.wires.driver = 100;
    FaultMap map;
    const auto cell = [](std::int32_t oc, std::int32_t ic, std::int32_t kx, Polarity side) {
        return CellAddress{oc, ic, 0, kx, 0, side};
    };
    map.set("layer1.0.conv1", cell(64, 5, 0, Polarity::a), Fault::stuck_off);
    map.set("layer1.0.conv1", cell(65, 5, 1, Polarity::b), Fault::stuck_on);
    map.set("layer1.0.conv1", cell(64, 5, 1, Polarity::a), Fault::open);
    std::optional<DeviceDraw> devices;
    if (varies) devices = DeviceDraw{{.drift_nu = 0.05, .time_ratio = 10}, 1, 0};
    return Tile(example_block(), settings, FaultSource(map), devices);
}

/// Largest difference of a column's current between the deck and KLU, relative to sum_r |g V_r|.
double difference(const Tile& tile, const CellLaw& law, const std::string& deck) {
    double worst = 0;
    for (const Crossbar& array : tile.arrays()) {
        Eigen::VectorXd inputs = Eigen::VectorXd::Zero(array.shape().word_lines);
        inputs.head(3) = example_inputs;
        NodalSolver solver;
        const Eigen::VectorXd ours =
            solver.solve(exact_at(array, law, 0.2), inputs, Voltages::skip).current.col(0);
        const Eigen::VectorXd without_wires = array.conductance().transpose() * inputs.cwiseAbs();
        const std::string letter(array_letters(array.pattern()));
        std::vector<std::string> wanted;
        for (Index c = 0; c < ours.size(); ++c)
            wanted.push_back("vs_" + letter + "_" + std::to_string(c) + "#branch");
        const auto found = run_operating_point(deck, wanted);
        for (Index c = 0; c < ours.size(); ++c)
            worst =
                std::max(worst, std::abs(found.at(wanted[static_cast<std::size_t>(c)]) - ours(c)) /
                                    without_wires(c));
    }
    return worst;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TileDeckSettings with_law(const CellLaw& law) {
    TileDeckSettings settings;
    settings.law = law;
    return settings;
}

}  // namespace

TEST_CASE("readable decks of sinh, stanford and 1s1r cells carry what our solver says") {
    for (const std::string text : {"sinh:4", "stanford", "1s1r", "1s1r:is=1e-8,vs=0.015"}) {
        CAPTURE(text);
        const CellLaw law = parse_cell_law(text);
        const Tile tile = faulty_tile({}, true);
        const std::string deck = write_tile_deck(tile, example_inputs, with_law(law));
        CHECK(contains(deck, ".subckt cell_varied wl bl g=1e-6 g_intended=1e-6 "));
        const double apart = difference(tile, law, deck);
        MESSAGE(text, ": readable deck ", apart);
        CHECK(apart <= 1e-6);
        CHECK(difference(tile, law, write_flat_deck(tile, example_inputs, with_law(law))) <= 1e-6);
    }
}

TEST_CASE("cells behind transistors hang on select lines; the law has gates above bit lines") {
    const CellLaw law = parse_cell_law("1t1r");
    const Tile tile = faulty_tile();
    const std::string deck = write_tile_deck(tile, example_inputs, with_law(law));
    CHECK(contains(deck, ".subckt cell_1t1r wl bl sel g=1e-6 vg=1.5 vth=0.5 beta=0.002 vr=0.2"));
    CHECK(contains(deck, "vsel_a_3 sel_a_3 0 dc {v_select}"));
    CHECK(contains(deck, "xc_b_1_1 wl_b_1_1 bl_b_1_1 sel_b_1 cell_stuck_on g={gmax_c}"));
    // Bit lines stand up to 10 mV above ground: 1 % of the overdrive of transistors that take 5 %
    // of the voltage.
    const double apart = difference(tile, law, deck);
    MESSAGE("1t1r: readable deck ", apart);
    CHECK(apart > 1e-9);
    CHECK(apart <= 5e-4);
    // The circuit that has gates where the deck has them is the deck's.
    const Circuit circuit = tile_circuit(tile, example_inputs, {.law = law});
    const CircuitSolution solution = solve_circuit(circuit);
    const auto found = run_operating_point(deck, {"sub_0", "sub_1", "xc_a_1_1.x"});
    for (const auto& [net, volts] : found) {
        CAPTURE(net);
        CHECK(voltage_of(circuit, solution, net) == doctest::Approx(volts).epsilon(1e-9).scale(0));
    }
    CHECK(difference(tile, law, write_flat_deck(tile, example_inputs, with_law(law))) <= 1e-6);
}

TEST_CASE("cells with an access resistance show what they should, stuck ones behind it too") {
    for (const bool precompensate : {true, false})
        for (const bool varies : {false, true}) {
            CAPTURE(precompensate);
            CAPTURE(varies);
            const Tile tile = faulty_tile({2e3, precompensate}, varies);
            const std::string deck = write_tile_deck(tile, example_inputs, {});
            CHECK(
                contains(deck, ".subckt cell_stuck_on wl bl sel g=1e-4 g_intended=1e-6 ron=2000"));
            CHECK(contains(deck, "cell_varied g=") == varies);
            CHECK(difference(tile, {}, deck) <= 1e-9);
        }
    CHECK_THROWS_WITH_AS(
        (void)write_tile_deck(faulty_tile({2e3, true}), example_inputs, with_law(CellLaw::sinh(4))),
        doctest::Contains("in series with ohmic cells"), InvalidInput);
}

TEST_CASE("decks of users' cells hold the subcircuit itself, with each cell's state") {
    const std::string text =
        ".subckt own g wl bl gap=0.5\n"
        ".param i0={1e-3*exp(-gap/0.25)}\n"
        "rs wl x 300\n"
        "bx x bl i={i0}*sinh(v(x,bl)/0.25)*(1+0.1*tanh(v(g,bl)-1))\n"
        ".ends own\n";
    CharacteriseSettings settings;
    settings.first_state = 0.6;
    settings.last_state = 2;
    const auto found = characterise(
        read_user_cell(text, "own.cir", {"own", {"wl", "bl", "g"}, "gap", 1.5}), settings);
    CHECK(found.error.largest <= 1e-6);
    const CellLaw law = CellLaw::custom(std::make_shared<SurfaceLaw>("byo:own.h5", found.surface));
    const Tile tile = faulty_tile();
    const std::string flat = write_flat_deck(tile, example_inputs, with_law(law));
    CHECK(contains(flat, ".subckt own g wl bl gap=0.5"));
    CHECK(contains(flat, "xc_a_0_0 gate_xc_a_0_0 wl_a_0_0 bl_a_0_0 own gap="));
    const double apart = difference(tile, law, flat);
    MESSAGE("byo: flat deck ", apart);
    CHECK(apart <= 1e-6);
    const std::string deck = write_tile_deck(tile, example_inputs, with_law(law));
    CHECK(contains(deck, "xcell sel wl bl own gap={state}"));
    CHECK(contains(deck, "cell_stuck_on g={gmax_c} state="));
    CHECK(difference(tile, law, deck) <= 1e-3);  // gates stand above ground here
}

TEST_CASE("a target that no cell of a law can have is refused before a deck is written") {
    CHECK_THROWS_WITH_AS((void)write_tile_deck(faulty_tile(), example_inputs,
                                               with_law(parse_cell_law("1t1r:vg=0.55"))),
                         doctest::Contains("cell xc_a_"), InvalidInput);
    TileDeckSettings other = with_law(parse_cell_law("stanford:vr=0.3"));
    CHECK_THROWS_WITH_AS((void)write_tile_deck(faulty_tile(), example_inputs, other),
                         doctest::Contains("tells conductances at 0.3 V, but cells are read at "
                                           "0.2 V"),
                         InvalidInput);
}
