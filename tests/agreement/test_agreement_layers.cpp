// Whole decks of layers and columns: the general circuit, solved here, against the readable deck,
// run by ngspice, every net and ammeter of it. Both start from the same tiles, and nothing else.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "circuit/error.hpp"
#include "circuit/layer_circuit.hpp"
#include "circuit/tile_circuit.hpp"
#include "netlists/circuit_deck.hpp"
#include "netlists/netlist_writer.hpp"
#include "solver/circuit_solver.hpp"
#include "tests/agreement/deck_agreement.hpp"
#include "tests/agreement/nonlinear_laws.hpp"
#include "tests/netlists/example_layer.hpp"

using namespace kirchnet;
using namespace kirchnet_test;
using test::DeckForm;

namespace {

constexpr double linear = 1e-9;     // the project's agreement of linear circuits
constexpr double nonlinear = 1e-6;  // and of others

struct LayerCase {
    Mapping mapping = Mapping::differential;
    Layout layout = Layout::split;
    std::optional<LinearReadout> readout = {};
    CellLaw law = {};
    bool is_sliced = false;
    bool is_faulty = false;
    Subtraction subtraction = Subtraction::before;
    bool has_reference = false;
};

TileSettings settings_of(const LayerCase& which) {
    TileSettings settings = example_settings(which.mapping, which.layout);
    settings.wires = Wires{40.0, 25.0, 100.0, 15.0, true};
    settings.subtraction = which.subtraction;
    if (which.is_sliced) {
        settings.weight_bits = 5;
        settings.bits_per_cell = 2;
    }
    if (which.has_reference) {
        settings.array.bit_lines += 1;
        settings.reference_column = true;
    }
    return settings;
}

/// Stuck and open cells, and in tile 1,0 bridged lines and an open one.
FaultMap faults_of_layer() {
    FaultMap faults;
    faults.set("conv", CellAddress{0, 0, 0, 0, 0, Polarity::a}, {Fault::stuck_on, 0});
    faults.set("conv", CellAddress{2, 4, 0, 0, 0, Polarity::a}, {Fault::open, 0});
    faults.set("conv", CellAddress{1, 3, 0, 0, 0, Polarity::a}, {Fault::stuck_at, 2.3e-5});
    const ArrayPlace place{1, 0, 0, Polarity::a};
    faults.add("conv", {place, LineDefect::bit_line_bridge, 1, 0, 30});
    faults.add("conv", {place, LineDefect::word_line_bridge, 0, 1, 300});
    faults.add("conv", {{0, 1, 0, Polarity::a}, LineDefect::word_line_open, 1, 1, 0});
    return faults;
}

std::vector<LayerTile> layer_of(const LayerCase& which) {
    std::optional<FaultSource> faults;
    if (which.is_faulty) faults = faults_of_layer();
    return example_layer(settings_of(which), 1, faults);
}

/// R_f such that columns stay within their swing, or go far beyond it; no two amplifiers alike.
LinearReadout readout_of(SubtractorKind kind, bool in_overload = false) {
    LinearReadout readout;
    readout.circuit.kind = kind;
    readout.circuit.amplifier.gain = 2e3;
    readout.circuit.amplifier.offset = 1e-3;
    readout.circuit.feedback_resistance = in_overload ? 2e5 : 1e3;
    readout.mismatch = 0.02;
    readout.feedback_mismatch = 0.02;
    readout.offset_deviation = 2e-3;
    return readout;
}

TileDeckSettings deck_of(const LayerCase& which) {
    TileDeckSettings deck;
    deck.readout = which.readout ? Readout::opamp : Readout::ideal;
    if (which.readout) deck.amplifiers = *which.readout;
    deck.law = which.law;
    return deck;
}

/// Outputs of an ideal read-out stand for currents and have a scale of their own.
std::vector<std::string> sums_of(const LayerCase& which) {
    return which.readout ? std::vector<std::string>{"y_"}
                         : std::vector<std::string>{"y_", "s_t", "sub_"};
}

/// The largest output of an amplifier behind a bit line [V].
double largest_output(const Circuit& circuit, const CircuitSolution& solution) {
    double largest = 0;
    for (CircuitNet net = 1; net < circuit.nets(); ++net)
        if (circuit.net_name(net).find(".tia_") != std::string::npos)
            largest = std::max(largest, std::abs(solution.voltage[static_cast<std::size_t>(net)]));
    return largest;
}

/// The readable deck, and the circuit's own, against its solution here.
double check_layer_case(const LayerCase& which, double tolerance) {
    const auto tiles = layer_of(which);
    const Circuit circuit = layer_circuit(tiles, {which.readout, which.law});
    CHECK(circuit.is_linear() == (tolerance == linear));
    const CircuitSolution solution = solve_circuit(circuit);
    const double readable =
        test::disagreement(circuit, solution, write_layer_deck(tiles, deck_of(which)),
                           DeckForm::readable, sums_of(which));
    const double flat = test::disagreement(circuit, solution, write_circuit_deck(circuit, "layer"),
                                           DeckForm::flat, sums_of(which));
    CHECK(readable <= tolerance);
    CHECK(flat <= tolerance);
    const bool in_overload = which.readout && which.readout->circuit.feedback_resistance > 1e4;
    if (in_overload)
        CHECK(largest_output(circuit, solution) > 0.9 * which.readout->circuit.amplifier.swing);
    return std::max(readable, flat);
}

double check_column(const LayerCase& which, Index output, double tolerance) {
    const Tile tile = layer_of(which)[2].tile;  // with faults the one whose bit lines touch
    TileCircuitSettings how{.law = which.law};
    how.output = output;
    if (which.readout)
        how.amplifiers =
            draw_amplifiers(tile, *which.readout, which.readout->circuit.feedback_resistance);
    TileDeckSettings deck = deck_of(which);
    deck.output = output;
    const Circuit circuit = tile_circuit(tile, example_inputs, how);
    const double worst = test::disagreement(circuit, solve_circuit(circuit),
                                            write_tile_deck(tile, example_inputs, deck),
                                            DeckForm::readable, sums_of(which));
    CHECK(worst <= tolerance);
    return worst;
}

std::vector<std::optional<LinearReadout>> every_readout() {
    return {std::nullopt, readout_of(SubtractorKind::difference),
            readout_of(SubtractorKind::current_mode)};
}

}  // namespace

