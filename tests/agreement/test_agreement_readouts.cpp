// Tiles with their whole read-out: the general circuit, solved here, against the readable deck, run
// by ngspice. Both start from the same tile and the same drawn amplifiers, and nothing else.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "circuit/tile_circuit.hpp"
#include "netlists/circuit_deck.hpp"
#include "netlists/netlist_writer.hpp"
#include "solver/circuit_solver.hpp"
#include "tests/agreement/deck_agreement.hpp"
#include "tests/agreement/nonlinear_laws.hpp"
#include "tests/netlists/example_tile.hpp"

using namespace kirchnet;
using namespace kirchnet_test;
using test::disagreement;

namespace {

struct ReadoutCase {
    Mapping mapping = Mapping::differential;
    Layout layout = Layout::split;
    LinearReadout readout = {};
    std::optional<FaultMap> faults = {};
    CellLaw law = {};
    AccessResistance access = {};
    bool is_ideal = false;  ///< ammeters instead of amplifiers
    Subtraction subtraction = Subtraction::before;
};

TileSettings settings_of(const ReadoutCase& which) {
    TileSettings settings = example_settings(which.mapping, which.layout);
    settings.wires = Wires{40.0, 25.0, 100.0, 15.0, true};
    settings.access = which.access;
    settings.subtraction = which.subtraction;
    return settings;
}

Tile tile_of(const ReadoutCase& which) {
    std::optional<FaultSource> faults;
    if (which.faults) faults = *which.faults;
    return Tile(example_block(), settings_of(which), faults);
}

/// Both decks of the circuit against its solution here.
double check_case(const ReadoutCase& which, double tolerance) {
    const Tile tile = tile_of(which);
    TileCircuitSettings how{.law = which.law};
    if (!which.is_ideal)
        how.amplifiers =
            draw_amplifiers(tile, which.readout, which.readout.circuit.feedback_resistance);
    const Circuit circuit = tile_circuit(tile, example_inputs, how);
    const CircuitSolution solution = solve_circuit(circuit);
    TileDeckSettings deck;
    deck.readout = which.is_ideal ? Readout::ideal : Readout::opamp;
    deck.amplifiers = which.readout;
    deck.law = which.law;
    const double readable =
        disagreement(circuit, solution, write_tile_deck(tile, example_inputs, deck));
    const double flat =
        disagreement(circuit, solution, write_circuit_deck(circuit, "flat"), test::DeckForm::flat);
    CHECK(readable <= tolerance);
    if (!which.is_ideal &&
        which.readout.circuit.feedback_resistance > 1e4) {  // meant to be in overload
        double largest = 0;
        for (CircuitNet net = 1; net < circuit.nets(); ++net)
            if (circuit.net_name(net).starts_with("tia_"))
                largest =
                    std::max(largest, std::abs(solution.voltage[static_cast<std::size_t>(net)]));
        CHECK(largest > 0.9 * which.readout.circuit.amplifier.swing);
    }
    CHECK(flat <= tolerance);
    return std::max(readable, flat);
}

/// R_f such that columns stay within their swing, or go far beyond it.
LinearReadout readout_of(SubtractorKind kind, SwingLimit limit, bool in_overload) {
    LinearReadout readout;
    readout.circuit.kind = kind;
    readout.circuit.amplifier.limit = limit;
    readout.circuit.amplifier.gain = 2e3;
    readout.circuit.amplifier.offset = 1e-3;
    readout.circuit.feedback_resistance = in_overload ? 2e5 : 1e3;
    return readout;
}

FaultMap example_faults() {
    FaultMap faults;
    const std::string layer = example_block().layer;
    faults.set(layer, CellAddress{64, 5, 0, 0, 0, Polarity::a}, Fault::stuck_on);
    faults.set(layer, CellAddress{65, 5, 0, 1, 0, Polarity::a}, Fault::stuck_off);
    faults.set(layer, CellAddress{65, 6, 2, 0, 0, Polarity::a}, Fault::open);
    return faults;
}

struct NamedFaults {
    std::string name;
    FaultMap map;
};

/// A map for every kind of fault of cells and of wires, each in array a.
std::vector<NamedFaults> every_fault() {
    std::vector<NamedFaults> list;
    const WeightBlock block = example_block();
    for (const Fault fault : all_faults) {
        NamedFaults& faults = list.emplace_back(NamedFaults{std::string(to_string(fault)), {}});
        const double stuck_at = fault == Fault::stuck_at ? 2.3e-5 : 0;
        faults.map.set(block.layer, CellAddress{64, 5, 0, 0, 0, Polarity::a}, {fault, stuck_at});
        faults.map.set(block.layer, CellAddress{65, 6, 2, 0, 0, Polarity::a}, {fault, stuck_at});
    }
    const ArrayPlace place{static_cast<std::int32_t>(block.tile_row),
                           static_cast<std::int32_t>(block.tile_column), block.slice, Polarity::a};
    for (const LineDefect defect : all_line_defects) {
        NamedFaults& faults = list.emplace_back(NamedFaults{std::string(to_string(defect)), {}});
        faults.map.add(block.layer, {place, defect, 1, 0, is_bridge(defect) ? 30.0 : 0.0});
        faults.map.add(block.layer, {place, defect, 2, 1, is_bridge(defect) ? 300.0 : 0.0});
    }
    return list;
}

}  // namespace

