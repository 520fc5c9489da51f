// Subcommands about one tile, layer or network as a circuit: its deck, cells, pictures, transients.
#include <CLI/CLI.hpp>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "tools/commands/commands.hpp"
#include "tools/options/option_groups.hpp"
#include "tools/options/subcommands.hpp"

namespace kirchnet {
namespace {

double parse_read_voltage(const std::string& text) {
    const double voltage = parse_quantity(text, "--read-voltage");
    if (!(voltage > 0 && voltage < 100))
        throw InvalidInput("--read-voltage", text + " is not between 0 and 100 V");
    return voltage;
}

/// Which tile of which network, and what drives it.
void add_tile_options(CLI::App& sub, NetlistArguments& tile, bool required) {
    add_source(sub, tile.settings, tile.experiment, required);
    add_data_keys(sub, tile.settings);
    add_chip_keys(sub, tile.settings);
    add_set(sub, tile.settings);
    sub.add_option("--layer", tile.layer,
                   "Layer name, as 'kirchnet info' lists them, or all of them: 'all'");
    sub.add_option("--tile", tile.tile, "Tile row and column, or 'all' of the layer [0,0]")
        ->type_name("R,C");
    sub.add_option("--slice", tile.slice,
                   "Digit of sliced weights that the tile holds, lowest first [0]")
        ->type_name("K");
    sub.add_option("--mapping", tile.mapping,
                   "two_column, offset or differential [two_column, or that of a preset]")
        ->type_name("MAPPING");
    sub.add_option("--input", tile.input,
                   "Read voltages [V] of the used word lines, instead of an image")
        ->type_name("V.csv");
    sub.add_option("--image", tile.image, "Image of --data that drives the word lines [0]")
        ->type_name("N");
    sub.add_option("--position", tile.position, "Output pixel y * width + x [0]")->type_name("P");
    sub.add_option("--input-read", tile.input_read,
                   "Read of inputs that go digit by digit, lowest digit first [0]")
        ->type_name("N");
    sub.add_option_function<std::string>(
           "--read-voltage",
           [&tile](const std::string& text) { tile.read_voltage = parse_read_voltage(text); },
           "Voltage of a full-scale input, where cells have their conductance [0.2]")
        ->type_name("VOLT");
}

void add_netlist(Subcommands& commands) {
    const auto added = commands.add<NetlistArguments>(
        "netlist", "SPICE decks of a tile, a layer or a network, and reading them back",
        run_netlist,
        "  kirchnet netlist net.h5 --layer layer1.0.conv1 --tile 0,0 -o tile.cir\n"
        "  kirchnet netlist net.h5 --layer conv1 --fault-rate 0.01 --readout opamp "
        "--data cifar10 --image 3 --position 100 -o tile.cir && ngspice -b tile.cir\n"
        "  kirchnet netlist net.h5 --layer conv1 --tile 0,0 --column 5 -o column.cir\n"
        "  kirchnet netlist net.h5 --layer conv1 --tile all --array 16x16 -o layer.cir\n"
        "  kirchnet netlist net.h5 --layer all --array 16x16 --data cifar10 -o decks\n"
        "  kirchnet netlist net.h5 --layer conv1 --dialect spice3 -o portable.cir\n"
        "  kirchnet netlist net.h5 --layer conv1 -o tile.cir --save-crossbar chip.h5\n"
        "  kirchnet netlist --read tile.cir --against chip.h5 --solve "
        "--save-crossbar edited.h5\n"
        "  kirchnet compare net.h5 --data cifar10 --mapping two_column --arrays edited.h5\n"
        "  kirchnet netlist net.h5 --layer conv1 --tile all --array 16x16 --read layer.cir "
        "--save-crossbar edited.h5\n"
        "  kirchnet netlist net.h5 --layer conv1 --cell 1t1r:vg=1.2 -o tile.cir\n"
        "  kirchnet netlist net.h5 --layer conv1 --cell byo:cell.h5 --flat -o tile.cir");
    CLI::App& sub = added.sub;
    NetlistArguments& arguments = added.arguments;
    add_tile_options(sub, arguments, false);
    add_key(sub, arguments.settings, "--cell", "cells.law",
            "Law of the cells: linear, sinh:A, stanford, 1s1r, 1t1r, table:FILE.csv, or "
            "byo:CELL.h5 of 'kirchnet characterise' [linear]",
            "LAW");
    sub.add_option("--readout", arguments.readout, "ideal or opamp [key readout.kind]")
        ->type_name("READOUT");
    sub.add_flag("--flat", arguments.flat, "Plain resistors, no subcircuits");
    sub.add_option("--column", arguments.column,
                   "Only output J of the tile: the other bit lines stand at 0 V, which is exact "
                   "where bit lines have no resistance; the deck says what it costs")
        ->type_name("J");
    sub.add_option("--dialect", arguments.dialect,
                   "ngspice, or spice3: flat, R, V and E alone, for any simulator [ngspice]")
        ->type_name("DIALECT");
    sub.add_option("-o,--out", arguments.out,
                   "Deck to write [standard output]; of --layer all a folder")
        ->type_name("TILE.cir");
    sub.add_option("--save-crossbar", arguments.save_crossbar,
                   "Also write the tile's arrays (X.h5, or X-a.h5 and X-b.h5; of a layer's tiles "
                   "X-t0_1.h5 and so on) for --against, --arrays, 'kirchnet solve' and 'check'; "
                   "with --read the edited ones")
        ->type_name("X.h5");
    sub.add_option("--read", arguments.deck,
                   "Read an edited deck of a tile, a column or a layer back and say what differs "
                   "from --against, or from the deck that the network and these options give")
        ->type_name("EDITED.cir");
    sub.add_option("--against", arguments.against,
                   "Arrays the deck was made from, by --save-crossbar")
        ->type_name("X.h5");
    sub.add_flag("--solve", arguments.solve, "Column currents of the deck as it was and as it is");
    sub.add_option("--time-limit", arguments.time_limit_s, "Of ngspice for an edited deck [120]")
        ->type_name("SECONDS");
    sub.add_flag("--json", arguments.json, "Differences as one JSON object on standard output");
}

void add_trace(Subcommands& commands) {
    const auto added = commands.add<TraceArguments>(
        "trace", "From a SPICE instance to the weight it holds, and back", run_trace,
        "  kirchnet trace net.h5 --layer conv1 --tile 0,0 --cell xc_a_3_7 --fault-rate "
        "0.01\n"
        "  kirchnet trace net.h5 --layer conv1 --cell r.xt0_1.xc_b_0_2.rcell   (of a "
        "layer's deck)\n"
        "  kirchnet trace net.h5 --layer conv1 --cell xc_a_3_7 --data cifar10 --image 3 "
        "--position 100\n"
        "  kirchnet trace net.h5 --layer conv1 --weight 5,2,0,1 --json\n"
        "  kirchnet trace net.h5 --layer conv1 --tile 0,0 --map cells.csv\n"
        "  kirchnet trace net.h5 --layer all --map cells.h5");
    CLI::App& sub = added.sub;
    TraceArguments& arguments = added.arguments;
    add_tile_options(sub, arguments.tile, true);
    sub.add_option("--cell", arguments.cell, "Instance name of a deck, such as xc_a_3_7")
        ->type_name("NAME");
    sub.add_option("--weight", arguments.weight,
                   "Output channel, input channel, kernel y and x, from 0")
        ->type_name("OC,IC,KY,KX");
    sub.add_option("--map", arguments.map,
                   "Write a row per cell of the tile, of a layer (--tile all) or of the network "
                   "(--layer all)")
        ->type_name("CELLS.csv|.h5");
    sub.add_flag("--padding", arguments.padding, "Rows for cells that hold no weight as well");
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
}

void add_draw(Subcommands& commands) {
    const auto added = commands.add<DrawArguments>(
        "draw", "A tile as pictures: its circuit, and heat maps of voltages and currents", run_draw,
        "  kirchnet draw net.h5 --layer conv1 --array 4x4 --fault-rate 0.05 -o tile\n"
        "  kirchnet draw net.h5 --layer layer3.0.conv1 --tile 1,0 --array 64x64 --data "
        "cifar10 --image 3 --position 20 --what ir_drop,cell_current -o pictures/tile\n"
        "  kirchnet draw net.h5 --layer conv1 --array 8x8 --what schematic --readout opamp "
        "-o tile.svg\n"
        "  kirchnet draw --conductance G.csv --wl-segment 1 --bl-segment 1 --what "
        "sensitivity --bit-line 3 -o s.svg");
    CLI::App& sub = added.sub;
    DrawArguments& arguments = added.arguments;
    add_source(sub, arguments.settings, arguments.experiment, false);
    add_data_keys(sub, arguments.settings);
    add_array_options(sub, arguments.crossbar);
    add_chip_keys(sub, arguments.settings);
    add_key(sub, arguments.settings, "--read-voltage", "cells.read_voltage",
            "Of a full-scale input [0.2]", "VOLT");
    add_set(sub, arguments.settings);
    sub.add_option("--layer", arguments.layer, "Layer name, as 'kirchnet info' lists them");
    sub.add_option("--tile", arguments.tile, "Tile row and column [0,0]")->type_name("R,C");
    sub.add_option("--slice", arguments.slice,
                   "Digit of sliced weights that the tile holds, lowest first [0]")
        ->type_name("K");
    sub.add_option("--mapping", arguments.mapping,
                   "two_column, offset or differential [two_column, or that of a preset]")
        ->type_name("MAPPING");
    sub.add_option("--image", arguments.image, "Image of --data that drives the word lines [0]")
        ->type_name("N");
    sub.add_option("--position", arguments.position, "Output pixel y * width + x [0]")
        ->type_name("P");
    sub.add_option("--input-read", arguments.input_read,
                   "Read of inputs that go digit by digit, lowest first; of a given array: "
                   "which line of --input [0]")
        ->type_name("N");
    sub.add_option("--readout", arguments.readout, "ideal or opamp [key readout.kind]")
        ->type_name("READOUT");
    sub.add_option("--what", arguments.what,
                   "With commas: schematic (up to 8x8), conductance, word_line_voltage, "
                   "bit_line_voltage, cell_current, ir_drop, sensitivity, word_line_current, "
                   "bit_line_current [all]")
        ->type_name("LIST");
    sub.add_option("--bit-line", arguments.bit_line,
                   "Whose current the sensitivity is of [each cell's own]")
        ->type_name("C")
        ->check(CLI::NonNegativeNumber);
    sub.add_option("-o,--out", arguments.out,
                   "FILE.svg of one picture, or what the names of all begin with")
        ->type_name("PREFIX")
        ->required();
}

void add_settle(Subcommands& commands) {
    const auto added = commands.add<SettleArguments>(
        "settle", "How long a tile must be read: its transient, output by output", run_settle,
        "  kirchnet settle net.h5 --layer conv1 --array 16x16 --set readout.kind=opamp\n"
        "  kirchnet settle net.h5 --layer layer3.0.conv1 --tile 1,0 --array 64x64 --mapping "
        "differential --readout opamp --data cifar10 --image 3 --position 20 --out w.h5\n"
        "  kirchnet settle net.h5 --layer conv1 --array 8x8 --readout opamp --bits 6 --check\n"
        "  kirchnet settle net.h5 --layer conv1 --array 16x16 --driver 1k --wire-capacitance "
        "0.2f --rise-time 50p --json\n"
        "  kirchnet settle net.h5 --layer conv1 --array 8x8 --readout opamp --cell 1t1r "
        "--check");
    CLI::App& sub = added.sub;
    SettleArguments& arguments = added.arguments;
    add_tile_options(sub, arguments.tile, true);
    add_key(sub, arguments.tile.settings, "--cell", "cells.law",
            "Law of the cells: linear, sinh:A, stanford, 1s1r, 1t1r, table:FILE.csv, or "
            "byo:CELL.h5 of 'kirchnet characterise' [linear]",
            "LAW");
    sub.add_option("--readout", arguments.tile.readout,
                   "ideal: outputs are column currents; opamp: voltages [key readout.kind]")
        ->type_name("READOUT");
    sub.add_option("--bits", arguments.bits,
                   "An output has settled when it is within half an LSB of so many bits [8]")
        ->type_name("B");
    sub.add_option_function<std::string>(
           "--range",
           [&arguments](const std::string& text) {
               arguments.range = parse_quantity(text, "--range");
           },
           "The converter takes +- this [opamp: the swing; ideal: "
           "the largest output that full-scale inputs can give]")
        ->type_name("VOLT|AMPERE");
    add_quantity(sub, "--wire-capacitance", arguments.wire_capacitance,
                 "Of a wire segment to ground [0.03f]", "FARAD");
    add_quantity(sub, "--cell-capacitance", arguments.cell_capacitance, "Across a cell [0.02f]",
                 "FARAD");
    add_quantity(sub, "--access-capacitance", arguments.access_capacitance,
                 "Of an access device's drain, from the bit line to ground [0.1f]", "FARAD");
    add_quantity(sub, "--rise-time", arguments.rise_time,
                 "In which read voltages rise from 0 V, along a straight line [0.1n]", "SECONDS");
    sub.add_option_function<std::string>(
           "--stop",
           [&arguments](const std::string& text) {
               arguments.stop = parse_quantity(text, "--stop");
           },
           "End of the simulation [when all outputs have settled]")
        ->type_name("SECONDS");
    sub.add_option("--top", arguments.top, "Show so many outputs, the slowest [10]")
        ->type_name("N");
    sub.add_flag("--check", arguments.check,
                 "Run the same circuit in ngspice; exit code 1 above 1 % (waveforms) or 2 % "
                 "(settling times)");
    sub.add_flag("--large", arguments.large, "Arrays above 64x64, and above 16x16 in ngspice");
    sub.add_option("--out", arguments.out, "Waveforms; a figure is written beside them")
        ->type_name("W.h5|.csv");
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
}

}  // namespace

void add_deck_commands(Subcommands& commands) {
    add_netlist(commands);
    add_trace(commands);
    add_draw(commands);
    add_settle(commands);
}

}  // namespace kirchnet