TEST_CASE("a layer's deck with ideal read-out is the circuit that we solve, slices included") {
    for (const bool is_sliced : {false, true})
        for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
            for (const auto layout : {Layout::split, Layout::interleaved})
                for (const auto subtraction : {Subtraction::before, Subtraction::after}) {
                    LayerCase which{mapping, layout};
                    which.is_sliced = is_sliced;
                    which.subtraction = subtraction;
                    CAPTURE(to_string(mapping));
                    CAPTURE(to_string(layout));
                    CAPTURE(is_sliced);
                    CAPTURE(static_cast<int>(subtraction));
                    MESSAGE("ideal: " << check_layer_case(which, linear));
                }
}

TEST_CASE("a layer's deck with amplifiers agrees, within their swing and beyond it") {
    for (const auto kind : {SubtractorKind::difference, SubtractorKind::current_mode})
        for (const auto limit : {SwingLimit::smooth, SwingLimit::hard})
            for (const bool in_overload : {false, true}) {
                const bool is_smooth = limit == SwingLimit::smooth;
                LayerCase which{is_smooth ? Mapping::two_column : Mapping::offset, Layout::split,
                                readout_of(kind, in_overload)};
                which.readout->circuit.amplifier.limit = limit;
                which.is_sliced = is_smooth;
                CAPTURE(to_string(kind));
                CAPTURE(to_string(limit));
                CAPTURE(in_overload);
                MESSAGE(to_string(kind)
                        << ", " << to_string(limit) << std::string(in_overload ? ", overload" : "")
                        << ": " << check_layer_case(which, nonlinear));
            }
}