TEST_CASE("read-outs agree with ngspice: subtractor x limit x overload, mappings and layouts") {
    for (const auto kind : {SubtractorKind::difference, SubtractorKind::current_mode})
        for (const auto limit : {SwingLimit::smooth, SwingLimit::hard})
            for (const bool in_overload : {false, true}) {
                double worst = 0;
                for (const auto mapping :
                     {Mapping::two_column, Mapping::offset, Mapping::differential})
                    for (const auto layout : {Layout::split, Layout::interleaved}) {
                        CAPTURE(to_string(kind));
                        CAPTURE(to_string(limit));
                        CAPTURE(in_overload);
                        CAPTURE(to_string(mapping));
                        CAPTURE(to_string(layout));
                        // 1e-6 is the project's agreement of nonlinear circuits.
                        worst = std::max(worst, check_case({mapping, layout,
                                                            readout_of(kind, limit, in_overload)},
                                                           1e-6));
                    }
                MESSAGE(to_string(kind)
                        << ", " << to_string(limit) << std::string(in_overload ? ", overload" : "")
                        << ": " << worst);
            }
}

TEST_CASE("read-outs of faulty tiles whose amplifiers all differ agree with ngspice") {
    for (const auto kind : {SubtractorKind::difference, SubtractorKind::current_mode}) {
        LinearReadout readout = readout_of(kind, SwingLimit::smooth, false);
        readout.offset_deviation = 2e-3;
        readout.feedback_mismatch = 0.02;
        readout.mismatch = 0.02;
        const double worst =
            check_case({Mapping::two_column, Layout::interleaved, readout, example_faults()}, 1e-6);
        MESSAGE(to_string(kind) << ", faults and amplifiers that differ: " << worst);
    }
}

TEST_CASE("every kind of fault agrees with ngspice under every law of cells and every read-out") {
    const auto readouts = [](const ReadoutCase& common) {
        std::vector<ReadoutCase> cases{common};
        cases.back().is_ideal = true;
        for (const auto kind : {SubtractorKind::difference, SubtractorKind::current_mode})
            for (const auto limit : {SwingLimit::smooth, SwingLimit::hard}) {
                cases.push_back(common);
                cases.back().readout = readout_of(kind, limit, false);
            }
        return cases;
    };
    std::vector<CellLaw> laws = test::nonlinear_laws();
    laws.insert(laws.begin(), CellLaw());
    for (const CellLaw& law : laws)
        for (const NamedFaults& faults : every_fault()) {
            const bool is_shorted = faults.name == to_string(Fault::shorted_transistor);
            if (is_shorted && !law.is_linear()) continue;  // refused, see test_line_faults
            ReadoutCase common{Mapping::differential, Layout::interleaved, {}, faults.map, law};
            if (is_shorted) common.access.resistance = 2e3;
            double worst = 0;
            for (const ReadoutCase& which : readouts(common)) {
                CAPTURE(to_string(law));
                CAPTURE(faults.name);
                CAPTURE(which.is_ideal);
                CAPTURE(to_string(which.readout.circuit.kind));
                CAPTURE(to_string(which.readout.circuit.amplifier.limit));
                worst = std::max(worst, check_case(which, 1e-6));
            }
            MESSAGE(to_string(law) << ", " << faults.name << ": " << worst);
        }
}

