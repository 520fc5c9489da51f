#include "tools/settings/experiment.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "circuit/error.hpp"
#include "data/crossbar_file.hpp"
#include "data/fault_map_file.hpp"
#include "tools/settings/experiment_keys.hpp"
#include "tools/settings/presets.hpp"
#include "tools/settings/retired_keys.hpp"
#include "tools/settings/toml_input.hpp"

namespace kirchnet {
namespace {

std::size_t edit_distance(std::string_view x, std::string_view y) {
    std::vector<std::size_t> row(y.size() + 1);
    for (std::size_t j = 0; j <= y.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= x.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= y.size(); ++j)
            diagonal = std::exchange(
                row[j], std::min({row[j] + 1, row[j - 1] + 1,
                                  diagonal + (x[i - 1] == y[j - 1] ? std::size_t{0} : 1)}));
    }
    return row.back();
}

std::string_view nearest_key(std::string_view name) {
    const auto& keys = experiment_keys();
    return std::min_element(keys.begin(), keys.end(),
                            [&](const ExperimentKey& x, const ExperimentKey& y) {
                                return edit_distance(x.name, name) < edit_distance(y.name, name);
                            })
        ->name;
}

/// @param asked  as the user called it
/// @throws InvalidInput  for an unknown key, with the nearest known one
const ExperimentKey& find_key(std::string_view name, std::string_view asked) {
    const auto& keys = experiment_keys();
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [&](const ExperimentKey& key) { return key.name == name; });
    if (found == keys.end())
        throw InvalidInput(
            fmt::format("unknown key '{}'; did you mean {}?", asked, nearest_key(asked)));
    return *found;
}

void apply_node(Experiment& experiment, const std::string& key, const toml::node& node,
                const std::filesystem::path& path) {
    try {
        set_key(experiment, key, text_of(node));
    } catch (const InvalidInput& error) {
        throw InvalidInput(place_of(path, node), error.what());
    }
}

void apply_table(Experiment& experiment, const toml::table& table, const std::string& prefix,
                 const std::filesystem::path& path) {
    for (const auto& [name, node] : table) {
        const std::string key = prefix + std::string(name.str());
        if (const auto* inner = node.as_table())
            apply_table(experiment, *inner, key + ".", path);
        else if (key != preset_key)
            apply_node(experiment, key, node, path);
    }
}

/// What stands behind a value that is as the experiment's preset sets it.
std::string source_comment(const Experiment& experiment, const ExperimentKey& key) {
    if (experiment.preset.empty()) return {};
    const auto settings = find_preset(experiment.preset).keys;
    const auto found = std::find_if(settings.begin(), settings.end(),
                                    [&](const PresetKey& its) { return its.key == key.name; });
    if (found == settings.end()) return {};
    Experiment as_set;
    key.set(as_set, found->value);
    if (key.get(as_set) != key.get(experiment)) return {};
    return fmt::format("  # {}: {}", experiment.preset, found->source);
}

}  // namespace

TileSettings Experiment::tile_settings(Mapping mapping) const {
    TileSettings settings;
    settings.array = array;
    settings.mapping = mapping;
    settings.layout = layout;
    settings.unused = unused;
    settings.groups = groups;
    settings.weight_bits = weight_bits;
    settings.bits_per_cell = bits_per_cell;
    settings.subtraction = subtraction;
    settings.reference_column = correction.kind == CorrectionKind::reference_column;
    settings.device = device;
    settings.access = access;
    settings.wires.word_line_segment = word_line_segment;
    settings.wires.bit_line_segment = bit_line_segment;
    settings.wires.driver = driver;
    settings.wires.sense = sense;
    settings.wires.drive = drive;
    settings.wires.sense_at = sense_at;
    return settings;
}

std::optional<FaultSource> Experiment::fault_source() const {
    if (!fault_map.empty() && fault_law.is_on())
        throw InvalidInput("faults", "give a law or a map, not both");
    if (!fault_map.empty()) return read_fault_map(fault_map);
    check(fault_law);
    if (fault_law.is_on()) return FaultDraw{fault_law, seed, trial};
    return std::nullopt;
}

std::optional<DeviceDraw> Experiment::device_draw() const {
    if (!device_laws.is_on()) return std::nullopt;
    return DeviceDraw{device_laws, seed, trial};
}

