#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "circuit/error.hpp"
#include "circuit/names.hpp"
#include "circuit/read_point.hpp"
#include "netlists/detail/array_section.hpp"
#include "netlists/detail/deck_text.hpp"
#include "netlists/detail/layer_sections.hpp"
#include "netlists/detail/readout_section.hpp"
#include "netlists/detail/subcircuits.hpp"

namespace kirchnet {
namespace detail {
namespace {

/// Terms that add to an output channel: factor, and vector of a tile.
using Terms = std::map<Index, std::vector<std::pair<double, std::string>>>;

template <typename Vector>
Terms terms_of(const std::vector<LayerTile>& tiles, const Vector& vector) {
    Terms terms;
    for (const LayerTile& part : tiles)
        for (Index j = 0; j < part.tile.outputs(); ++j)
            terms[part.tile.block().first_output_channel + j].emplace_back(layer_factor(part.tile),
                                                                           vector(part.tile, j));
    return terms;
}

std::string sum_lines(const Terms& terms) {
    std::string text = "* ---- sums over tiles, which a chip forms digitally ----\n";
    for (const auto& [channel, parts] : terms) {
        text += fmt::format("b{0} {0} 0 v = ", layer_sum_net(channel));
        for (std::size_t i = 0; i < parts.size(); ++i)
            text += fmt::format("{}{}{}", i == 0 ? "" : " + ",
                                parts[i].first == 1 ? "" : fmt::format("{:g}*", parts[i].first),
                                parts[i].second);
        text += "\n";
    }
    return text;
}

std::string ammeter_of(const Tile& tile, Index output, Polarity side) {
    const TileColumn column = tile.column(output, side);
    return ammeter_name(tile.arrays()[column.array].pattern(), column.bit_line);
}

}  // namespace

std::string flat_layer_sums(const std::vector<LayerTile>& tiles) {
    return sum_lines(terms_of(tiles, [](const Tile& tile, Index j) {
        const std::string suffix = fmt::format("_{}", tile_label(tile));
        std::string text = fmt::format("i({}{})", ammeter_of(tile, j, Polarity::a), suffix);
        if (tile.has_pairs())
            text = fmt::format("({}-i({}{}))", text, ammeter_of(tile, j, Polarity::b), suffix);
        return text;
    }));
}

std::string layer_control(const std::vector<LayerTile>& tiles, const std::string& solved_net) {
    std::string text =
        ".control\nset numdgt=12\nop\necho \"sums of the layer's outputs over its tiles\"\n";
    std::map<Index, bool> channels;
    for (const LayerTile& part : tiles)
        for (Index j = 0; j < part.tile.outputs(); ++j)
            channels[part.tile.block().first_output_channel + j] = true;
    for (const auto& entry : channels)
        text += fmt::format("print v({})\n", layer_sum_net(entry.first));
    return text + control_end(solved_net);
}

}  // namespace detail

namespace {

using detail::comment;
using detail::number;

/// Pins of a tile's subcircuit: word lines of each array, then outputs.
std::vector<std::string> pins_of(const Tile& tile) {
    std::vector<std::string> pins;
    for (const Crossbar& array : tile.arrays())
        for (Index r = 0; r < array.shape().word_lines; ++r)
            pins.push_back(input_node(array.pattern(), r));
    for (Index j = 0; j < tile.outputs(); ++j) pins.push_back(fmt::format("sub_{}", j));
    return pins;
}

/// What they hang on in the layer; word lines of no input are at 0 V.
std::vector<std::string> nets_of(const Tile& tile) {
    std::vector<std::string> nets;
    for (const Crossbar& array : tile.arrays())
        for (Index r = 0; r < array.shape().word_lines; ++r)
            nets.push_back(layer_input_net(tile, r));
    for (Index j = 0; j < tile.outputs(); ++j) nets.push_back(layer_output_net(tile, j));
    return nets;
}

/// A few words to a line, so that a deck stays readable.
std::string wrapped(std::string first, const std::vector<std::string>& words) {
    constexpr std::size_t most_per_line = 12;
    for (std::size_t i = 0; i < words.size(); ++i)
        first += (i > 0 && i % most_per_line == 0 ? "\n+ " : " ") + words[i];
    return first;
}

/// What a read-out without subtractors lacks: an output pin.
std::string pin_lines(const Tile& tile, Readout readout) {
    if (tile.has_subtractors()) return {};
    std::string text = "* ---- outputs ----\n";
    for (Index j = 0; j < tile.outputs(); ++j) {
        const auto vector = [&](Polarity side) {
            const TileColumn column = tile.column(j, side);
            const auto pattern = tile.arrays()[column.array].pattern();
            return readout == Readout::ideal
                       ? fmt::format("i({})", detail::ammeter_name(pattern, column.bit_line))
                       : fmt::format("v(tia_{}_{})", to_char(polarity_of(pattern, column.bit_line)),
                                     column.bit_line);
        };
        text += fmt::format("bsub_{0} sub_{0} 0 v = {1}{2}\n", j, vector(Polarity::a),
                            tile.has_pairs() ? fmt::format("-{}", vector(Polarity::b)) : "");
    }
    return text;
}

/// @param readout  with R_f set, where there are amplifiers
std::string tile_subcircuit(const LayerTile& part, const std::optional<LinearReadout>& readout,
                            const detail::CellText& cell) {
    const Tile& tile = part.tile;
    const std::string name = fmt::format("tile_{}", tile_label(tile).substr(1));
    std::optional<detail::DeckAmplifiers> drawn;
    if (readout) drawn = detail::deck_amplifiers(tile, part.inputs, *readout);
    std::string text = wrapped(".subckt " + name, pins_of(tile)) + "\n";
    for (std::size_t i = 0; i < tile.arrays().size(); ++i)
        text += detail::array_section(tile, i, expand(tile.arrays()[i]), part.inputs, cell,
                                      {std::nullopt, false});
    text += detail::readout_section(tile, drawn ? &*drawn : nullptr, {});
    return text + pin_lines(tile, readout ? Readout::opamp : Readout::ideal) + ".ends " + name +
           "\n";
}

std::string source_lines(const std::vector<LayerTile>& tiles) {
    std::string text = "* ---- inputs of the layer, shared by its tiles ----\n";
    std::map<std::string, bool> written;
    for (const LayerTile& part : tiles)
        for (Index r = 0; r < part.tile.rows(); ++r) {
            const std::string net = layer_input_net(part.tile, r);
            if (written.try_emplace(net, true).second)
                text += fmt::format("v_{0} {0} 0 dc {1}\n", net, number(part.inputs(r)));
        }
    return text;
}

/// One R_f for the layer: the smallest any tile asks for. Nothing: an ideal read-out.
std::optional<LinearReadout> shared_readout(const std::vector<LayerTile>& tiles,
                                            const TileDeckSettings& settings) {
    if (settings.readout == Readout::ideal) return std::nullopt;
    LinearReadout readout = settings.amplifiers;
    readout.circuit.feedback_resistance = shared_feedback(tiles, readout.circuit);
    return readout;
}

std::string layer_header(const std::vector<LayerTile>& tiles, const TileDeckSettings& settings) {
    const Tile& first = tiles.front().tile;
    std::string text = comment(fmt::format("kirchnet layer {}: {} tile{}", first.block().layer,
                                           tiles.size(), tiles.size() == 1 ? "" : "s"));
    text += comment(fmt::format("mapping   {}", to_string(first.settings().mapping)));
    text +=
        comment("inputs    " + (settings.input_comment.empty() ? "given" : settings.input_comment));
    text += comment("faults    " + settings.fault_comment);
    if (!settings.law.is_linear())
        text += comment(fmt::format("law       {}, g at {} V", to_string(settings.law),
                                    number(settings.read_voltage)));
    if (const AccessResistance& access = first.settings().access; access.is_there())
        text += comment(fmt::format(
            "access    {} ohm in series with each memory element, {}", number(access.resistance),
            access.precompensate ? "made up for: cells show g" : "which conducts g by itself"));
    text += comment(
        "names     xt0_1 is tile row 0, column 1; within it as in its own deck: "
        "xt0_1.xc_a_3_7");
    text += comment("          x_IC_KY_KX inputs, s_t0_1_J output J of a tile, y_OC their sum");
    return text + comment(settings.readout == Readout::ideal
                              ? "outputs   1 V stands for 1 A of i_a - i_b"
                              : "outputs   [V] of the subtractors");
}

bool has_varied_cells(const std::vector<LayerTile>& tiles) {
    return std::any_of(tiles.begin(), tiles.end(), [](const LayerTile& part) {
        const auto& arrays = part.tile.arrays();
        return std::any_of(arrays.begin(), arrays.end(), [](const Crossbar& array) {
            return (array.faults().array() == Fault::none &&
                    array.conductance().array() != array.intended_conductance().array())
                .any();
        });
    });
}

std::string layer_parameters(const LayerTile& first, const std::optional<LinearReadout>& readout,
                             const detail::CellText& cell) {
    const DeviceRange& device = first.tile.settings().device;
    std::string text = "* ---- numbers to play with ----\n";
    text += fmt::format(".param gmin_c={} gmax_c={} ; cell conductance at HRS and LRS [S]\n",
                        number(device.off), number(device.on));
    if (cell.has_select())
        text += fmt::format(".param v_select={} ; select lines, which open access devices [V]\n",
                            number(cell.select_voltage));
    text += detail::wire_parameters(first.tile.settings().wires);
    if (readout)
        text += detail::amplifier_parameters(
            first.tile, detail::deck_amplifiers(first.tile, first.inputs, *readout));
    return text + std::string(detail::options_line());
}

}  // namespace

std::string write_layer_deck(const std::vector<LayerTile>& tiles,
                             const TileDeckSettings& settings) {
    check_layer(tiles);
    if (settings.reference_shares.size() > 0)
        throw InvalidInput("reference shares", "are of one tile; a layer's deck takes none");
    const LayerTile& first = tiles.front();
    const auto readout = shared_readout(tiles, settings);
    for (const LayerTile& part : tiles)
        for (const Crossbar& array : part.tile.arrays())  // names cells the law cannot be
            (void)exact_at(array, settings.law, settings.read_voltage);
    const detail::CellText cell =
        detail::cell_text(settings.law, settings.read_voltage, first.tile.settings().access);
    std::string deck = layer_header(tiles, settings) + layer_parameters(first, readout, cell);
    std::set<Fault> faults;
    for (const LayerTile& part : tiles) faults.merge(part.tile.faults());
    deck += detail::cell_subcircuits(cell, first.tile.settings().device, has_varied_cells(tiles),
                                     faults);
    if (readout)
        deck += detail::amplifier_subcircuits(readout->circuit, first.tile.has_subtractors());
    for (const LayerTile& part : tiles) deck += tile_subcircuit(part, readout, cell);
    deck += source_lines(tiles) + "* ---- the tiles ----\n";
    for (const LayerTile& part : tiles) {
        const std::string label = tile_label(part.tile);
        deck += wrapped(fmt::format("x{}", label), nets_of(part.tile)) +
                fmt::format(" tile_{}\n", label.substr(1));
    }
    const auto channel_vector = [](const Tile& tile, Index j) {
        return fmt::format("v({})", layer_output_net(tile, j));
    };
    deck += detail::sum_lines(detail::terms_of(tiles, channel_vector));
    return deck + detail::layer_control(tiles, layer_input_net(tiles.front().tile, 0)) + ".end\n";
}

}  // namespace kirchnet
