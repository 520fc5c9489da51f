// Every subcommand and its options, and nothing else: CLI11 is slow to compile and stays here and
// in option_groups.
#include "tools/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <clocale>
#include <cstdio>
#include <functional>
#include <new>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "tools/commands.hpp"
#include "tools/option_groups.hpp"

namespace kirchnet {
namespace {

constexpr int exit_bad_input = 2;
constexpr int exit_failure = 1;

class CommandLine {
  public:
    explicit CommandLine(const NetworkPruner& pruner) {
        prune_.pruner = pruner;
        app_.require_subcommand(1);
        app_.set_version_flag("--version", "kirchnet " KIRCHNET_VERSION);
        app_.get_formatter()->column_width(34);
        app_.failure_message(CLI::FailureMessage::simple);
        add_compare();
        add_nonlinear();
        add_netlist();
        add_draw();
        add_power();
        add_readout();
        add_settle();
        add_trace();
        add_solve();
        add_check();
        add_characterise();
        add_import();
        add_prune();
        add_faults();
        add_sweep();
        add_merge();
        add_report();
        add_info();
    }

    int parse_and_run(int argc, const char* const* argv) {
        prune_.command_line = argv;
        try {
            app_.parse(argc, argv);
        } catch (const CLI::ParseError& error) {
            const int code = app_.exit(error);
            return code == 0 ? 0 : exit_bad_input;
        }
        return command_();
    }

  private:
    template <typename Arguments>
    CLI::App& add(const std::string& name, const std::string& purpose, Arguments& arguments,
                  int (*run)(const Arguments&), const std::string& examples) {
        auto& sub = *app_.add_subcommand(name, purpose);
        sub.footer("Examples:\n" + examples);
        sub.callback(
            [this, &arguments, run] { command_ = [&arguments, run] { return run(arguments); }; });
        return sub;
    }

    void add_compare() {
        auto& sub =
            add("compare", "Idealised against circuit-level accuracy, image by image", compare_,
                run_compare,
                "  kirchnet compare net.h5 --data cifar10 --array 64x64 --segment 1 --out r.h5\n"
                "  kirchnet compare net.h5 --data cifar10 --mapping differential "
                "--fault-rate 0.005 --json\n"
                "  kirchnet compare experiment.toml --set array.segment=2.12\n"
                "  kirchnet compare net.h5 --data cifar10 --preset isaac --images 500\n"
                "  kirchnet compare net.h5 --data cifar10 --bits-per-cell 2 --input-bits 8 "
                "--dac-bits 1 --adc-range full\n"
                "  kirchnet compare net.h5 --data cifar10 --engine nodal --operator-cache cache\n"
                "  kirchnet compare net.h5 --data cifar10 --mapping two_column --fault-rate 0.005 "
                "--set device.variation=0.05 --budget --trials 5 --out b.h5\n"
                "  kirchnet compare net.h5 --data cifar10 --dry-run   (prints every key)");
        add_source(sub, compare_.settings, compare_.experiment, true);
        auto& settings = compare_.settings;
        add_data_keys(sub, settings);
        add_key(sub, settings, "--images", "images", "Use the first N test images [all]", "N");
        add_key(sub, settings, "--mapping", "mapping.names",
                "two_column, offset, differential: any, with commas [all three]", "LIST");
        add_chip_keys(sub, settings);
        add_converter_keys(sub, settings);
        add_engine_keys(sub, settings);
        add_key(sub, settings, "--out", "out",
                "Result file; report and plots are written beside it", "RESULT.h5");
        add_key(sub, settings, "--trials", "budget.trials",
                "Chips of a budget [5 where anything is random, else 1]", "N");
        add_set(sub, settings);
        sub.add_flag("--budget", compare_.budget,
                     "Add one error source at a time, and leave each out, with 95 % intervals");
        sub.add_flag("--json", compare_.json, "One JSON object on standard output");
        sub.add_flag("--dry-run", compare_.dry_run, "Print the experiment as TOML and stop");
    }

    void add_nonlinear() {
        auto& sub = add(
            "nonlinear", "Are linear operators good enough for cells and amplifiers that are not?",
            nonlinear_, run_nonlinear,
            "  kirchnet nonlinear net.h5 --data cifar10 --cell sinh:4 --mapping two_column "
            "--array 64x64\n"
            "  kirchnet nonlinear net.h5 --data cifar10 --cell table:cell.csv "
            "--layers conv1,fc --positions 0 --out n.h5\n"
            "  kirchnet nonlinear experiment.toml --cell sinh:4 --nonlinear-images 1 --json\n"
            "  kirchnet nonlinear net.h5 --data cifar10 --set readout.kind=opamp "
            "--set readout.feedback=2e4");
        auto& settings = nonlinear_.settings;
        add_source(sub, settings, nonlinear_.experiment, true);
        add_data_keys(sub, settings);
        add_nonlinear_keys(sub, settings);
        add_key(sub, settings, "--mapping", "mapping.names",
                "two_column, offset, differential: any, with commas [all three]", "LIST");
        add_chip_keys(sub, settings);
        add_converter_keys(sub, settings);
        add_engine_keys(sub, settings);
        add_key(sub, settings, "--out", "out", "Record; a figure is written beside it",
                "RESULT.h5");
        add_set(sub, settings);
        sub.add_flag("--json", nonlinear_.json, "One JSON object on standard output");
        sub.add_flag("--dry-run", nonlinear_.dry_run, "Print the experiment as TOML and stop");
    }