TEST_CASE("read-outs of nonlinear cells, stuck and open ones among them, agree with ngspice") {
    // 1T1R with gates at 1.5 V above ground, whatever bit lines do: the same circuit twice.
    for (const CellLaw& law : test::nonlinear_laws())
        for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
            for (const bool in_overload : {false, true}) {
                CAPTURE(to_string(law));
                CAPTURE(to_string(mapping));
                CAPTURE(in_overload);
                const double worst = check_case(
                    {mapping, Layout::split,
                     readout_of(SubtractorKind::difference, SwingLimit::smooth, in_overload),
                     example_faults(), law},
                    1e-6);
                MESSAGE(to_string(law)
                        << ", " << to_string(mapping)
                        << std::string(in_overload ? ", overload: " : ": ") << worst);
            }
}

TEST_CASE("a user's cell with a gate is its own subcircuit in the deck of a tile's circuit") {
    const Tile tile = tile_of({});
    TileCircuitSettings how{
        .law = test::user_law(
            ".subckt mine te be g x=0\nr1 te m {1e6/1000^x}\nm1 m g be be sw w=1e-6 l=1e-6\n"
            ".model sw nmos level=1 vto=0.4 kp=5e-3 gamma=0 phi=0.6 is=0\n.ends mine\n",
            1.2)};
    const Circuit circuit = tile_circuit(tile, example_inputs, how);
    const std::string deck = write_circuit_deck(circuit, "flat");
    CHECK(deck.find(".subckt mine te be g") != std::string::npos);
    CHECK_THROWS_WITH_AS((void)tile_circuit(tile, 3 * example_inputs, how),
                         doctest::Contains("known up to 0.4 V"), InvalidInput);
    // Within the error of its table, 1e-7 of the current at the read voltage.
    CHECK(disagreement(circuit, solve_circuit(circuit), deck, test::DeckForm::flat) <= 1e-6);
}

TEST_CASE("held samples and codes are those of ngspice") {
    LinearReadout readout = readout_of(SubtractorKind::difference, SwingLimit::smooth, false);
    readout.circuit.hold = {
        .capacitance = 1e-14, .pedestal = 3e-3, .hold_time = 1e-8, .droop_time = 1e-7};
    // +- 0.2 V behind the amplifiers
    readout.circuit.adc.adc = {{.bits = 6, .range = 0.2 / readout.circuit.feedback_resistance}};
    readout.circuit.adc.errors = {
        .offset = 0.15, .gain = 1.02, .inl = {0, 1.3, -0.8, 0.4}, .noise = 0.8};
    check_case({Mapping::differential, Layout::split, readout}, 1e-6);
    readout.circuit.adc.errors.offset_deviation = 1.5;
    readout.circuit.adc.errors.gain_deviation = 0.1;
    readout.circuit.adc.columns_per_adc = 2;
    check_case({Mapping::offset, Layout::split, readout}, 1e-6);
    readout.circuit.kind = SubtractorKind::current_mode;
    check_case({Mapping::two_column, Layout::interleaved, readout}, 1e-6);
    ReadoutCase apart{Mapping::two_column, Layout::split, readout};
    apart.subtraction = Subtraction::after;
    check_case(apart, 1e-6);
}

TEST_CASE("a tile's circuit with an ideal read-out is the one ngspice solves, reference included") {
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential}) {
        TileSettings settings = settings_of({mapping, Layout::split});
        settings.array.bit_lines += 1;
        settings.reference_column = true;
        const Tile tile(example_block(), settings);
        TileCircuitSettings how;
        how.reference_shares =
            Eigen::MatrixXd::Constant(2, static_cast<Index>(tile.arrays().size()), 0.25);
        TileDeckSettings deck;
        deck.reference_shares = how.reference_shares;
        const Circuit circuit = tile_circuit(tile, example_inputs, how);
        // Linear: 1e-9.
        CHECK(disagreement(circuit, solve_circuit(circuit),
                           write_tile_deck(tile, example_inputs, deck)) <= 1e-9);
    }
}