std::shared_ptr<const GivenArrays> Experiment::given_arrays(Mapping mapping) const {
    if (array_files.empty()) return {};
    auto given = std::make_shared<GivenArrays>();
    for (const std::string& file : array_files) {
        TileArraysFile tile = read_tile_arrays(file);
        if (!tile.origin)
            throw InvalidInput(file,
                               "does not say which tile of a network it is; 'kirchnet netlist "
                               "--save-crossbar' writes files that do");
        if (tile.origin->mapping != mapping)
            throw InvalidInput(file,
                               fmt::format("is of mapping {}, not {}; say --mapping {}",
                                           to_string(tile.origin->mapping), to_string(mapping),
                                           to_string(tile.origin->mapping)));
        if (given->find(tile.origin->tile) != nullptr)
            throw InvalidInput(file, "gives a tile that another file gives already");
        given->set(tile.origin->tile, std::move(tile.arrays));
    }
    return given;
}

ConverterSettings Experiment::converter_settings() const {
    ConverterSettings result = converters;
    result.adc_errors.seed = seed;
    result.adc_errors.trial = trial;
    return result;
}

std::optional<LinearReadout> Experiment::linear_readout() const {
    if (readout_kind == Readout::ideal) return std::nullopt;
    LinearReadout result = readout;
    result.read_voltage = read_voltage;
    result.seed = seed;
    result.trial = trial;
    return result;
}

void set_key(Experiment& experiment, std::string_view key, std::string_view value) {
    if (key == "array.segment") {
        set_key(experiment, "array.word_line_segment", value);
        set_key(experiment, "array.bit_line_segment", value);
        return;
    }
    if (const RetiredKey* retired = find_retired_key(key)) {
        if (value == retired->neutral) return;
        throw InvalidInput(std::string(key), std::string(retired->instead));
    }
    const ExperimentKey& found = find_key(key, key);
    try {
        found.set(experiment, value);
    } catch (const InvalidInput& error) {
        throw InvalidInput(std::string(key), error.what());
    }
}

std::string key_text(const Experiment& experiment, std::string_view key) {
    // What sets both segments says that of the word lines.
    const std::string_view name =
        key == "array.segment" ? std::string_view("array.word_line_segment") : key;
    const ExperimentKey& found = find_key(name, key);
    return text_of(*toml::parse("value = " + found.get(experiment)).get("value"));
}

void apply_toml(Experiment& experiment, const toml::table& table,
                const std::filesystem::path& path) {
    if (const toml::node* preset = table.get(preset_key))
        apply_node(experiment, std::string(preset_key), *preset, path);
    apply_table(experiment, table, "", path);
}

void read_experiment(Experiment& experiment, const std::filesystem::path& path) {
    apply_toml(experiment, parse_toml(path), path);
}

Experiment make_experiment(const std::string& toml_file,
                           const std::vector<std::pair<std::string, std::string>>& settings) {
    Experiment experiment;
    if (!toml_file.empty()) read_experiment(experiment, toml_file);
    for (const auto& [key, value] : settings)
        if (key == preset_key) set_key(experiment, key, value);
    for (const auto& [key, value] : settings)
        if (key != preset_key) set_key(experiment, key, value);
    return experiment;
}

std::string changed_keys(const Experiment& experiment) {
    const Experiment defaults;
    std::string text;
    for (const ExperimentKey& key : experiment_keys())
        if (const std::string value = key.get(experiment); value != key.get(defaults))
            text += fmt::format("{} = {}\n", key.name, value);
    return text;
}

std::string to_toml(const Experiment& experiment) {
    std::string text;
    std::string section;
    for (const ExperimentKey& key : experiment_keys()) {
        const auto dot = key.name.find('.');
        const std::string_view its_section =
            dot == std::string_view::npos ? std::string_view{} : key.name.substr(0, dot);
        if (its_section != section) {
            section = its_section;
            text += fmt::format("\n[{}]\n", section);
        }
        const std::string_view name =
            dot == std::string_view::npos ? key.name : key.name.substr(dot + 1);
        text +=
            fmt::format("{} = {}{}\n", name, key.get(experiment), source_comment(experiment, key));
    }
    return text;
}

}  // namespace kirchnet
