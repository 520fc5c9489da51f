#include "circuit/layer_circuit.hpp"

#include <fmt/format.h>

#include <set>
#include <string>

#include "circuit/tile_amplifiers.hpp"
#include "circuit/tile_circuit.hpp"

namespace kirchnet {
namespace {

TileInstance instance_of(const Tile& tile) {
    TileInstance instance{fmt::format("x{}", tile_label(tile)), {}, {}};
    for (Index r = 0; r < tile.rows(); ++r) instance.input_nets.push_back(layer_input_net(tile, r));
    for (Index j = 0; j < tile.outputs(); ++j)
        instance.output_nets.push_back(layer_output_net(tile, j));
    return instance;
}

void add_sources(Circuit& circuit, const std::vector<LayerTile>& tiles) {
    std::set<std::string> driven;
    for (const LayerTile& part : tiles)
        for (Index r = 0; r < part.tile.rows(); ++r) {
            const std::string net = layer_input_net(part.tile, r);
            if (driven.insert(net).second)
                circuit.add("v_" + net, {net, "0"},
                            VoltageSource{Waveform::constant(part.inputs(r))});
        }
}

void add_sums(Circuit& circuit, const std::vector<LayerTile>& tiles) {
    std::set<std::string> sums;
    for (const LayerTile& part : tiles)
        for (Index j = 0; j < part.tile.outputs(); ++j) {
            const std::string sum = layer_sum_net(part.tile.block().first_output_channel + j);
            if (sums.insert(sum).second) circuit.add("b" + sum, {sum, "0"}, Resistor{1});
            circuit.add(fmt::format("b{}.{}", sum, tile_label(part.tile)),
                        {"0", sum, layer_output_net(part.tile, j), "0"},
                        VoltageControlledCurrentSource{layer_factor(part.tile)});
        }
}

}  // namespace

Circuit layer_circuit(const std::vector<LayerTile>& tiles, const LayerCircuitSettings& settings) {
    check_layer(tiles);
    TileCircuitSettings how{.law = settings.law, .read_voltage = settings.read_voltage};
    double feedback = 0;
    if (settings.readout) feedback = shared_feedback(tiles, settings.readout->circuit);
    Circuit circuit;
    add_sources(circuit, tiles);
    for (const LayerTile& part : tiles) {
        check_read_voltages(part.tile, part.inputs, settings.law);
        if (settings.readout)
            how.amplifiers = draw_amplifiers(part.tile, *settings.readout, feedback);
        add_tile(circuit, part.tile, instance_of(part.tile), how);
    }
    add_sums(circuit, tiles);
    return circuit;
}

}  // namespace kirchnet
