#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "circuit/geometry.hpp"
#include "tools/network_pruner.hpp"

// What each subcommand was asked for, as the command line says it.
namespace kirchnet {

struct SolveArguments {
    std::string conductance;
    std::string input;
    std::string word_line_segment = "0";  ///< ohm, inf, or a file with one value per line
    std::string bit_line_segment = "0";
    std::string driver = "0";
    std::string sense = "0";
    bool no_end_segments = false;
    std::string drive;             ///< empty: left
    std::string sense_at;          ///< empty: bottom
    std::string cell = "linear";   ///< as `named_cell_law` takes it
    double access_resistance = 0;  ///< [ohm] behind each given conductance
    double read_time = 10e-9;      ///< [s] of the pulse that may disturb cells that move
    std::string engine;            ///< empty: transfer, or nonlinear where the cells are
    std::string currents;          ///< empty: standard output, unless another output was asked for
    std::string voltages;
    std::string transfer;
    std::string operator_cache;  ///< folder; empty: none
    bool json = false;
};

struct CheckArguments {
    SolveArguments crossbar;  ///< used when `conductance` is given
    std::vector<std::pair<std::string, std::string>> settings;  ///< experiment keys for a network
    std::string experiment;                                     ///< TOML file, may be empty
    std::string layer;            ///< with `tile`: that tile alone; `all` of the network
    std::string tile;             ///< `all`: the layer's deck as a whole
    std::optional<Index> column;  ///< output of `tile` whose deck is compared as a whole
    std::size_t tiles = 20;
    std::string engines;  ///< empty: nodal,transfer,ngspice,ideal, with nonlinear in the place of
                          ///< transfer where the cells are
    std::optional<double> tolerance;  ///< 1e-9 for linear cells, 1e-6 for others
    bool large = false;
    double time_limit_s =
        0;  ///< per operating point in ngspice; 0: eight times what is expected, at least 120
    std::string out;
    bool json = false;
};

struct ImportArguments {
    std::string source;
    std::string cfg;  ///< Darknet configuration of `source`; empty: tensor names tell the network
    std::string out;
    double prune = 0;
    std::vector<float> mean;        ///< per input channel; empty: the file's, or 0
    std::vector<float> deviation;   ///< per input channel; empty: the file's, or 1
    std::string input;              ///< shape of the images; empty: the file's, or the usual one
    std::string array = "128x128";  ///< for the tile count of the summary
    int bits_per_cell = 0;          ///< likewise; of 8-bit weights
    bool json = false;
};

struct PruneArguments {
    std::string network;
    std::string out;
    std::string method = "one-shot";        ///< or fine-tune, admm, hpp
    std::optional<double> ratio;            ///< not of hpp
    std::vector<std::string> layer_ratios;  ///< NAME=RATIO
    /// Experiment keys: the data, and of hpp how accuracy is measured.
    std::vector<std::pair<std::string, std::string>> settings;

    std::size_t epochs = 2;  ///< of masked retraining
    std::size_t batch_size = 128;
    std::size_t training_images = 0;  ///< the first so many; 0: all
    double learning_rate = 0.02;
    std::string augment = "auto";  ///< crop-mirror for images in colour, else none
    std::uint64_t seed = 1;
    int threads = 1;
    double rho = 1e-3;  ///< of the first stage of ADMM
    std::size_t rho_stages = 3;
    std::size_t admm_epochs = 2;    ///< per stage
    std::size_t admm_interval = 0;  ///< batches between updates of Z and U; 0: an epoch
    bool resume = false;
    std::string checkpoint;  ///< empty: the result's name with `.checkpoint` behind it

    std::string inner = "one-shot";  ///< of hpp, as `method`
    std::vector<double> candidates;  ///< empty: 0.1 to 0.9
    std::vector<double> rates;       ///< of faults; empty: that of the key faults.rate
    std::uint32_t trials = 100;
    double threshold = 0.2;  ///< [points]
    bool advance_p = false;
    bool strict_best = false;

