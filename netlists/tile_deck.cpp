#include <fmt/format.h>

#include "circuit/error.hpp"
#include "circuit/read_point.hpp"
#include "netlists/detail/array_section.hpp"
#include "netlists/detail/deck_text.hpp"
#include "netlists/detail/readout_section.hpp"
#include "netlists/detail/subcircuits.hpp"
#include "netlists/netlist_writer.hpp"

namespace kirchnet {
namespace {

using detail::comment;
using detail::number;

std::string describe_mapping(const Tile& tile) {
    const TileSettings& settings = tile.settings();
    if (settings.weight_bits == 0)
        return fmt::format("{}, continuous weights", to_string(settings.mapping));
    const int largest = largest_level(settings.weight_bits);
    std::string text =
        fmt::format("{}, {} bit weights, levels -{}..{}", to_string(settings.mapping),
                    settings.weight_bits, largest, largest);
    if (settings.bits_per_cell == 0) return text;
    return text + fmt::format("; slice {} of {}, digits 0..{} that count {} levels each",
                              tile.block().slice, slice_count(settings), tile.slice().levels,
                              std::int64_t{1} << tile.slice().shift);
}

std::string describe_layout(const Tile& tile) {
    if (!tile.has_pairs()) return "one array, one column per output (offset has no pairs)";
    if (tile.settings().layout == Layout::split)
        return "split: arrays a and b, each with its own drivers";
    return "interleaved: one array, bit lines a b a b";
}

std::string describe_readout(const Tile& tile, Readout readout, SubtractorKind kind) {
    if (readout == Readout::ideal)
        return tile.has_subtractors() ? "ideal: 0 V ammeters; v(sub_j) = i_a - i_b, 1 V per A"
                                      : "ideal: 0 V ammeters";
    if (!tile.has_subtractors()) return "opamp: a TIA per column, v = -rf i";
    return kind == SubtractorKind::difference
               ? "opamp: a TIA per column, v = -rf i; a difference amplifier per pair gives sub_j"
               : "opamp: a TIA per column a, which feeds the amplifier of its column b through rx: "
                 "sub_j = rf (i_a rf / rx - i_b)";
}

std::string describe_faults(const Tile& tile, const std::string& law) {
    Index faulty = 0;
    Index cells = 0;
    for (const Crossbar& array : tile.arrays()) {
        faulty += (array.faults().array() != Fault::none).count();
        cells += array.shape().cells();
    }
    std::size_t wires = 0;
    for (const auto& lines : tile.line_faults()) wires += lines.size();
    std::string count = fmt::format("{} of {} cells", faulty, cells);
    if (wires > 0) count += fmt::format(", {} defects of wires", wires);
    return law.empty() ? count : fmt::format("{}: {}", law, count);
}

/// Working cells that conduct something else than intended, by the device laws.
Index varied_cells(const Tile& tile) {
    Index varied = 0;
    for (const Crossbar& array : tile.arrays())
        varied += (array.faults().array() == Fault::none &&
                   array.conductance().array() !=
                       array.intended_conductance()
                           .unaryExpr([&](double g) { return tile.settings().access.cell_for(g); })
                           .array())
                      .count();
    return varied;
}

std::string header(const Tile& tile, const TileDeckSettings& settings) {
    const WeightBlock& block = tile.block();
    const TileSettings& how = tile.settings();
    const std::string input = settings.input_comment.empty() ? "given" : settings.input_comment;
    std::string text = comment(fmt::format("kirchnet tile {},{} of layer {}", block.tile_row,
                                           block.tile_column, block.layer));
    text += comment(
        fmt::format("weights   {} inputs x {} outputs, oc {}..{}{}", tile.rows(), tile.outputs(),
                    block.first_output_channel, block.first_output_channel + tile.outputs() - 1,
                    block.groups > 1 ? fmt::format(", {} groups on the diagonal", block.groups)
                                     : std::string()));
    text += comment("mapping   " + describe_mapping(tile));
    text += comment("layout    " + describe_layout(tile));
    text += comment(fmt::format("array     {}, unused part: {}",
                                to_string(tile.arrays().front().shape()), to_string(how.unused)));
    if (const auto reference = tile.reference_bit_line())
        text += comment(fmt::format(
            "reference bit line {} of each array: cells at LRS{}", *reference,
            settings.reference_shares.size() > 0 ? ", subtracted from sub_j by shares" : ""));
    text += comment("inputs    " + input);
    text += comment("faults    " + describe_faults(tile, settings.fault_comment));
    if (const Index varied = varied_cells(tile); varied > 0)
        text += comment(fmt::format(
            "devices   {}{} cells that work conduct other than intended",
            settings.device_comment.empty() ? "" : settings.device_comment + ": ", varied));
    if (!settings.law.is_linear())
        text += comment(fmt::format("law       {}, g at {} V", to_string(settings.law),
                                    number(settings.read_voltage)));
    if (how.access.is_there())
        text += comment(fmt::format(
            "access    {} ohm in series with each memory element, {}",
            number(how.access.resistance),
            how.access.precompensate ? "made up for: cells show g" : "which conducts g by itself"));
    text += comment("read-out  " +
                    describe_readout(tile, settings.readout, settings.amplifiers.circuit.kind));
    if (settings.output) {
        text +=
            comment(fmt::format("scope     output {} alone (oc={}): the other bit lines stand "
                                "at 0 V, their cells end in net 0",
                                *settings.output, block.first_output_channel + *settings.output));
        if (!settings.output_comment.empty())
            text += comment("          " + settings.output_comment);
    }
    text +=
        comment("names     word line r, bit line c: nodes wl_a_r_c and bl_a_r_c, cell xc_a_r_c");
    return text + comment(
                      "cells     place | weight address | weight and level | intended state | "
                      "fault");
}

void check_output(const Tile& tile, const TileDeckSettings& settings) {
    if (settings.output && (*settings.output < 0 || *settings.output >= tile.outputs()))
        throw InvalidInput(fmt::format("layer {} tile {},{}", tile.block().layer,
                                       tile.block().tile_row, tile.block().tile_column),
                           fmt::format("has no output {}; they are 0 to {}", *settings.output,
                                       tile.outputs() - 1));
    if (settings.output && settings.reference_shares.size() > 0)
        throw InvalidInput("reference shares",
                           "need the bit lines that a deck of one output drops");
}

std::string parameters(const Tile& tile, const detail::DeckAmplifiers* amplifiers,
                       const detail::CellText& cell) {
    const DeviceRange& device = tile.settings().device;
    std::string text = "* ---- numbers to play with ----\n";
    text += fmt::format(".param gmin_c={} gmax_c={} ; cell conductance at HRS and LRS [S]\n",
                        number(device.off), number(device.on));
    if (cell.has_select())
        text += fmt::format(".param v_select={} ; select lines, which open access devices [V]\n",
                            number(cell.select_voltage));
    text += detail::wire_parameters(tile.settings().wires);
    if (amplifiers != nullptr) text += detail::amplifier_parameters(tile, *amplifiers);
    return text + std::string(detail::options_line());
}

void check_inputs_of(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs) {
    if (inputs.size() != tile.rows() || !inputs.allFinite())
        throw InvalidInput("read voltages",
                           fmt::format("{} values, but the tile takes {}, all finite",
                                       inputs.size(), tile.rows()));
}

}  // namespace

std::string write_tile_deck(const Tile& tile, const Eigen::Ref<const Eigen::VectorXd>& inputs,
                            const TileDeckSettings& settings) {
    check_inputs_of(tile, inputs);
    check_output(tile, settings);
    for (const Crossbar& array : tile.arrays())  // names the cell that no cell of this law can be
        (void)exact_at(array, settings.law, settings.read_voltage);
    const detail::CellText cell =
        detail::cell_text(settings.law, settings.read_voltage, tile.settings().access);
    std::optional<detail::DeckAmplifiers> drawn;
    if (settings.readout == Readout::opamp)
        drawn = detail::deck_amplifiers(tile, inputs, settings.amplifiers);
    const detail::DeckAmplifiers* amplifiers = drawn ? &*drawn : nullptr;
    std::string deck = header(tile, settings) + parameters(tile, amplifiers, cell);
    deck += detail::cell_subcircuits(cell, tile.settings().device, varied_cells(tile) > 0,
                                     tile.faults());
    if (amplifiers != nullptr)
        deck += detail::amplifier_subcircuits(amplifiers->values.circuit, tile.has_subtractors());
    for (std::size_t i = 0; i < tile.arrays().size(); ++i)
        deck += detail::array_section(tile, i, expand(tile.arrays()[i]), inputs, cell,
                                      {settings.output});
    deck += detail::readout_section(tile, amplifiers, settings.reference_shares, settings.output);
    deck += detail::control_section(tile, amplifiers, settings.reference_shares, settings.output);
    return deck + ".end\n";
}

std::string readable_current(std::string_view source) {
    const bool is_inside = source.find('.') != std::string_view::npos;
    return fmt::format("{}{}#branch", is_inside ? "v." : "", source);
}

Dialect parse_dialect(std::string_view text) {
    if (text == "ngspice") return Dialect::ngspice;
    if (text == "spice3") return Dialect::spice3;
    throw InvalidInput(fmt::format("dialect '{}' is neither ngspice nor spice3", text));
}

}  // namespace kirchnet
