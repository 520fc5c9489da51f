#include "tools/options/option_groups.hpp"

#include "circuit/units.hpp"

namespace kirchnet {

void add_key(CLI::App& app, Settings& settings, const std::string& flag, const std::string& key,
             const std::string& help, const std::string& type) {
    app.add_option_function<std::string>(
           flag, [&settings, key](const std::string& value) { settings.emplace_back(key, value); },
           help)
        ->type_name(type);
}

void add_set(CLI::App& app, Settings& settings) {
    app.add_option_function<std::vector<std::string>>(
           "--set",
           [&settings](const std::vector<std::string>& pairs) {
               for (const auto& pair : pairs) {
                   const auto equals = pair.find('=');
                   if (equals == std::string::npos)
                       throw CLI::ValidationError("--set",
                                                  "'" + pair + "' is not section.key=value");
                   settings.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
               }
           },
           "Any key of an experiment file; may be repeated")
        ->type_name("SECTION.KEY=VALUE")
        ->take_all()
        ->allow_extra_args(false);
}

void add_source(CLI::App& app, Settings& settings, std::string& experiment, bool required) {
    auto* option = app.add_option_function<std::vector<std::string>>(
        "network",
        [&settings, &experiment](const std::vector<std::string>& paths) {
            for (const auto& path : paths) {
                if (path.ends_with(".toml"))
                    experiment = path;
                else
                    settings.emplace_back("network", path);
            }
        },
        "Network file (.h5, made by 'kirchnet import') and/or experiment file (.toml)");
    option->type_name("NETWORK|EXPERIMENT.toml");
    if (required) option->required();
}

void add_chip_keys(CLI::App& app, Settings& settings) {
    add_key(app, settings, "--array", "array.size", "Word lines x bit lines of one array [128x128]",
            "MxN");
    add_key(app, settings, "--segment", "array.segment",
            "Wire resistance per cell pitch, both directions [1]", "OHM");
    add_key(app, settings, "--driver", "array.driver", "Resistance of each word-line driver [0]",
            "OHM");
    add_key(app, settings, "--sense", "array.sense", "Resistance of each read-out input [0]",
            "OHM");
    add_key(app, settings, "--drive", "array.drive",
            "Ends at which word lines are driven: left, right, both [left]", "SIDE");
    add_key(app, settings, "--sense-at", "array.sense_at",
            "Ends at which bit lines are read: bottom, top, both [bottom]", "SIDE");
    add_key(app, settings, "--g-on", "cells.on", "Conductance of a cell at LRS [1e-4]", "SIEMENS");
    add_key(app, settings, "--g-off", "cells.off", "Conductance of a cell at HRS [1e-6]",
            "SIEMENS");
    add_key(app, settings, "--access-resistance", "cells.access_resistance",
            "Resistance in series with each memory element, which makes up for it [0]", "OHM");
    add_key(app, settings, "--layout", "array.layout",
            "split: a pair is two arrays; interleaved: "
            "neighbouring bit lines of one [split]",
            "LAYOUT");
    add_key(app, settings, "--unused", "array.unused",
            "pad: arrays are full size; trim: exactly the used lines [pad]", "pad|trim");
    add_key(
        app, settings, "--preset", "preset",
        "A published design, set before all other options: ideal, pytorx, isaac, prime, neurosim",
        "NAME");
    add_key(app, settings, "--weight-bits", "mapping.weight_bits", "0 = continuous [8]", "BITS");
    add_key(app, settings, "--bits-per-cell", "mapping.bits_per_cell",
            "Weights are cut into cells of so many bits; 0 = one cell holds all [0]", "BITS");
    add_key(app, settings, "--fault-rate", "faults.rate", "Probability of a stuck cell [0]", "P");
    add_key(app, settings, "--fault-ratio", "faults.stuck_on_per_off",
            "Stuck-on per stuck-off cell [5.2]", "RATIO");
    add_key(app, settings, "--faults", "faults.map", "Fault map file instead of a rate", "F.h5");
    add_key(app, settings, "--arrays", "array.files",
            "Crossbar files of tiles, edited or measured, instead of what is drawn of them",
            "LIST");
    add_key(app, settings, "--seed", "faults.seed", "Seed of the fault draw [1]", "N");
    add_key(app, settings, "--trial", "faults.trial", "Which chip of that seed [0]", "K");
    add_key(app, settings, "--threads", "run.threads", "0 = all cores [0]", "N");
}

void add_data_keys(CLI::App& app, Settings& settings) {
    add_key(app, settings, "--data", "data",
            "Test images: CIFAR-10 folder or .bin/.bin.xz, IDX folder, or images file (.h5)",
            "PATH");
    add_key(app, settings, "--calibration", "calibration",
            "Images to fit converter ranges on [training part beside --data]", "PATH");
}

void add_converter_keys(CLI::App& app, Settings& settings) {
    add_key(app, settings, "--input-bits", "converters.input_bits",
            "Inputs of so many bits, read digit by digit; 0 = those of the DAC at once [0]",
            "BITS");
    add_key(app, settings, "--dac-bits", "converters.dac_bits", "Of one read; 0 = continuous [8]",
            "BITS");
    add_key(app, settings, "--adc-bits", "converters.adc_bits", "0 = continuous [8]", "BITS");
    add_key(app, settings, "--adc-range", "converters.adc_range",
            "full (worst case), calibrated (on images) or manual [calibrated]", "RANGE");
    add_key(app, settings, "--subtract", "converters.subtract",
            "Sides of a pair: before the ADC, or digitally after it [before]", "before|after");
    add_key(app, settings, "--calibrate-on", "converters.calibrate_on",
            "What the circuit arms' ADC ranges are fitted on [circuit]", "ideal|circuit");
}

void add_engine_keys(CLI::App& app, Settings& settings) {
    add_key(app, settings, "--engine", "run.engine", "transfer, nodal, ngspice or ideal [transfer]",
            "ENGINE");
    add_key(app, settings, "--operator-cache", "run.operator_cache",
            "Folder that keeps transfer matrices for the next run [none]", "DIR");
}

void add_nonlinear_keys(CLI::App& app, Settings& settings) {
    add_key(app, settings, "--cell", "cells.law",
            "Law of the cells: sinh:A for I = g sinh(A v) / A, stanford, 1s1r, 1t1r, "
            "table:FILE.csv, or byo:CELL.h5 of 'kirchnet characterise'",
            "LAW");
    add_key(app, settings, "--read-voltage", "cells.read_voltage",
            "Full-scale input, at which each cell has its target conductance [0.2]", "VOLT");
    add_key(app, settings, "--nonlinear-images", "nonlinear.images",
            "Run the first N test images through the network [2]", "N");
    add_key(app, settings, "--layers", "nonlinear.layers",
            "Layers to solve with these cells, with commas [all]", "LIST");
    add_key(app, settings, "--positions", "nonlinear.positions",
            "Kernel positions sampled per layer for its error; 0 = all [64]", "N");
}

void add_quantity(CLI::App& sub, const std::string& flag, double& value, const std::string& help,
                  const std::string& unit) {
    sub.add_option_function<std::string>(
           flag, [&value, flag](const std::string& text) { value = parse_quantity(text, flag); },
           help)
        ->type_name(unit);
}

void add_array_options(CLI::App& app, SolveArguments& arguments) {
    const std::string ohm = "OHM|FILE";
    app.add_option("--conductance", arguments.conductance,
                   "Conductances [S] of a given array: a line per word line (CSV, .npy, "
                   "FILE.h5:/name, or a crossbar file of ours)")
        ->type_name("G");
    app.add_option("--input", arguments.input,
                   "Read voltages [V] of the given array: a line per input vector")
        ->type_name("V");
    app.add_option("--wl-segment", arguments.word_line_segment,
                   "Its word-line resistance per cell [0]; inf = open")
        ->type_name(ohm);
    app.add_option("--bl-segment", arguments.bit_line_segment,
                   "Its bit-line resistance per cell [0]; inf = open")
        ->type_name(ohm);
    app.add_option("--cell", arguments.cell,
                   "Cell law: linear, sinh:A for I = G sinh(A v) / A, stanford, "
                   "1s1r[:is=A,vs=V,vr=V], 1t1r[:vg=V,vth=V,beta=A/V2,vr=V], table:FILE.csv, or "
                   "byo:CELL.h5 of 'kirchnet characterise' [linear]")
        ->type_name("LAW");

    app.add_flag("--no-end-segments", arguments.no_end_segments,
                 "No segment before its first and after its last cell");
}

}  // namespace kirchnet
