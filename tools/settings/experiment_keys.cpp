#include "tools/settings/experiment_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "tools/settings/key_values.hpp"
#include "tools/settings/presets.hpp"

namespace kirchnet {
namespace {

using Key = ExperimentKey;
using Text = std::string_view;

std::vector<Mapping> parse_mappings(std::string_view text) {
    std::vector<Mapping> mappings;
    for (const auto part : split_list(text)) {
        const Mapping mapping = parse_mapping(part);
        if (std::find(mappings.begin(), mappings.end(), mapping) != mappings.end())
            throw InvalidInput(fmt::format("mapping '{}' is named twice", part));
        mappings.push_back(mapping);
    }
    return mappings;
}

std::string mappings_text(const Experiment& e) {
    std::string text = "[";
    for (const Mapping mapping : e.mappings)
        text += fmt::format("{}{}", text.size() > 1 ? ", " : "", toml_string(to_string(mapping)));
    return text + "]";
}

double parse_read_voltage(std::string_view text) {
    const double voltage = parse_quantity(text, "read voltage [V]");
    if (!(voltage > 0 && voltage < 100))
        throw InvalidInput(fmt::format("{} is not between 0 and 100 V", text));
    return voltage;
}

void set_law(Experiment& e, double DeviceLaws::*law, Text text, Text what) {
    e.device_laws.*law = parse_quantity(text, what);
    check(e.device_laws);
}

std::uint32_t parse_trials(Text text) {
    if (text == "auto") return 0;
    const auto trials = parse_integer<std::uint32_t>(text);
    if (trials == 0) throw InvalidInput("a budget needs at least one trial");
    return trials;
}

void apply_preset(Experiment& e, Text name) {
    if (!name.empty())
        for (const PresetKey& key : find_preset(name).keys) set_key(e, key.key, key.value);
    e.preset = name;
}

constexpr std::array design_keys{
    Key{"preset", apply_preset, [](const Experiment& e) { return toml_string(e.preset); }},
    Key{"network", [](Experiment& e, Text t) { e.network = t; },
        [](const Experiment& e) { return toml_string(e.network); }},
    Key{"data", [](Experiment& e, Text t) { e.data = t; },
        [](const Experiment& e) { return toml_string(e.data); }},
    Key{"calibration", [](Experiment& e, Text t) { e.calibration = t; },
        [](const Experiment& e) { return toml_string(e.calibration); }},
    Key{"images", [](Experiment& e, Text t) { e.images = parse_integer<std::size_t>(t); },
        [](const Experiment& e) { return fmt::to_string(e.images); }},
    Key{"calibration_images",
        [](Experiment& e, Text t) {
            e.calibration_images = parse_integer<std::size_t>(t);
            if (e.calibration_images == 0)
                throw InvalidInput("converter ranges need at least one image");
        },
        [](const Experiment& e) { return fmt::to_string(e.calibration_images); }},
    Key{"out", [](Experiment& e, Text t) { e.out = t; },
        [](const Experiment& e) { return toml_string(e.out); }},
    Key{"array.size", [](Experiment& e, Text t) { e.array = parse_array_shape(t); },
        [](const Experiment& e) { return toml_string(to_string(e.array)); }},
    Key{"array.word_line_segment",
        [](Experiment& e, Text t) { e.word_line_segment = positive_or_zero(t, "segment [ohm]"); },
        [](const Experiment& e) { return format_exact(e.word_line_segment); }},
    Key{"array.bit_line_segment",
        [](Experiment& e, Text t) { e.bit_line_segment = positive_or_zero(t, "segment [ohm]"); },
        [](const Experiment& e) { return format_exact(e.bit_line_segment); }},
    Key{"array.driver",
        [](Experiment& e, Text t) { e.driver = positive_or_zero(t, "driver [ohm]"); },
        [](const Experiment& e) { return format_exact(e.driver); }},
    Key{"array.sense", [](Experiment& e, Text t) { e.sense = positive_or_zero(t, "sense [ohm]"); },
        [](const Experiment& e) { return format_exact(e.sense); }},
    Key{"array.drive", [](Experiment& e, Text t) { e.drive = parse_drive_side(t); },
        [](const Experiment& e) { return toml_string(to_string(e.drive)); }},
    Key{"array.sense_at", [](Experiment& e, Text t) { e.sense_at = parse_sense_side(t); },
        [](const Experiment& e) { return toml_string(to_string(e.sense_at)); }},
    Key{"array.layout", [](Experiment& e, Text t) { e.layout = parse_layout(t); },
        [](const Experiment& e) { return toml_string(to_string(e.layout)); }},
    Key{"array.unused", [](Experiment& e, Text t) { e.unused = parse_unused(t); },
        [](const Experiment& e) { return toml_string(to_string(e.unused)); }},
    Key{"array.groups", [](Experiment& e, Text t) { e.groups = parse_groups(t); },
        [](const Experiment& e) { return toml_string(to_string(e.groups)); }},
    Key{"array.files", [](Experiment& e, Text t) { e.array_files = parse_texts(t); },
        [](const Experiment& e) { return toml_list(e.array_files); }},
    Key{"cells.on", [](Experiment& e, Text t) { e.device.on = parse_quantity(t, "cells.on [S]"); },
        [](const Experiment& e) { return format_exact(e.device.on); }},
    Key{"cells.off",
        [](Experiment& e, Text t) { e.device.off = parse_quantity(t, "cells.off [S]"); },
        [](const Experiment& e) { return format_exact(e.device.off); }},
    Key{"cells.access_resistance",
        [](Experiment& e, Text t) {
            e.access.resistance = positive_or_zero(t, "access resistance [ohm]");
        },
        [](const Experiment& e) { return format_exact(e.access.resistance); }},
    Key{"cells.precompensate",
        [](Experiment& e, Text t) { e.access.precompensate = parse_truth(t); },
        [](const Experiment& e) { return std::string(e.access.precompensate ? "true" : "false"); }},
    Key{"cells.law", [](Experiment& e, Text t) { e.cell_law = t; },
        [](const Experiment& e) { return toml_string(e.cell_law); }},
    Key{"cells.read_voltage", [](Experiment& e, Text t) { e.read_voltage = parse_read_voltage(t); },
        [](const Experiment& e) { return format_exact(e.read_voltage); }},
    Key{"mapping.names", [](Experiment& e, Text t) { e.mappings = parse_mappings(t); },
        mappings_text},
    Key{"mapping.weight_bits", [](Experiment& e, Text t) { e.weight_bits = parse_integer<int>(t); },
        [](const Experiment& e) { return fmt::to_string(e.weight_bits); }},
    Key{"mapping.bits_per_cell",
        [](Experiment& e, Text t) { e.bits_per_cell = parse_integer<int>(t); },
        [](const Experiment& e) { return fmt::to_string(e.bits_per_cell); }},
};

constexpr std::array device_keys{
    Key{"nonlinear.images",
        [](Experiment& e, Text t) {
            e.nonlinear_images = parse_integer<std::size_t>(t);
            if (e.nonlinear_images == 0) throw InvalidInput("a study needs at least one image");
        },
        [](const Experiment& e) { return fmt::to_string(e.nonlinear_images); }},
    Key{"nonlinear.layers", [](Experiment& e, Text t) { e.nonlinear_layers = parse_texts(t); },
        [](const Experiment& e) { return toml_list(e.nonlinear_layers); }},
    Key{"nonlinear.positions",
        [](Experiment& e, Text t) { e.nonlinear_positions = parse_integer<std::size_t>(t); },
        [](const Experiment& e) { return fmt::to_string(e.nonlinear_positions); }},
    Key{"device.variation",
        [](Experiment& e, Text t) { set_law(e, &DeviceLaws::variation, t, "device variation"); },
        [](const Experiment& e) { return format_exact(e.device_laws.variation); }},
    Key{"device.programming_error",
        [](Experiment& e, Text t) {
            set_law(e, &DeviceLaws::programming_error, t, "programming error");
        },
        [](const Experiment& e) { return format_exact(e.device_laws.programming_error); }},
    Key{"device.programming_slope",
        [](Experiment& e, Text t) {
            set_law(e, &DeviceLaws::programming_slope, t, "programming slope");
        },
        [](const Experiment& e) { return format_exact(e.device_laws.programming_slope); }},
    Key{"device.read_noise",
        [](Experiment& e, Text t) { set_law(e, &DeviceLaws::read_noise, t, "read noise"); },
        [](const Experiment& e) { return format_exact(e.device_laws.read_noise); }},
    Key{"device.drift_nu",
        [](Experiment& e, Text t) { set_law(e, &DeviceLaws::drift_nu, t, "drift exponent"); },
        [](const Experiment& e) { return format_exact(e.device_laws.drift_nu); }},
    Key{"device.drift_spread",
        [](Experiment& e, Text t) { set_law(e, &DeviceLaws::drift_spread, t, "drift spread"); },
        [](const Experiment& e) { return format_exact(e.device_laws.drift_spread); }},
    Key{"device.time_ratio",
        [](Experiment& e, Text t) { set_law(e, &DeviceLaws::time_ratio, t, "drift time ratio"); },
        [](const Experiment& e) { return format_exact(e.device_laws.time_ratio); }},
};

constexpr std::array run_keys{
    Key{"correction.kind",
        [](Experiment& e, Text t) { e.correction.kind = parse_correction_kind(t); },
        [](const Experiment& e) { return toml_string(to_string(e.correction.kind)); }},
    Key{"correction.fit_on",
        [](Experiment& e, Text t) { e.correction.fit_on = parse_correction_fit(t); },
        [](const Experiment& e) { return toml_string(to_string(e.correction.fit_on)); }},
    Key{"budget.trials", [](Experiment& e, Text t) { e.trials = parse_trials(t); },
        [](const Experiment& e) {
            return e.trials == 0 ? toml_string("auto") : fmt::to_string(e.trials);
        }},
    Key{"run.engine", [](Experiment& e, Text t) { e.engine = t; },
        [](const Experiment& e) { return toml_string(e.engine); }},
    Key{"run.operator_cache", [](Experiment& e, Text t) { e.operator_cache = t; },
        [](const Experiment& e) { return toml_string(e.operator_cache); }},
    Key{"run.threads", [](Experiment& e, Text t) { e.threads = parse_integer<int>(t); },
        [](const Experiment& e) { return fmt::to_string(e.threads); }},
};

}  // namespace

const std::vector<ExperimentKey>& experiment_keys() {
    static const std::vector<Key> all = [] {
        std::vector<Key> keys;
        for (const std::span<const Key> part :
             {std::span<const Key>(design_keys), converter_keys(), fault_keys(),
              std::span<const Key>(device_keys), readout_keys(), std::span<const Key>(run_keys)})
            keys.insert(keys.end(), part.begin(), part.end());
        return keys;
    }();
    return all;
}

}  // namespace kirchnet