    bool json = false;
    NetworkPruner pruner;  ///< empty in the program without libtorch
    const char* const* command_line = nullptr;
};

struct NetlistArguments {
    std::vector<std::pair<std::string, std::string>> settings;
    std::string experiment;
    std::string mapping;  ///< empty: the experiment's only one, or two_column
    std::string layer;
    std::string tile = "0,0";
    int slice = 0;
    std::string input;
    std::size_t image = 0;
    std::size_t position = 0;
    std::size_t input_read = 0;               ///< of a DAC that reads inputs digit by digit
    std::optional<double> read_voltage = {};  ///< [V]; nothing: the experiment's
    std::string readout;                      ///< empty: as the experiment's key says
    bool flat = false;
    std::optional<std::int64_t> column;  ///< the only output of the tile that is kept
    std::string dialect = "ngspice";     ///< of flat decks: or spice3
    std::string out;                     ///< deck; of all layers a folder
    std::string save_crossbar;           ///< HDF5 file(s) of the tile's arrays
    std::string deck;                    ///< edited deck to read back; empty: write one
    std::string against;                 ///< crossbar file(s) it was made from; empty: the network
    bool solve = false;
    double time_limit_s = 120;  ///< of ngspice, per deck
    bool json = false;
};

struct TraceArguments {
    NetlistArguments tile;  ///< network, layer, place and drive, as for a deck
    std::string cell;       ///< instance name
    std::string weight;     ///< oc,ic,ky,kx
    std::string map;        ///< table of cells to write, .csv or .h5
    bool padding = false;   ///< with cells that hold no weight
    bool json = false;
};

struct CharacteriseArguments {
    std::string cell;                  ///< SPICE text
    std::string subcircuit;            ///< empty: the file's elements are the cell
    std::string pins;                  ///< word line's, bit line's[, gate's]
    std::string state;                 ///< name of the parameter
    std::string range;                 ///< of the state, LO:HI
    std::string voltage = "-0.3:0.3";  ///< [V] LO:HI
    double read_voltage = 0.2;         ///< [V]
    double gate_voltage = 0;           ///< [V] above the bit line
    std::optional<int> states;  ///< so many, whatever the error; nothing: as many as it takes
    double time_limit_s = 60;   ///< per sweep
    std::string out;
    bool json = false;
};

struct SettleArguments {
    NetlistArguments tile;              ///< network, layer, place, drive and read-out
    int bits = 8;                       ///< of the converter behind each output
    std::optional<double> range;        ///< it takes ± this; nothing: the read-out's
    double wire_capacitance = 3e-17;    ///< of a segment [F]
    double cell_capacitance = 2e-17;    ///< [F]
    double access_capacitance = 1e-16;  ///< drain of an access device [F]
    double rise_time = 1e-10;           ///< of the read voltages [s]
    std::optional<double> stop;         ///< [s]; nothing: as long as it takes
    std::size_t top = 10;               ///< rows of the table
    bool check = false;                 ///< the same circuit in ngspice; exit code 1 when apart
    bool large = false;
    std::string out;  ///< waveforms, .h5 or .csv; a figure beside it
    bool json = false;
};

struct PowerArguments {
    SolveArguments crossbar;  ///< used when `conductance` is given
    std::vector<std::pair<std::string, std::string>> settings;
    std::string experiment;
    std::string layers;               ///< names with commas; empty: all
    std::optional<double> read_time;  ///< [s]; nothing: key converters.cycle_time, or 100 ns
    double amplifier_current = 0;     ///< supply current of each amplifier [A]
    double amplifier_supply = 2.4;    ///< between its rails [V]
    double wire_area = 0;             ///< cross-section of a segment [m²]; 0: none given
    std::size_t strongest = 8;        ///< inputs per tile whose segment currents are looked at
    std::string out;
    bool json = false;
};

struct DrawArguments {
    SolveArguments crossbar;  ///< an array used when `conductance` is given; `input` of either
    std::vector<std::pair<std::string, std::string>> settings;
    std::string experiment;
    std::string mapping;  ///< empty: the experiment's only one, or two_column
    std::string layer;
    std::string tile = "0,0";
    int slice = 0;
    std::size_t image = 0;
    std::size_t position = 0;
    std::size_t input_read =
        0;                     ///< of inputs that go digit by digit; of a given array: which input
    std::string readout;       ///< empty: as the experiment's key says
    std::string what = "all";  ///< `schematic` and cell quantities, with commas
    std::optional<Index> bit_line;  ///< whose sensitivity; nothing: of each cell's own
    std::string out;                ///< FILE.svg, or what all files' names begin with
};

struct CompareArguments {
    std::vector<std::pair<std::string, std::string>> settings;
    std::string experiment;
    bool budget = false;  ///< one error source at a time, with confidence intervals
    bool json = false;
    bool dry_run = false;
};

struct NonlinearArguments {
    std::vector<std::pair<std::string, std::string>> settings;
    std::string experiment;
    bool json = false;
    bool dry_run = false;
};

struct SweepArguments {
    std::string plan;                                           ///< TOML file
    std::vector<std::pair<std::string, std::string>> settings;  ///< on top of its [experiment]
    std::string out;                                            ///< empty: as the plan says
    std::string shard;                                          ///< `I/N` or `slurm`; empty: all
    std::string replay;  ///< `POINT/TRIAL`: that unit alone, and nothing is written
    std::optional<std::uint32_t> trials;
    bool resume = false;
    bool json = false;
    bool dry_run = false;
};

struct MergeArguments {
    std::vector<std::string> shards;
    std::string out;
    bool json = false;
};

struct ReportArguments {
    std::vector<std::string> results;  ///< sweep results files
    std::string out;                   ///< the page
    bool check = false;                ///< exit code 1 when a gate fails
    bool json = false;
};

struct ReadoutArguments {
    std::vector<std::pair<std::string, std::string>> settings;
    std::string experiment;
    std::size_t strongest = 8;  ///< inputs looked at for largest currents
    bool json = false;
};

struct FaultsArguments {
    std::vector<std::pair<std::string, std::string>> settings;
    std::string experiment;
    std::string mapping;  ///< empty: the experiment's only one, or two_column
    std::string out;
    bool json = false;
};

struct InfoArguments {
    std::string file;
    bool json = false;
};

}  // namespace kirchnet
