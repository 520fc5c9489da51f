#include "tools/checks/circuit_check.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "circuit/characterised_cell.hpp"
#include "circuit/layer_circuit.hpp"
#include "circuit/tile_circuit.hpp"
#include "netlists/circuit_deck.hpp"
#include "netlists/netlist_writer.hpp"
#include "netlists/ngspice_session.hpp"
#include "netlists/ngspice_solver.hpp"
#include "solver/circuit_solver.hpp"

namespace kirchnet {
namespace {

/// Of an amplifier; those of cells say something.
bool is_inner_node(const std::string& net) {
    return net.ends_with(".xop.x");
}

/// One kind of quantity, compared name by name.
struct QuantityComparison {
    std::vector<std::string> names;
    std::vector<double> differences;
    double largest = 0;

    void add(const std::string& name, double here, double there) {
        names.push_back(name);
        differences.push_back(std::abs(here - there));
        largest = std::max(largest, std::abs(there));
    }
    /// Place of the largest difference; a difference that is no number is the largest.
    [[nodiscard]] std::size_t worst() const {
        std::size_t place = 0;
        for (std::size_t i = 1; i < differences.size(); ++i)
            if (!(differences[i] <= differences[place])) place = i;
        return place;
    }
    [[nodiscard]] double relative(std::size_t place) const {
        return differences[place] == 0 ? 0 : differences[place] / largest;
    }
};

struct Comparison {
    QuantityComparison voltages;
    QuantityComparison currents;
    QuantityComparison outputs;  ///< sums over tiles; of an ideal read-out whatever stands for
                                 ///< currents
};

Circuit general_circuit(const WholeCircuit& whole) {
    if (whole.is_layer)
        return layer_circuit(whole.tiles, {whole.readout, whole.law, whole.read_voltage});
    const LayerTile& part = whole.tiles.front();
    TileCircuitSettings how{.law = whole.law, .read_voltage = whole.read_voltage};
    how.output = whole.output;
    if (whole.readout)
        how.amplifiers =
            draw_amplifiers(part.tile, *whole.readout, whole.readout->circuit.feedback_resistance);
    return tile_circuit(part.tile, part.inputs, how);
}

std::string readable_deck(const WholeCircuit& whole) {
    TileDeckSettings deck;
    deck.readout = whole.readout ? Readout::opamp : Readout::ideal;
    if (whole.readout) deck.amplifiers = *whole.readout;
    deck.law = whole.law;
    deck.read_voltage = whole.read_voltage;
    deck.output = whole.output;
    const LayerTile& first = whole.tiles.front();
    return whole.is_layer ? write_layer_deck(whole.tiles, deck)
                          : write_tile_deck(first.tile, first.inputs, deck);
}

/// The last part of an unfolded name: `vs_a_3` of `xt0_1.vs_a_3`.
std::string_view own_name(std::string_view name) {
    return name.substr(name.find_last_of('.') + 1);
}

/// Ammeters, by device, and the vectors of their currents in the deck.
std::map<std::string, std::string> ammeters_of(const Circuit& circuit, bool is_own_deck) {
    std::map<std::string, std::string> ammeters;
    for (const CircuitDevice& device : circuit.devices())
        if (own_name(device.name).starts_with("vs_"))
            ammeters[device.name] =
                is_own_deck ? deck_current(device) : readable_current(device.name);
    return ammeters;
}

std::vector<std::string> nets_of(const Circuit& circuit) {
    std::vector<std::string> nets;
    for (CircuitNet net = 1; net < circuit.nets(); ++net)
        if (!is_inner_node(circuit.net_name(net))) nets.push_back(circuit.net_name(net));
    return nets;
}

bool is_output(const std::string& net, bool is_ideal) {
    return net.starts_with("y_") ||
           (is_ideal && (net.starts_with("sub_") || net.starts_with("s_t")));
}

Comparison compare(const WholeCircuit& whole, const Circuit& circuit, double time_limit) {
    const CircuitSolution solution = solve_circuit(circuit);
    const bool is_own_deck = has_gate_in_table(whole.law);
    const auto ammeters = ammeters_of(circuit, is_own_deck);
    const auto nets = nets_of(circuit);
    std::vector<std::string> wanted = nets;
    for (const auto& [device, vector] : ammeters) wanted.push_back(vector);
    NgspiceSettings settings;
    settings.time_limit_s = time_limit;
    const auto found = run_operating_point(
        is_own_deck ? write_circuit_deck(circuit, whole.name) : readable_deck(whole), wanted,
        settings);
    Comparison comparison;
    for (const std::string& net : nets)
        (is_output(net, !whole.readout) ? comparison.outputs : comparison.voltages)
            .add(net, voltage_of(circuit, solution, net), found.at(net));
    for (const auto& [device, vector] : ammeters)
        comparison.currents.add(device, current_of(circuit, solution, device), found.at(vector));
    return comparison;
}

AgreementRecord record_of(const WholeCircuit& whole, const Comparison& comparison) {
    const ArrayShape shape = whole.tiles.front().tile.arrays().front().shape();
    AgreementRecord record;
    record.circuit = whole.name;
    record.reference = whole_circuit;
    record.engine = "ngspice";
    record.word_lines = static_cast<std::size_t>(shape.word_lines);
    record.bit_lines = static_cast<std::size_t>(shape.bit_lines);
    for (std::size_t i = 0; i < comparison.currents.names.size(); ++i)
        record.current_difference.push_back(comparison.currents.relative(i));
    for (const QuantityComparison* quantity :
         {&comparison.voltages, &comparison.currents, &comparison.outputs}) {
        if (quantity->names.empty()) continue;
        const std::size_t place = quantity->worst();
        if (!record.worst_column.empty() && quantity->relative(place) <= record.worst) continue;
        record.worst = quantity->relative(place);
        record.worst_column = quantity->names[place];
    }
    const std::size_t voltage = comparison.voltages.worst();
    record.worst_voltage = comparison.voltages.differences[voltage];
    record.worst_node = comparison.voltages.names[voltage];
    return record;
}

}  // namespace

bool has_gate_in_table(const CellLaw& law) {
    const SurfaceLaw* surface = surface_of(law);
    return surface != nullptr && !surface->surface().cell.gate_pin.empty();
}

Index cells_of(const WholeCircuit& whole) {
    Index cells = 0;
    for (const LayerTile& part : whole.tiles)
        for (const Crossbar& array : part.tile.arrays()) cells += array.shape().cells();
    return cells;
}

double expected_seconds(const WholeCircuit& whole) {
    // One bit line joins the word lines, so nothing fills in: 1 s for a pair of 128 x 128.
    constexpr double column_seconds_per_cell = 3e-5;
    if (whole.output) return column_seconds_per_cell * static_cast<double>(cells_of(whole));
    // The arrays meet in subtractors and sums alone, so reordering costs each its own.
    double seconds = 0;
    for (const LayerTile& part : whole.tiles)
        for (const Crossbar& array : part.tile.arrays())
            seconds += expected_ngspice_seconds(array.shape());
    if (!whole.is_layer) return seconds;
    // Grows with the square of the circuit. Measured, of 18, 36 and 392 pairs of 16 x 16: 0.8, 2
    // and 52 s; with amplifiers 2.5 s, 9 s and more than 400 s.
    constexpr double per_cell_squared = 9e-10;
    constexpr double with_amplifiers = 2.7e-8;
    const auto cells = static_cast<double>(cells_of(whole));
    return seconds + (whole.readout ? with_amplifiers : per_cell_squared) * cells * cells;
}

CircuitAgreement check_circuit(const WholeCircuit& given, double time_limit) {
    constexpr double linear = 1e-9;
    constexpr double nonlinear = 1e-6;
    WholeCircuit whole = given;
    if (whole.readout) whole.readout->circuit.adc = {};
    const Circuit circuit = general_circuit(whole);
    return {record_of(whole, compare(whole, circuit, time_limit)),
            circuit.is_linear() ? linear : nonlinear};
}

}  // namespace kirchnet
