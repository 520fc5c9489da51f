// Subcommands that run networks on circuits.
#include <CLI/CLI.hpp>

#include "circuit/units.hpp"
#include "tools/commands/commands.hpp"
#include "tools/options/option_groups.hpp"
#include "tools/options/subcommands.hpp"

namespace kirchnet {
namespace {

void add_compare(Subcommands& commands) {
    const auto added = commands.add<CompareArguments>(
        "compare", "Idealised against circuit-level accuracy, image by image", run_compare,
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
    CLI::App& sub = added.sub;
    CompareArguments& arguments = added.arguments;
    add_source(sub, arguments.settings, arguments.experiment, true);
    auto& settings = arguments.settings;
    add_data_keys(sub, settings);
    add_key(sub, settings, "--images", "images", "Use the first N test images [all]", "N");
    add_key(sub, settings, "--mapping", "mapping.names",
            "two_column, offset, differential: any, with commas [all three]", "LIST");
    add_chip_keys(sub, settings);
    add_converter_keys(sub, settings);
    add_engine_keys(sub, settings);
    add_key(sub, settings, "--out", "out", "Result file; report and plots are written beside it",
            "RESULT.h5");
    add_key(sub, settings, "--trials", "budget.trials",
            "Chips of a budget [5 where anything is random, else 1]", "N");
    add_set(sub, settings);
    sub.add_flag("--budget", arguments.budget,
                 "Add one error source at a time, and leave each out, with 95 % intervals");
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
    sub.add_flag("--dry-run", arguments.dry_run, "Print the experiment as TOML and stop");
}

void add_nonlinear(Subcommands& commands) {
    const auto added = commands.add<NonlinearArguments>(
        "nonlinear", "Are linear operators good enough for cells and amplifiers that are not?",
        run_nonlinear,
        "  kirchnet nonlinear net.h5 --data cifar10 --cell sinh:4 --mapping two_column "
        "--array 64x64\n"
        "  kirchnet nonlinear net.h5 --data cifar10 --cell table:cell.csv "
        "--layers conv1,fc --positions 0 --out n.h5\n"
        "  kirchnet nonlinear experiment.toml --cell sinh:4 --nonlinear-images 1 --json\n"
        "  kirchnet nonlinear net.h5 --data cifar10 --set readout.kind=opamp "
        "--set readout.feedback=2e4");
    CLI::App& sub = added.sub;
    NonlinearArguments& arguments = added.arguments;
    auto& settings = arguments.settings;
    add_source(sub, settings, arguments.experiment, true);
    add_data_keys(sub, settings);
    add_nonlinear_keys(sub, settings);
    add_key(sub, settings, "--mapping", "mapping.names",
            "two_column, offset, differential: any, with commas [all three]", "LIST");
    add_chip_keys(sub, settings);
    add_converter_keys(sub, settings);
    add_engine_keys(sub, settings);
    add_key(sub, settings, "--out", "out", "Record; a figure is written beside it", "RESULT.h5");
    add_set(sub, settings);
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
    sub.add_flag("--dry-run", arguments.dry_run, "Print the experiment as TOML and stop");
}

void add_power(Subcommands& commands) {
    const auto added = commands.add<PowerArguments>(
        "power", "Where the power of reading goes, and which wire carries most", run_power,
        "  kirchnet power net.h5 --data cifar10 --array 64x64 --segment 1\n"
        "  kirchnet power net.h5 --data cifar10 --images 20 --mapping differential --layer "
        "conv1,fc --read-time 50n --out p.h5\n"
        "  kirchnet power net.h5 --data cifar10 --set readout.kind=opamp --amplifier-current "
        "100u --wire-area 3.04e-15 --json\n"
        "  kirchnet power --conductance G.csv --input V.csv --wl-segment 1 --bl-segment 1");
    CLI::App& sub = added.sub;
    PowerArguments& arguments = added.arguments;
    add_source(sub, arguments.settings, arguments.experiment, false);
    add_data_keys(sub, arguments.settings);
    add_key(sub, arguments.settings, "--images", "images", "Use the first N test images [10]", "N");
    add_key(sub, arguments.settings, "--mapping", "mapping.names",
            "two_column, offset, differential: any, with commas [all three]", "LIST");
    add_array_options(sub, arguments.crossbar);
    add_chip_keys(sub, arguments.settings);
    add_key(sub, arguments.settings, "--read-voltage", "cells.read_voltage",
            "Of a full-scale input [0.2]", "VOLT");
    add_set(sub, arguments.settings);
    sub.add_option("--layer", arguments.layers, "Only these layers, with commas [all]")
        ->type_name("LIST");
    sub.add_option_function<std::string>(
           "--read-time",
           [&arguments](const std::string& text) {
               arguments.read_time = parse_quantity(text, "--read-time");
           },
           "How long a read takes [key converters.cycle_time, or 100n]")
        ->type_name("SECONDS");
    add_quantity(sub, "--amplifier-current", arguments.amplifier_current,
                 "Supply current of each amplifier of an op-amp read-out [0: not counted]",
                 "AMPERE");
    add_quantity(sub, "--amplifier-supply", arguments.amplifier_supply,
                 "Voltage between an amplifier's rails [2.4]", "VOLT");
    add_quantity(sub, "--wire-area", arguments.wire_area,
                 "Cross-section of a wire segment, for current density [m2]", "M2");
    sub.add_option("--strongest", arguments.strongest,
                   "Inputs per tile whose segment currents are looked at [8]")
        ->type_name("N");
    sub.add_option("--out", arguments.out, "Power of every array")->type_name("POWER.h5");
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
}

void add_readout(Subcommands& commands) {
    const auto added = commands.add<ReadoutArguments>(
        "readout", "What amplifiers meet before subtraction: common mode, swing, saturation",
        run_readout,
        "  kirchnet readout net.h5 --data cifar10 --array 64x64 --segment 1\n"
        "  kirchnet readout net.h5 --data cifar10 --images 20 --mapping differential "
        "--set readout.feedback=2k --set readout.swing=0.9\n"
        "  kirchnet readout net.h5 --data cifar10 --fault-rate 0.005 --json");
    CLI::App& sub = added.sub;
    ReadoutArguments& arguments = added.arguments;
    add_source(sub, arguments.settings, arguments.experiment, false);
    add_data_keys(sub, arguments.settings);
    add_key(sub, arguments.settings, "--images", "images", "Use the first N test images [10]", "N");
    add_key(sub, arguments.settings, "--mapping", "mapping.names",
            "two_column, offset, differential: any, with commas [all three]", "LIST");
    add_chip_keys(sub, arguments.settings);
    add_key(sub, arguments.settings, "--read-voltage", "cells.read_voltage",
            "Of a full-scale input [0.2]", "VOLT");
    add_set(sub, arguments.settings);
    sub.add_option("--strongest", arguments.strongest,
                   "Inputs per range of rows looked at for largest currents [8]")
        ->type_name("N");
    sub.add_flag("--json", arguments.json, "One JSON object on standard output");
}

}  // namespace

void add_inference_commands(Subcommands& commands) {
    add_compare(commands);
    add_nonlinear(commands);
    add_power(commands);
    add_readout(commands);
}

}  // namespace kirchnet
