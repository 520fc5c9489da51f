#include "tools/readout_check.hpp"

#include <algorithm>
#include <cmath>

#include "circuit/characterised_cell.hpp"
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

/// Whether a law's own gates stand above the bit line, while those of the readable deck do not.
bool has_gate_in_table(const CellLaw& law) {
    const SurfaceLaw* surface = surface_of(law);
    return surface != nullptr && !surface->surface().cell.gate_pin.empty();
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

}  // namespace

AgreementRecord check_readout(const std::string& name, const Tile& tile,
                              const Eigen::VectorXd& inputs, LinearReadout readout,
                              const CellLaw& law, double time_limit) {
    readout.circuit.adc = {};
    TileCircuitSettings how{.law = law, .read_voltage = readout.read_voltage};
    how.amplifiers = draw_amplifiers(tile, readout, readout.circuit.feedback_resistance);
    const Circuit circuit = tile_circuit(tile, inputs, how);
    const CircuitSolution solution = solve_circuit(circuit);
    std::vector<std::string> nets;
    std::vector<std::string> ammeters;
    for (CircuitNet net = 1; net < circuit.nets(); ++net)
        if (!is_inner_node(circuit.net_name(net))) nets.push_back(circuit.net_name(net));
    for (const CircuitDevice& device : circuit.devices())
        if (device.name.starts_with("vs_")) ammeters.push_back(device.name);
    std::vector<std::string> wanted = nets;
    for (const std::string& ammeter : ammeters) wanted.push_back(ammeter + "#branch");
    TileDeckSettings deck;
    deck.readout = Readout::opamp;
    deck.amplifiers = readout;
    deck.law = law;
    deck.read_voltage = readout.read_voltage;
    NgspiceSettings settings;
    settings.time_limit_s = time_limit;
    const std::string text = has_gate_in_table(law) ? write_circuit_deck(circuit, name)
                                                    : write_tile_deck(tile, inputs, deck);
    const auto found = run_operating_point(text, wanted, settings);

    QuantityComparison voltages;
    QuantityComparison currents;
    for (const std::string& net : nets)
        voltages.add(net, voltage_of(circuit, solution, net), found.at(net));
    for (const std::string& ammeter : ammeters)
        currents.add(ammeter, current_of(circuit, solution, ammeter),
                     found.at(ammeter + "#branch"));
    const std::size_t voltage = voltages.worst();
    const std::size_t current = currents.worst();
    const bool is_voltage = !(voltages.relative(voltage) <= currents.relative(current));
    AgreementRecord record;
    record.circuit = name;
    record.reference = whole_circuit;
    record.engine = "ngspice";
    record.word_lines = static_cast<std::size_t>(tile.arrays().front().shape().word_lines);
    record.bit_lines = static_cast<std::size_t>(tile.arrays().front().shape().bit_lines);
    for (std::size_t i = 0; i < ammeters.size(); ++i)
        record.current_difference.push_back(currents.relative(i));
    record.worst = is_voltage ? voltages.relative(voltage) : currents.relative(current);
    record.worst_column = is_voltage ? voltages.names[voltage] : currents.names[current];
    record.worst_voltage = voltages.differences[voltage];
    record.worst_node = voltages.names[voltage];
    return record;
}

double expected_readout_seconds(const Tile& tile) {
    // The arrays meet in subtractors alone, so reordering costs each its own.
    double seconds = 0;
    for (const Crossbar& array : tile.arrays()) seconds += expected_ngspice_seconds(array.shape());
    return seconds;
}

}  // namespace kirchnet
