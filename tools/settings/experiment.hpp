#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nn/comparison.hpp"

namespace kirchnet {

/// Everything `kirchnet compare` and `nonlinear` may be told, as a TOML file, by named flags or by
/// --set. Every setting has one key (`array.segment`), whichever way it arrives.
struct Experiment {
    std::string preset;  ///< published design whose settings were taken first; empty: none
    std::string network;
    std::string data;
    std::string calibration;  ///< empty: the training part beside `data`
    std::size_t images = 0;   ///< 0: all
    std::size_t calibration_images = 256;
    std::string out;

    ArrayShape array;
    double word_line_segment = 1;  ///< [ohm]
    double bit_line_segment = 1;   ///< [ohm]
    double driver = 0;             ///< [ohm]
    double sense = 0;              ///< [ohm]
    DriveSide drive = DriveSide::left;
    SenseSide sense_at = SenseSide::bottom;
    Layout layout = Layout::split;
    Unused unused = Unused::pad;
    Groups groups = Groups::packed;

    DeviceRange device;
    AccessResistance access;
    std::vector<Mapping> mappings{Mapping::two_column, Mapping::offset, Mapping::differential};
    int weight_bits = 8;
    int bits_per_cell = 0;  ///< 0: one cell holds the whole weight
    ConverterSettings converters;
    Subtraction subtraction = Subtraction::before;
    CorrectionSettings correction;  ///< of circuit arms

    FaultLaw fault_law;
    std::string fault_map;  ///< file; instead of a law
    std::uint64_t seed = 1;
    std::uint32_t trial = 0;

    /// Crossbar files of tiles that are known one by one, instead of what is drawn.
    std::vector<std::string> array_files;

    std::string cell_law = "linear";  ///< as `named_cell_law` takes it
    double read_voltage = 0.2;  ///< V_r [V]: a full-scale input, and where cells were programmed
    std::size_t nonlinear_images = 2;           ///< run with nonlinear cells; the first ones
    std::vector<std::string> nonlinear_layers;  ///< empty: all
    std::size_t nonlinear_positions = 64;       ///< sampled per layer; 0: all
    DeviceLaws device_laws;                     ///< drawn by the same seed and trial

    Readout readout_kind = Readout::ideal;  ///< of circuit arms
    bool has_converters = false;            ///< in decks, behind amplifiers
    LinearReadout readout;     ///< where it has amplifiers; seed and trial are those of the faults
    std::uint32_t trials = 0;  ///< of a budget; 0: 5 where something is random

    std::string engine = "transfer";
    std::string operator_cache;  ///< folder of transfer matrices already computed; empty: none
    int threads = 0;             ///< 0: all cores

    /// What the tiles of one mapping are made by.
    [[nodiscard]] TileSettings tile_settings(Mapping mapping) const;
    [[nodiscard]] bool has_faults() const { return fault_law.is_on() || !fault_map.empty(); }
    /// Reads the fault map where one is named.
    /// @throws InvalidInput  when both a law and a map are given, or the law is none
    [[nodiscard]] std::optional<FaultSource> fault_source() const;
    /// Nothing where every law is off.
    [[nodiscard]] std::optional<DeviceDraw> device_draw() const;
    /// Reads the files of `array.files`; null where there are none.
    /// @throws InvalidInput  when a file does not say which tile it is, repeats one, or is of
    ///                       another mapping
    [[nodiscard]] std::shared_ptr<const GivenArrays> given_arrays(Mapping mapping) const;
    /// With the seed and the trial of what ADCs draw.
    [[nodiscard]] ConverterSettings converter_settings() const;
    /// Nothing where the read-out is ideal.
    [[nodiscard]] std::optional<LinearReadout> linear_readout() const;
};

/// @param key    such as `array.segment`, which sets both segment resistances; `preset` sets all
///               keys of a design
/// @param value  as on the command line: SI suffixes, lists with commas
/// @throws InvalidInput  naming the key; for an unknown one, the nearest known keys
void set_key(Experiment& experiment, std::string_view key, std::string_view value);

/// A key's value as `set_key` takes it, numbers in full.
/// @throws InvalidInput  for an unknown key, with the nearest known ones
std::string key_text(const Experiment& experiment, std::string_view key);

/// Applies a TOML file on top of `experiment`, a preset that it names before its other keys.
/// @throws InvalidInput  naming file, line and column
void read_experiment(Experiment& experiment, const std::filesystem::path& path);

/// Defaults, then the TOML file (unless empty), then a preset among the settings, then their other
/// keys in the order given.
Experiment make_experiment(const std::string& toml_file,
                           const std::vector<std::pair<std::string, std::string>>& settings);

/// The experiment as TOML text that reads back as the same experiment. Values as its preset sets
/// them have their source beside them.
std::string to_toml(const Experiment& experiment);

/// The keys that differ from the defaults, one per line: `array.driver = 5`.
std::string changed_keys(const Experiment& experiment);

}  // namespace kirchnet
