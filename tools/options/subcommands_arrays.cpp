// Subcommands about given arrays, engines and cells.
#include <CLI/CLI.hpp>

#include "circuit/units.hpp"
#include "tools/commands/commands.hpp"
#include "tools/options/option_groups.hpp"
#include "tools/options/subcommands.hpp"

namespace kirchnet {
namespace {

void add_solve(Subcommands& commands) {
    const auto added = commands.add<SolveArguments>(
        "solve", "Column currents of a given array, wires included", run_solve,
        "  kirchnet solve --conductance G.csv --input V.csv --wl-segment 1 --bl-segment 1\n"
        "  kirchnet solve --conductance G.npy --input V.npy --wl-segment 2.5 "
        "--driver 1k --voltages U.h5 --json\n"
        "  kirchnet solve --conductance G.csv --input V.csv --wl-segment 2 --drive both "
        "--sense-at both\n"
        "  kirchnet solve --conductance G.csv --input V.csv --wl-segment 2 --bl-segment 2 "
        "--cell sinh:2\n"
        "  kirchnet solve --conductance G.csv --transfer T.csv --engine nodal");
    CLI::App& sub = added.sub;
    SolveArguments& arguments = added.arguments;
    add_array_options(sub, arguments);
    sub.get_option("--conductance")->required();
    sub.add_option("--driver", arguments.driver, "Driver resistance [0]")->type_name("OHM|FILE");
    sub.add_option("--sense", arguments.sense, "Read-out input resistance [0]")
        ->type_name("OHM|FILE");
    sub.add_option("--drive", arguments.drive,
                   "Ends at which word lines are driven: left, right, both [left]")
        ->type_name("SIDE");
    sub.add_option("--sense-at", arguments.sense_at,
                   "Ends at which bit lines are read: bottom, top, both [bottom]")
        ->type_name("SIDE");
    sub.add_option_function<std::string>(
           "--access-resistance",
           [&arguments](const std::string& text) {
               arguments.access_resistance = parse_quantity(text, "--access-resistance");
           },
           "In series with each given conductance, of 1T1R cells [0]")
        ->type_name("OHM");
    sub.add_option_function<std::string>(
           "--read-time",
           [&arguments](const std::string& text) {
               arguments.read_time = parse_quantity(text, "--read-time");
           },
           "Pulse for which --cell stanford says how far it would move cells [10n]")
        ->type_name("SECONDS");
    sub.add_option("--engine", arguments.engine,
                   "transfer, nonlinear, nodal, ngspice or ideal [transfer; nonlinear for "
                   "--cell sinh:A]")
        ->type_name("ENGINE");
    sub.add_option("--currents", arguments.currents,
                   "Bit-line currents [A], a line per input [standard output]")
        ->type_name("I.csv");
    sub.add_option("--voltages", arguments.voltages, "Node voltages [V]")->type_name("U.h5");
    sub.add_option("--transfer", arguments.transfer, "Transfer matrix [S], a line per bit line")
        ->type_name("T.csv");
    sub.add_option("--operator-cache", arguments.operator_cache,
                   "Folder that keeps the matrix of --transfer for the next run [none]")
        ->type_name("DIR");
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
}

void add_check(Subcommands& commands) {
    const auto added = commands.add<CheckArguments>(
        "check", "Do the engines agree? Exit code 1 when not", run_check,
        "  kirchnet check net.h5 --array 64x64 --tiles 20\n"
        "  kirchnet check net.h5 --layer conv1 --tile 0,0 --data cifar10\n"
        "  kirchnet check net.h5 --array 16x16 --set readout.kind=opamp   (amplifiers too)\n"
        "  kirchnet check net.h5 --array 16x16 --layer conv1 --tile all   (the layer's deck)\n"
        "  kirchnet check net.h5 --array 16x16 --layer all --tile all --data cifar10 "
        "--set readout.kind=opamp\n"
        "  kirchnet check net.h5 --layer conv1 --tile 0,0 --column 5   (the column's deck)\n"
        "  kirchnet check --conductance G.csv --input V.csv --wl-segment 1 --bl-segment 1");
    CLI::App& sub = added.sub;
    CheckArguments& arguments = added.arguments;
    add_source(sub, arguments.settings, arguments.experiment, false);
    add_data_keys(sub, arguments.settings);
    add_array_options(sub, arguments.crossbar);
    add_chip_keys(sub, arguments.settings);
    add_key(sub, arguments.settings, "--mapping", "mapping.names",
            "Mappings to sample tiles of [all three]", "LIST");
    add_set(sub, arguments.settings);
    sub.add_option("--tiles", arguments.tiles, "How many tiles to sample [20]")->type_name("N");
    sub.add_option("--layer", arguments.layer,
                   "Only this layer; with --tile all also 'all': each layer in turn")
        ->type_name("NAME");
    sub.add_option("--tile", arguments.tile,
                   "Only this tile of --layer; 'all': the layer's whole deck, every net of it")
        ->type_name("R,C");
    sub.add_option("--column", arguments.column,
                   "Only output J of --tile R,C: its whole deck, the other bit lines at 0 V")
        ->type_name("J");
    sub.add_option("--engines", arguments.engines,
                   "Engines to compare; the first is the reference [nodal,transfer,ngspice,ideal; "
                   "nonlinear in place of transfer for --cell sinh:A]")
        ->type_name("LIST");
    sub.add_option("--tolerance", arguments.tolerance,
                   "Largest |dI_c| / sum_r |T_cr V_r| accepted; of whole decks the "
                   "worst net, ammeter or output [1e-9; 1e-6 for nonlinear cells and op-amp "
                   "read-out]")
        ->type_name("REL");
    sub.add_flag("--large", arguments.large,
                 "Let ngspice solve arrays above 4096 cells, and layers that take it above 30 s");
    sub.add_option("--time-limit", arguments.time_limit_s,
                   "Per operating point in ngspice [8 x expected, at least 120]")
        ->type_name("SECONDS");
    sub.add_option("--out", arguments.out, "Differences per column and node")->type_name("A.h5");
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
}

void add_characterise(Subcommands& commands) {
    const auto added = commands.add<CharacteriseArguments>(
        "characterise", "A cell of your own as a table that solvers use", run_characterise,
        "  kirchnet characterise cell.cir --subckt mycell --pins wl,bl --state w "
        "--range 0:1 -o cell.h5\n"
        "  kirchnet characterise cell.cir --subckt mycell --pins te,be,gate "
        "--gate-voltage 1.5 --state gap --range 0.2:1.7 -o cell.h5\n"
        "  kirchnet check --conductance G.csv --cell byo:cell.h5 --wl-segment 2");
    CLI::App& sub = added.sub;
    CharacteriseArguments& arguments = added.arguments;
    sub.add_option("cell", arguments.cell,
                   "SPICE text with the cell's subcircuit; elements, analyses and controls "
                   "around it are left out")
        ->type_name("CELL.cir")
        ->required();
    sub.add_option("--subckt", arguments.subcircuit,
                   "Subcircuit that is the cell [a file without any: its elements]")
        ->type_name("NAME");
    sub.add_option("--pins", arguments.pins,
                   "Its pins at word line, bit line and, where it has one, gate")
        ->type_name("WL,BL[,GATE]")
        ->required();
    sub.add_option("--state", arguments.state, "Its parameter that tells the state")
        ->type_name("PARAM")
        ->required();
    sub.add_option("--range", arguments.range, "Range of the state")
        ->type_name("LO:HI")
        ->required();
    sub.add_option("--voltage", arguments.voltage, "Voltages of the table [-0.3:0.3]")
        ->type_name("LO:HI");
    sub.add_option("--read-voltage", arguments.read_voltage,
                   "Where a cell has its target conductance [0.2]")
        ->type_name("VOLT");
    sub.add_option("--gate-voltage", arguments.gate_voltage, "Of the gate, above the bit line [0]")
        ->type_name("VOLT");
    sub.add_option("--states", arguments.states,
                   "States of the table [as many as it takes, 33 to 513]")
        ->type_name("N");
    sub.add_option("--time-limit", arguments.time_limit_s, "Per sweep in ngspice [60]")
        ->type_name("SECONDS");
    sub.add_option("-o,--out", arguments.out, "Cell file to write")
        ->type_name("CELL.h5")
        ->required();
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
}

}  // namespace

void add_array_commands(Subcommands& commands) {
    add_solve(commands);
    add_check(commands);
    add_characterise(commands);
}

}  // namespace kirchnet