    void add_netlist() {
        auto& sub =
            add("netlist", "SPICE decks of a tile, a layer or a network, and reading them back",
                netlist_, run_netlist,
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
        add_tile_options(sub, netlist_, false);
        add_key(sub, netlist_.settings, "--cell", "cells.law",
                "Law of the cells: linear, sinh:A, stanford, 1s1r, 1t1r, table:FILE.csv, or "
                "byo:CELL.h5 of 'kirchnet characterise' [linear]",
                "LAW");
        sub.add_option("--readout", netlist_.readout, "ideal or opamp [key readout.kind]")
            ->type_name("READOUT");
        sub.add_flag("--flat", netlist_.flat, "Plain resistors, no subcircuits");
        sub.add_option(
               "--column", netlist_.column,
               "Only output J of the tile: the other bit lines stand at 0 V, which is exact "
               "where bit lines have no resistance; the deck says what it costs")
            ->type_name("J");
        sub.add_option("--dialect", netlist_.dialect,
                       "ngspice, or spice3: flat, R, V and E alone, for any simulator [ngspice]")
            ->type_name("DIALECT");
        sub.add_option("-o,--out", netlist_.out,
                       "Deck to write [standard output]; of --layer all a folder")
            ->type_name("TILE.cir");
        sub.add_option(
               "--save-crossbar", netlist_.save_crossbar,
               "Also write the tile's arrays (X.h5, or X-a.h5 and X-b.h5; of a layer's tiles "
               "X-t0_1.h5 and so on) for --against, --arrays, 'kirchnet solve' and 'check'; "
               "with --read the edited ones")
            ->type_name("X.h5");
        sub.add_option(
               "--read", netlist_.deck,
               "Read an edited deck of a tile, a column or a layer back and say what differs "
               "from --against, or from the deck that the network and these options give")
            ->type_name("EDITED.cir");
        sub.add_option("--against", netlist_.against,
                       "Arrays the deck was made from, by --save-crossbar")
            ->type_name("X.h5");
        sub.add_flag("--solve", netlist_.solve,
                     "Column currents of the deck as it was and as it is");
        sub.add_option("--time-limit", netlist_.time_limit_s, "Of ngspice for an edited deck [120]")
            ->type_name("SECONDS");
        sub.add_flag("--json", netlist_.json, "Differences as one JSON object on standard output");
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
        sub.add_option("--position", tile.position, "Output pixel y * width + x [0]")
            ->type_name("P");
        sub.add_option("--input-read", tile.input_read,
                       "Read of inputs that go digit by digit, lowest digit first [0]")
            ->type_name("N");
        sub.add_option_function<std::string>(
               "--read-voltage",
               [&tile](const std::string& text) { tile.read_voltage = parse_read_voltage(text); },
               "Voltage of a full-scale input, where cells have their conductance [0.2]")
            ->type_name("VOLT");
    }

    void add_trace() {
        auto& sub = add(
            "trace", "From a SPICE instance to the weight it holds, and back", trace_, run_trace,
            "  kirchnet trace net.h5 --layer conv1 --tile 0,0 --cell xc_a_3_7 --fault-rate "
            "0.01\n"
            "  kirchnet trace net.h5 --layer conv1 --cell r.xt0_1.xc_b_0_2.rcell   (of a "
            "layer's deck)\n"
            "  kirchnet trace net.h5 --layer conv1 --cell xc_a_3_7 --data cifar10 --image 3 "
            "--position 100\n"
            "  kirchnet trace net.h5 --layer conv1 --weight 5,2,0,1 --json\n"
            "  kirchnet trace net.h5 --layer conv1 --tile 0,0 --map cells.csv\n"
            "  kirchnet trace net.h5 --layer all --map cells.h5");
        add_tile_options(sub, trace_.tile, true);
        sub.add_option("--cell", trace_.cell, "Instance name of a deck, such as xc_a_3_7")
            ->type_name("NAME");
        sub.add_option("--weight", trace_.weight,
                       "Output channel, input channel, kernel y and x, from 0")
            ->type_name("OC,IC,KY,KX");
        sub.add_option(
               "--map", trace_.map,
               "Write a row per cell of the tile, of a layer (--tile all) or of the network "
               "(--layer all)")
            ->type_name("CELLS.csv|.h5");
        sub.add_flag("--padding", trace_.padding, "Rows for cells that hold no weight as well");
        sub.add_flag("--json", trace_.json, "One JSON object on standard output");
    }

    void add_draw() {
        auto& sub =
            add("draw", "A tile as pictures: its circuit, and heat maps of voltages and currents",
                draw_, run_draw,
                "  kirchnet draw net.h5 --layer conv1 --array 4x4 --fault-rate 0.05 -o tile\n"
                "  kirchnet draw net.h5 --layer layer3.0.conv1 --tile 1,0 --array 64x64 --data "
                "cifar10 --image 3 --position 20 --what ir_drop,cell_current -o pictures/tile\n"
                "  kirchnet draw net.h5 --layer conv1 --array 8x8 --what schematic --readout opamp "
                "-o tile.svg\n"
                "  kirchnet draw --conductance G.csv --wl-segment 1 --bl-segment 1 --what "
                "sensitivity --bit-line 3 -o s.svg");
        add_source(sub, draw_.settings, draw_.experiment, false);
        add_data_keys(sub, draw_.settings);
        add_array_options(sub, draw_.crossbar);
        add_chip_keys(sub, draw_.settings);
        add_key(sub, draw_.settings, "--read-voltage", "cells.read_voltage",
                "Of a full-scale input [0.2]", "VOLT");
        add_set(sub, draw_.settings);
        sub.add_option("--layer", draw_.layer, "Layer name, as 'kirchnet info' lists them");
        sub.add_option("--tile", draw_.tile, "Tile row and column [0,0]")->type_name("R,C");
        sub.add_option("--slice", draw_.slice,
                       "Digit of sliced weights that the tile holds, lowest first [0]")
            ->type_name("K");
        sub.add_option("--mapping", draw_.mapping,
                       "two_column, offset or differential [two_column, or that of a preset]")
            ->type_name("MAPPING");
        sub.add_option("--image", draw_.image, "Image of --data that drives the word lines [0]")
            ->type_name("N");
        sub.add_option("--position", draw_.position, "Output pixel y * width + x [0]")
            ->type_name("P");
        sub.add_option("--input-read", draw_.input_read,
                       "Read of inputs that go digit by digit, lowest first; of a given array: "
                       "which line of --input [0]")
            ->type_name("N");
        sub.add_option("--readout", draw_.readout, "ideal or opamp [key readout.kind]")
            ->type_name("READOUT");
        sub.add_option("--what", draw_.what,
                       "With commas: schematic (up to 8x8), conductance, word_line_voltage, "
                       "bit_line_voltage, cell_current, ir_drop, sensitivity, word_line_current, "
                       "bit_line_current [all]")
            ->type_name("LIST");
        sub.add_option("--bit-line", draw_.bit_line,
                       "Whose current the sensitivity is of [each cell's own]")
            ->type_name("C")
            ->check(CLI::NonNegativeNumber);
        sub.add_option("-o,--out", draw_.out,
                       "FILE.svg of one picture, or what the names of all begin with")
            ->type_name("PREFIX")
            ->required();
    }

    /// A number with SI suffix.
    static void add_quantity(CLI::App& sub, const std::string& flag, double& value,
                             const std::string& help, const std::string& unit) {
        sub.add_option_function<std::string>(
               flag,
               [&value, flag](const std::string& text) { value = parse_quantity(text, flag); },
               help)
            ->type_name(unit);
    }

    void add_readout() {
        auto& sub = add(
            "readout", "What amplifiers meet before subtraction: common mode, swing, saturation",
            readout_, run_readout,
            "  kirchnet readout net.h5 --data cifar10 --array 64x64 --segment 1\n"
            "  kirchnet readout net.h5 --data cifar10 --images 20 --mapping differential "
            "--set readout.feedback=2k --set readout.swing=0.9\n"
            "  kirchnet readout net.h5 --data cifar10 --fault-rate 0.005 --json");
        add_source(sub, readout_.settings, readout_.experiment, false);
        add_data_keys(sub, readout_.settings);
        add_key(sub, readout_.settings, "--images", "images", "Use the first N test images [10]",
                "N");
        add_key(sub, readout_.settings, "--mapping", "mapping.names",
                "two_column, offset, differential: any, with commas [all three]", "LIST");
        add_chip_keys(sub, readout_.settings);
        add_key(sub, readout_.settings, "--read-voltage", "cells.read_voltage",
                "Of a full-scale input [0.2]", "VOLT");
        add_set(sub, readout_.settings);
        sub.add_option("--strongest", readout_.strongest,
                       "Inputs per range of rows looked at for largest currents [8]")
            ->type_name("N");
        sub.add_flag("--json", readout_.json, "One JSON object on standard output");
    }

    void add_settle() {
        auto& sub = add(
            "settle", "How long a tile must be read: its transient, output by output", settle_,
            run_settle,
            "  kirchnet settle net.h5 --layer conv1 --array 16x16 --set readout.kind=opamp\n"
            "  kirchnet settle net.h5 --layer layer3.0.conv1 --tile 1,0 --array 64x64 --mapping "
            "differential --readout opamp --data cifar10 --image 3 --position 20 --out w.h5\n"
            "  kirchnet settle net.h5 --layer conv1 --array 8x8 --readout opamp --bits 6 --check\n"
            "  kirchnet settle net.h5 --layer conv1 --array 16x16 --driver 1k --wire-capacitance "
            "0.2f --rise-time 50p --json\n"
            "  kirchnet settle net.h5 --layer conv1 --array 8x8 --readout opamp --cell 1t1r "
            "--check");
        add_tile_options(sub, settle_.tile, true);
        add_key(sub, settle_.tile.settings, "--cell", "cells.law",
                "Law of the cells: linear, sinh:A, stanford, 1s1r, 1t1r, table:FILE.csv, or "
                "byo:CELL.h5 of 'kirchnet characterise' [linear]",
                "LAW");
        sub.add_option("--readout", settle_.tile.readout,
                       "ideal: outputs are column currents; opamp: voltages [key readout.kind]")
            ->type_name("READOUT");
        sub.add_option("--bits", settle_.bits,
                       "An output has settled when it is within half an LSB of so many bits [8]")
            ->type_name("B");
        sub.add_option_function<std::string>(
               "--range",
               [this](const std::string& text) { settle_.range = parse_quantity(text, "--range"); },
               "The converter takes +- this [opamp: key readout.adc_range, or the swing; ideal: "
               "the largest output that full-scale inputs can give]")
            ->type_name("VOLT|AMPERE");
        add_quantity(sub, "--wire-capacitance", settle_.wire_capacitance,
                     "Of a wire segment to ground [0.03f]", "FARAD");
        add_quantity(sub, "--cell-capacitance", settle_.cell_capacitance, "Across a cell [0.02f]",
                     "FARAD");
        add_quantity(sub, "--access-capacitance", settle_.access_capacitance,
                     "Of an access device's drain, from the bit line to ground [0.1f]", "FARAD");
        add_quantity(sub, "--rise-time", settle_.rise_time,
                     "In which read voltages rise from 0 V, along a straight line [0.1n]",
                     "SECONDS");
        sub.add_option_function<std::string>(
               "--stop",
               [this](const std::string& text) { settle_.stop = parse_quantity(text, "--stop"); },
               "End of the simulation [when all outputs have settled]")
            ->type_name("SECONDS");
        sub.add_option("--top", settle_.top, "Show so many outputs, the slowest [10]")
            ->type_name("N");
        sub.add_flag("--check", settle_.check,
                     "Run the same circuit in ngspice; exit code 1 above 1 % (waveforms) or 2 % "
                     "(settling times)");
        sub.add_flag("--large", settle_.large, "Arrays above 64x64, and above 16x16 in ngspice");
        sub.add_option("--out", settle_.out, "Waveforms; a figure is written beside them")
            ->type_name("W.h5|.csv");
        sub.add_flag("--json", settle_.json, "One JSON object on standard output");
    }

    void add_power() {
        auto& sub = add(
            "power", "Where the power of reading goes, and which wire carries most", power_,
            run_power,
            "  kirchnet power net.h5 --data cifar10 --array 64x64 --segment 1\n"
            "  kirchnet power net.h5 --data cifar10 --images 20 --mapping differential --layer "
            "conv1,fc --read-time 50n --out p.h5\n"
            "  kirchnet power net.h5 --data cifar10 --set readout.kind=opamp --amplifier-current "
            "100u --wire-area 3.04e-15 --json\n"
            "  kirchnet power --conductance G.csv --input V.csv --wl-segment 1 --bl-segment 1");
        add_source(sub, power_.settings, power_.experiment, false);
        add_data_keys(sub, power_.settings);
        add_key(sub, power_.settings, "--images", "images", "Use the first N test images [10]",
                "N");
        add_key(sub, power_.settings, "--mapping", "mapping.names",
                "two_column, offset, differential: any, with commas [all three]", "LIST");
        add_array_options(sub, power_.crossbar);
        add_chip_keys(sub, power_.settings);
        add_key(sub, power_.settings, "--read-voltage", "cells.read_voltage",
                "Of a full-scale input [0.2]", "VOLT");
        add_set(sub, power_.settings);
        sub.add_option("--layer", power_.layers, "Only these layers, with commas [all]")
            ->type_name("LIST");
        sub.add_option_function<std::string>(
               "--read-time",
               [this](const std::string& text) {
                   power_.read_time = parse_quantity(text, "--read-time");
               },
               "How long a read takes [key converters.cycle_time, or 100n]")
            ->type_name("SECONDS");
        add_quantity(sub, "--amplifier-current", power_.amplifier_current,
                     "Supply current of each amplifier of an op-amp read-out [0: not counted]",
                     "AMPERE");
        add_quantity(sub, "--amplifier-supply", power_.amplifier_supply,
                     "Voltage between an amplifier's rails [2.4]", "VOLT");
        add_quantity(sub, "--wire-area", power_.wire_area,
                     "Cross-section of a wire segment, for current density [m2]", "M2");
        sub.add_option("--strongest", power_.strongest,
                       "Inputs per tile whose segment currents are looked at [8]")
            ->type_name("N");
        sub.add_option("--out", power_.out, "Power of every array")->type_name("POWER.h5");
        sub.add_flag("--json", power_.json, "One JSON object on standard output");
    }

    void add_solve() {
        auto& sub =
            add("solve", "Column currents of a given array, wires included", solve_, run_solve,
                "  kirchnet solve --conductance G.csv --input V.csv --wl-segment 1 --bl-segment 1\n"
                "  kirchnet solve --conductance G.npy --input V.npy --wl-segment 2.5 "
                "--driver 1k --voltages U.h5 --json\n"
                "  kirchnet solve --conductance G.csv --input V.csv --wl-segment 2 --drive both "
                "--sense-at both\n"
                "  kirchnet solve --conductance G.csv --input V.csv --wl-segment 2 --bl-segment 2 "
                "--cell sinh:2\n"
                "  kirchnet solve --conductance G.csv --transfer T.csv --engine nodal");
        add_array_options(sub, solve_);
        sub.get_option("--conductance")->required();
        sub.add_option("--driver", solve_.driver, "Driver resistance [0]")->type_name("OHM|FILE");
        sub.add_option("--sense", solve_.sense, "Read-out input resistance [0]")
            ->type_name("OHM|FILE");
        sub.add_option("--drive", solve_.drive,
                       "Ends at which word lines are driven: left, right, both [left]")
            ->type_name("SIDE");
        sub.add_option("--sense-at", solve_.sense_at,
                       "Ends at which bit lines are read: bottom, top, both [bottom]")
            ->type_name("SIDE");
        sub.add_option_function<std::string>(
               "--access-resistance",
               [this](const std::string& text) {
                   solve_.access_resistance = parse_quantity(text, "--access-resistance");
               },
               "In series with each given conductance, of 1T1R cells [0]")
            ->type_name("OHM");
        sub.add_option_function<std::string>(
               "--read-time",
               [this](const std::string& text) {
                   solve_.read_time = parse_quantity(text, "--read-time");
               },
               "Pulse for which --cell stanford says how far it would move cells [10n]")
            ->type_name("SECONDS");
        sub.add_option("--engine", solve_.engine,
                       "transfer, nonlinear, nodal, ngspice or ideal [transfer; nonlinear for "
                       "--cell sinh:A]")
            ->type_name("ENGINE");
        sub.add_option("--currents", solve_.currents,
                       "Bit-line currents [A], a line per input [standard output]")
            ->type_name("I.csv");
        sub.add_option("--voltages", solve_.voltages, "Node voltages [V]")->type_name("U.h5");
        sub.add_option("--transfer", solve_.transfer, "Transfer matrix [S], a line per bit line")
            ->type_name("T.csv");
        sub.add_option("--operator-cache", solve_.operator_cache,
                       "Folder that keeps the matrix of --transfer for the next run [none]")
            ->type_name("DIR");
        sub.add_flag("--json", solve_.json, "One JSON object on standard output");
    }

    void add_check() {
        auto& sub = add(
            "check", "Do the engines agree? Exit code 1 when not", check_, run_check,
            "  kirchnet check net.h5 --array 64x64 --tiles 20\n"
            "  kirchnet check net.h5 --layer conv1 --tile 0,0 --data cifar10\n"
            "  kirchnet check net.h5 --array 16x16 --set readout.kind=opamp   (amplifiers too)\n"
            "  kirchnet check --conductance G.csv --input V.csv --wl-segment 1 --bl-segment 1");
        add_source(sub, check_.settings, check_.experiment, false);
        add_data_keys(sub, check_.settings);
        add_array_options(sub, check_.crossbar);
        add_chip_keys(sub, check_.settings);
        add_key(sub, check_.settings, "--mapping", "mapping.names",
                "Mappings to sample tiles of [all three]", "LIST");
        add_set(sub, check_.settings);
        sub.add_option("--tiles", check_.tiles, "How many tiles to sample [20]")->type_name("N");
        sub.add_option("--layer", check_.layer, "Only this layer")->type_name("NAME");
        sub.add_option("--tile", check_.tile, "Only this tile of --layer")->type_name("R,C");
        sub.add_option(
               "--engines", check_.engines,
               "Engines to compare; the first is the reference [nodal,transfer,ngspice,ideal; "
               "nonlinear in place of transfer for --cell sinh:A]")
            ->type_name("LIST");
        sub.add_option("--tolerance", check_.tolerance,
                       "Largest |dI_c| / sum_r |T_cr V_r| accepted [1e-9; 1e-6 for --cell sinh:A "
                       "and for tiles with op-amp read-out]")
            ->type_name("REL");
        sub.add_flag("--large", check_.large, "Let ngspice solve arrays above 4096 cells");
        sub.add_option("--time-limit", check_.time_limit_s,
                       "Per operating point in ngspice [8 x expected, at least 120]")
            ->type_name("SECONDS");
        sub.add_option("--out", check_.out, "Differences per column and node")->type_name("A.h5");
        sub.add_flag("--json", check_.json, "One JSON object on standard output");
    }

    void add_characterise() {
        auto& sub = add("characterise", "A cell of your own as a table that solvers use",
                        characterise_, run_characterise,
                        "  kirchnet characterise cell.cir --subckt mycell --pins wl,bl --state w "
                        "--range 0:1 -o cell.h5\n"
                        "  kirchnet characterise cell.cir --subckt mycell --pins te,be,gate "
                        "--gate-voltage 1.5 --state gap --range 0.2:1.7 -o cell.h5\n"
                        "  kirchnet check --conductance G.csv --cell byo:cell.h5 --wl-segment 2");
        sub.add_option("cell", characterise_.cell,
                       "SPICE text with the cell's subcircuit; elements, analyses and controls "
                       "around it are left out")
            ->type_name("CELL.cir")
            ->required();
        sub.add_option("--subckt", characterise_.subcircuit,
                       "Subcircuit that is the cell [a file without any: its elements]")
            ->type_name("NAME");
        sub.add_option("--pins", characterise_.pins,
                       "Its pins at word line, bit line and, where it has one, gate")
            ->type_name("WL,BL[,GATE]")
            ->required();
        sub.add_option("--state", characterise_.state, "Its parameter that tells the state")
            ->type_name("PARAM")
            ->required();
        sub.add_option("--range", characterise_.range, "Range of the state")
            ->type_name("LO:HI")
            ->required();
        sub.add_option("--voltage", characterise_.voltage, "Voltages of the table [-0.3:0.3]")
            ->type_name("LO:HI");
        sub.add_option("--read-voltage", characterise_.read_voltage,
                       "Where a cell has its target conductance [0.2]")
            ->type_name("VOLT");
        sub.add_option("--gate-voltage", characterise_.gate_voltage,
                       "Of the gate, above the bit line [0]")
            ->type_name("VOLT");
        sub.add_option("--states", characterise_.states,
                       "States of the table [as many as it takes, 33 to 513]")
            ->type_name("N");
        sub.add_option("--time-limit", characterise_.time_limit_s, "Per sweep in ngspice [60]")
            ->type_name("SECONDS");
        sub.add_option("-o,--out", characterise_.out, "Cell file to write")
            ->type_name("CELL.h5")
            ->required();
        sub.add_flag("--json", characterise_.json, "One JSON object on standard output");
    }

    void add_import() {
        auto& sub = add("import", "A trained network into our network file", import_, run_import,
                        "  kirchnet import resnet20.h5 -o net.h5\n"
                        "  kirchnet import checkpoint.pth -o net.h5\n"
                        "  kirchnet import resnet20.h5 -o pruned.h5 --prune 0.5\n"
                        "  kirchnet import model.onnx -o net.h5 --mean 0.485,0.456,0.406 "
                        "--std 0.229,0.224,0.225\n"
                        "  kirchnet import lenet.safetensors -o net.h5 --input 1x28x28\n"
                        "  kirchnet import yolo.weights --cfg yolo.cfg -o yolo.h5");
        sub.add_option("source", import_.source,
                       "ONNX model, or state dict with PyTorch's parameter names (.h5, .pth, .pt, "
                       ".safetensors; nothing in it is run), or Darknet weights with --cfg")
            ->type_name("MODEL")
            ->required();
        sub.add_option("-o,--out", import_.out, "Network file to write")
            ->type_name("NET.h5")
            ->required();
        sub.add_option("--cfg", import_.cfg,
                       "Darknet configuration; the state is then .weights or has tensors named "
                       "layerNNN.conv.weight")
            ->type_name("NET.cfg");
        sub.add_option("--prune", import_.prune,
                       "Share of smallest |W| set to 0 in each convolution and linear layer [0]")
            ->type_name("P");
        sub.add_option("--mean", import_.mean,
                       "Of pixel / 255, per input channel [the file's, or 0]")
            ->type_name("R,G,B")
            ->delimiter(',');
        sub.add_option("--std", import_.deviation,
                       "Of pixel / 255, per input channel [the file's, or 1]")
            ->type_name("R,G,B")
            ->delimiter(',');
        sub.add_option("--input", import_.input,
                       "Shape of the images [the file's, or the usual one of the architecture]")
            ->type_name("CxHxW");
        sub.add_option("--array", import_.array, "Array size for the tile count [128x128]")
            ->type_name("MxN");
        sub.add_option("--bits-per-cell", import_.bits_per_cell,
                       "Bits per cell for the tile count, of 8-bit weights [0: one cell]")
            ->type_name("BITS");
        sub.add_flag("--json", import_.json, "One JSON object on standard output");
    }

    void add_prune() {
        auto& sub = add(
            "prune", "Take weights away, and let the others learn", prune_, run_prune,
            "  kirchnet prune net.h5 -o pruned.h5 --ratio 0.5\n"
            "  kirchnet prune net.h5 -o pruned.h5 --ratio 0.6 --method fine-tune --data cifar10\n"
            "  kirchnet prune net.h5 -o pruned.h5 --ratio 0.6 --layer-ratio conv1=0.2 "
            "--method admm --data cifar10 --epochs 4\n"
            "  kirchnet prune net.h5 -o pruned.h5 --ratio 0.6 --method admm --data cifar10 "
            "--epochs 4 --resume\n"
            "  kirchnet prune net.h5 -o pruned.h5 --method hpp --data cifar10 --images 1000 "
            "--mapping differential --rates 0.005 --trials 20");
        sub.add_option("network", prune_.network, "Network file, made by 'kirchnet import'")
            ->type_name("NET.h5")
            ->required();
        sub.add_option("-o,--out", prune_.out,
                       "Network file to write; hpp writes its log beside it")
            ->type_name("OUT.h5")
            ->required();
        sub.add_option("--method", prune_.method,
                       "one-shot (smallest |W|), fine-tune (then masked retraining), admm (before "
                       "it), or hpp (hierarchical, by accuracy on faulty chips) [one-shot]")
            ->type_name("METHOD");
        sub.add_option("--ratio", prune_.ratio,
                       "Share of weights to take from each convolution and linear layer")
            ->type_name("P");
        sub.add_option("--layer-ratio", prune_.layer_ratios,
                       "Ratio of one layer instead; may be repeated")
            ->type_name("NAME=P")
            ->take_all()
            ->allow_extra_args(false);
        add_key(sub, prune_.settings, "--data", "data",
                "Training and test images: CIFAR-10 folder, IDX folder, or images file (.h5)",
                "PATH");
        sub.add_flag("--json", prune_.json, "One JSON object on standard output");
        add_training_options(sub);
        add_hierarchical_options(sub);
    }

    void add_training_options(CLI::App& sub) {
        sub.add_option("--epochs", prune_.epochs, "Of masked retraining [2]")->type_name("N");
        sub.add_option("--learning-rate", prune_.learning_rate,
                       "Of SGD with momentum 0.9 at the start [0.02]")
            ->type_name("RATE");
        sub.add_option("--batch", prune_.batch_size, "Images per step [128]")->type_name("N");
        sub.add_option("--training-images", prune_.training_images,
                       "Train on the first so many alone [all]")
            ->type_name("N");
        sub.add_option("--augment", prune_.augment,
                       "crop-mirror (frame of 4, random crop, mirror), crop, none, or auto: "
                       "crop-mirror for images in colour [auto]")
            ->type_name("WORD");
        sub.add_option("--seed", prune_.seed, "Of order and augmentation of the images [1]")
            ->type_name("N");
        sub.add_option("--threads", prune_.threads,
                       "More than 1 may change the last digits of what is trained [1]")
            ->type_name("N");
        sub.add_option("--rho", prune_.rho,
                       "Of the first stage of ADMM, tenfold in each next [1e-3]")
            ->type_name("RHO");
        sub.add_option("--rho-stages", prune_.rho_stages, "Stages of ADMM [3]")->type_name("N");
        sub.add_option("--admm-epochs", prune_.admm_epochs, "Of each stage [2]")->type_name("N");
        sub.add_option("--admm-interval", prune_.admm_interval,
                       "Batches between updates of Z and U [an epoch]")
            ->type_name("N");
        sub.add_option("--checkpoint", prune_.checkpoint,
                       "State after each epoch, removed at the end [OUT.h5.checkpoint]")
            ->type_name("FILE");
        sub.add_flag("--resume", prune_.resume, "Go on from the checkpoint where there is one");
    }

    void add_hierarchical_options(CLI::App& sub) {
        auto& settings = prune_.settings;
        sub.add_option("--inner", prune_.inner,
                       "How hpp prunes: one-shot, fine-tune, admm [one-shot]")
            ->type_name("METHOD");
        sub.add_option("--candidates", prune_.candidates,
                       "Ratios hpp tries, ascending [0.1,...,0.9]")
            ->type_name("LIST")
            ->delimiter(',');
        sub.add_option("--rates", prune_.rates,
                       "Fault rates; hpp's accuracy is the mean over them [key faults.rate]")
            ->type_name("LIST")
            ->delimiter(',');
        sub.add_option("--trials", prune_.trials, "Faulty chips per rate [100]")->type_name("T");
        sub.add_option("--threshold", prune_.threshold,
                       "A step is taken if it loses less [points of accuracy] [0.2]")
            ->type_name("POINTS");
        sub.add_flag(
            "--advance-p", prune_.advance_p,
            "After a step not taken, go on to the next ratio (the paper's listing) instead "
            "of trying it again on fewer layers (its text)");
        sub.add_flag("--strict-best", prune_.strict_best,
                     "Keep the most accurate network, not the last that beat the one before it");
        add_key(sub, settings, "--images", "images",
                "hpp measures on the first N test images [all]", "N");
        add_key(sub, settings, "--mapping", "mapping.names",
                "hpp's two_column, offset or differential [two_column]", "MAPPING");
        add_set(sub, settings);
    }

    void add_faults() {
        auto& sub =
            add("faults", "Draw a fault map of a network's cells and save it", faults_, run_faults,
                "  kirchnet faults net.h5 --fault-rate 0.005 --seed 7 --trial 3 -o chip.h5\n"
                "  kirchnet compare net.h5 --data cifar10 --mapping two_column --faults chip.h5");
        add_source(sub, faults_.settings, faults_.experiment, true);
        add_chip_keys(sub, faults_.settings);
        add_set(sub, faults_.settings);
        sub.add_option("--mapping", faults_.mapping,
                       "Decides which cells exist [two_column, or that of a preset]")
            ->type_name("MAPPING");
        sub.add_option("-o,--out", faults_.out, "Fault map file")->type_name("F.h5");
        sub.add_flag("--json", faults_.json, "One JSON object on standard output");
    }

    void add_sweep() {
        auto& sub =
            add("sweep", "Many chips of many designs, resumable, shared out, replayable", sweep_,
                run_sweep,
                "  kirchnet sweep examples/yuan2021/f6.toml --set data=cifar10\n"
                "  kirchnet sweep plan.toml --resume             (after a stop or a kill)\n"
                "  kirchnet sweep plan.toml --shard 2/8          (then: kirchnet merge)\n"
                "  kirchnet sweep plan.toml --shard slurm        (in a Slurm job array)\n"
                "  kirchnet sweep plan.toml --replay 3/17        (point 3 on chip 17 again)\n"
                "  kirchnet sweep plan.toml --dry-run            (lists the points)");
        sub.add_option("plan", sweep_.plan, "What to vary, and how often (docs/methods/sweeps.md)")
            ->type_name("PLAN.toml")
            ->required();
        add_data_keys(sub, sweep_.settings);
        add_key(sub, sweep_.settings, "--images", "images", "Use the first N test images", "N");
        add_key(sub, sweep_.settings, "--threads", "run.threads", "0 = all cores [0]", "N");
        add_set(sub, sweep_.settings);
        sub.add_option("-o,--out", sweep_.out, "Results file [the plan's]")->type_name("R.h5");
        sub.add_option("--trials", sweep_.trials, "Chips per point [the plan's, or 100]")
            ->type_name("N");
        sub.add_flag("--resume", sweep_.resume, "Go on with a results file");
        sub.add_option("--shard", sweep_.shard, "This process's share, from 1: I/N, or slurm")
            ->type_name("I/N");
        sub.add_option("--replay", sweep_.replay,
                       "Run one unit again and compare; nothing is written")
            ->type_name("POINT/TRIAL");
        sub.add_flag("--json", sweep_.json, "One JSON object on standard output");
        sub.add_flag("--dry-run", sweep_.dry_run, "Print points and settings, and stop");
    }

    void add_merge() {
        auto& sub = add("merge", "Shards of one sweep into one results file", merge_, run_merge,
                        "  kirchnet merge f6-shard*of8.h5 -o f6.h5");
        sub.add_option("shards", merge_.shards, "Results files of one plan")
            ->type_name("R.h5")
            ->required();
        sub.add_option("-o,--out", merge_.out, "Results file to write")
            ->type_name("R.h5")
            ->required();
        sub.add_flag("--json", merge_.json, "One JSON object on standard output");
    }

    void add_report() {
        auto& sub =
            add("report", "Sweep results as one HTML page with charts, tables and gates", report_,
                run_report,
                "  kirchnet report f6.h5 -o f6.html\n"
                "  kirchnet report f6.h5 -o f6.html --check          (1 when a gate fails)\n"
                "  kirchnet report f6-shard*of8.h5 -o f6.html        (shards of one sweep)\n"
                "  kirchnet report f6.h5 yield.h5 -o both.html --json");
        sub.add_option("results", report_.results,
                       "Results files of sweeps; shards of one sweep are put together")
            ->type_name("R.h5")
            ->required();
        sub.add_option("-o,--out", report_.out,
                       "Page to write; figures (.svg) and their numbers (.csv) stand beside it")
            ->type_name("REPORT.html")
            ->required();
        sub.add_flag("--check", report_.check, "Exit code 1 when a gate fails");
        sub.add_flag("--json", report_.json,
                     "Gates, points and pairs as one JSON object on standard output");
    }

    void add_info() {
        auto& sub = add("info", "What is in a file of ours", info_, run_info,
                        "  kirchnet info net.h5\n  kirchnet info result.h5 --json");
        sub.add_option("file", info_.file, "Network, images, fault map, crossbar or result file")
            ->required();
        sub.add_flag("--json", info_.json, "One JSON object on standard output");
    }

    static double parse_read_voltage(const std::string& text);

    CLI::App app_{
        "What a ReRAM crossbar really computes: crossbar circuits of trained networks, "
        "solved exactly and checked by ngspice.",
        "kirchnet"};
    CompareArguments compare_;
    NonlinearArguments nonlinear_;
    NetlistArguments netlist_;
    DrawArguments draw_;
    PowerArguments power_;
    ReadoutArguments readout_;
    TraceArguments trace_;
    SettleArguments settle_;
    SolveArguments solve_;
    CheckArguments check_;
    CharacteriseArguments characterise_;
    ImportArguments import_;
    PruneArguments prune_;
    FaultsArguments faults_;
    SweepArguments sweep_;
    MergeArguments merge_;
    ReportArguments report_;
    InfoArguments info_;
    std::function<int()> command_;
};

double CommandLine::parse_read_voltage(const std::string& text) {
    const double voltage = parse_quantity(text, "--read-voltage");
    if (!(voltage > 0 && voltage < 100))
        throw InvalidInput("--read-voltage", text + " is not between 0 and 100 V");
    return voltage;
}

int report(int code, const std::string& message) {
    fmt::print(stderr, "kirchnet: {}\n", message);
    return code;
}

}  // namespace

int run_command_line(int argc, const char* const* argv, const NetworkPruner& pruner) {
    std::setlocale(LC_NUMERIC, "C");
    try {
        return CommandLine(pruner).parse_and_run(argc, argv);
    } catch (const InvalidInput& error) {
        return report(exit_bad_input, error.what());
    } catch (const Error& error) {
        return report(exit_failure, error.what());
    } catch (const std::bad_alloc&) {
        return report(exit_failure, "not enough memory");
    } catch (const std::exception& error) {
        return report(exit_failure, error.what());
    }
}

}  // namespace kirchnet