TEST_CASE("sides that are converted apart and reference columns are those of the layer's deck") {
    for (const auto& readout : every_readout())
        for (const bool has_reference : {false, true}) {
            LayerCase which{Mapping::differential, Layout::split, readout};
            which.subtraction = Subtraction::after;
            which.has_reference = has_reference;
            CAPTURE(has_reference);
            MESSAGE(check_layer_case(which, readout ? nonlinear : linear));
        }
}

TEST_CASE("a layer's R_f is the smallest that one of its tiles asks for, by both roads") {
    LayerCase which{Mapping::differential, Layout::split, readout_of(SubtractorKind::difference)};
    which.readout->circuit.feedback_resistance = 0;
    MESSAGE(check_layer_case(which, nonlinear));
}

TEST_CASE("layers of every kind of cell, with faults and bridges, agree behind every read-out") {
    std::vector<CellLaw> laws = test::nonlinear_laws();
    laws.insert(laws.begin(), CellLaw());
    for (const CellLaw& law : laws)
        for (const auto& readout : every_readout()) {
            LayerCase which{Mapping::differential, Layout::interleaved, readout, law};
            which.is_faulty = true;
            CAPTURE(to_string(law));
            const bool is_linear = law.is_linear() && !readout;
            MESSAGE(to_string(law)
                    << ": " << check_layer_case(which, is_linear ? linear : nonlinear));
        }
}

TEST_CASE("a column's deck is the circuit that we solve") {
    std::vector<CellLaw> laws = test::nonlinear_laws();
    laws.insert(laws.begin(), CellLaw());
    for (const CellLaw& law : laws) {
        double worst = 0;
        for (const auto& readout : every_readout())
            for (const auto layout : {Layout::split, Layout::interleaved})
                for (const bool is_faulty : {false, true})
                    for (const Index output : {0, 1}) {
                        LayerCase which{Mapping::differential, layout, readout, law};
                        which.is_faulty = is_faulty;
                        CAPTURE(to_string(law));
                        CAPTURE(to_string(layout));
                        CAPTURE(is_faulty);
                        CAPTURE(output);
                        const bool is_linear = law.is_linear() && !readout;
                        worst = std::max(
                            worst, check_column(which, output, is_linear ? linear : nonlinear));
                    }
        MESSAGE(to_string(law) << ": " << worst);
    }
}

TEST_CASE("a user's cell with a gate is its own subcircuit in the deck of a layer's circuit") {
    const CellLaw law = test::user_law(
        ".subckt mine te be g x=0\nr1 te m {1e6/1000^x}\nm1 m g be be sw w=1e-6 l=1e-6\n"
        ".model sw nmos level=1 vto=0.4 kp=5e-3 gamma=0 phi=0.6 is=0\n.ends mine\n",
        1.2);
    const Circuit circuit = layer_circuit(layer_of({}), {std::nullopt, law});
    const double worst =
        test::disagreement(circuit, solve_circuit(circuit), write_circuit_deck(circuit, "layer"),
                           DeckForm::flat, sums_of({}));
    CHECK(worst <= nonlinear);  // its table is within 1e-7 of the current at the read voltage
    MESSAGE("a gate in the cell: " << worst);
}

TEST_CASE("a layer's circuit refuses what its deck refuses") {
    auto tiles = layer_of({});
    tiles[1].inputs(0) += 0.01;
    CHECK_THROWS_WITH_AS((void)layer_circuit(tiles), doctest::Contains("disagree about input"),
                         InvalidInput);
    CHECK_THROWS_AS((void)layer_circuit({}), InvalidInput);
    const Tile tile = layer_of({})[0].tile;
    TileCircuitSettings how;
    how.output = 2;
    CHECK_THROWS_WITH_AS((void)tile_circuit(tile, example_inputs, how),
                         doctest::Contains("output 2"), InvalidInput);
    Circuit circuit;
    CHECK_THROWS_WITH_AS(add_tile(circuit, tile, {"xt0_0", {"in"}, {"s"}}, {}),
                         doctest::Contains("1 nets of inputs"), InvalidInput);
}
