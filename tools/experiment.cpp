#include "tools/experiment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "data/crossbar_file.hpp"
#include "data/fault_map_file.hpp"
#include "tools/presets.hpp"
#include "tools/toml_input.hpp"

namespace kirchnet {
namespace {

std::vector<std::string_view> split_list(std::string_view text) {
    std::vector<std::string_view> parts;
    while (true) {
        const auto comma = text.find(',');
        parts.push_back(text.substr(0, comma));
        if (comma == std::string_view::npos) return parts;
        text.remove_prefix(comma + 1);
    }
}

template <typename Integer>
Integer parse_integer(std::string_view text) {
    Integer value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc{} || end != text.data() + text.size())
        throw InvalidInput(fmt::format("'{}' is not a whole number in range", text));
    return value;
}

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

std::string toml_string(std::string_view text) {
    std::string result = "\"";
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') result += '\\';
        if (static_cast<unsigned char>(letter) < 0x20)
            result += fmt::format("\\u{:04X}", static_cast<unsigned>(letter));
        else
            result += letter;
    }
    return result + '"';
}

std::string mappings_text(const Experiment& e) {
    std::string text = "[";
    for (const Mapping mapping : e.mappings)
        text += fmt::format("{}{}", text.size() > 1 ? ", " : "", toml_string(to_string(mapping)));
    return text + "]";
}

std::string texts(const std::vector<std::string>& list) {
    std::string text = "[";
    for (const std::string& item : list) text += (text.size() > 1 ? ", " : "") + toml_string(item);
    return text + "]";
}

std::vector<std::string> parse_texts(std::string_view list) {
    if (list.empty()) return {};
    const auto parts = split_list(list);
    return {parts.begin(), parts.end()};
}

bool parse_truth(std::string_view text) {
    if (text == "true" || text == "false") return text == "true";
    throw InvalidInput(fmt::format("'{}' is neither true nor false", text));
}

double parse_read_voltage(std::string_view text) {
    const double voltage = parse_quantity(text, "read voltage [V]");
    if (!(voltage > 0 && voltage < 100))
        throw InvalidInput(fmt::format("{} is not between 0 and 100 V", text));
    return voltage;
}

double positive_or_zero(std::string_view text, std::string_view what) {
    const double value = parse_quantity(text, what);
    if (value < 0) throw InvalidInput(std::string(what), fmt::format("{} is negative", text));
    return value;
}

using Text = std::string_view;

void set_law(Experiment& e, double DeviceLaws::*law, Text text, Text what) {
    e.device_laws.*law = parse_quantity(text, what);
    check(e.device_laws);
}

void set_readout(Experiment& e, double& quantity, Text text) {
    quantity = parse_quantity(text, "read-out");
    check(e.readout);
}

std::vector<double> parse_inl(Text list) {
    std::vector<double> inl;
    for (const std::string& entry : parse_texts(list))
        inl.push_back(parse_quantity(entry, "INL [LSB]"));
    return inl;
}

std::string numbers(const std::vector<double>& list) {
    std::string text = "[";
    for (const double entry : list) text += (text.size() > 1 ? ", " : "") + format_exact(entry);
    return text + "]";
}

void set_inl(Experiment& e, Text list) {
    e.readout.circuit.adc.inl = parse_inl(list);
    check(e.readout);
}

void set_adc_error(Experiment& e, double& quantity, Text text) {
    quantity = parse_quantity(text, "ADC error");
    check(e.converters.adc_errors);
}

/// Two conductances, the lower first.
void set_stuck_at_range(Experiment& e, Text list) {
    const std::vector<std::string> ends = parse_texts(list);
    if (ends.size() != 2)
        throw InvalidInput(fmt::format("'{}' is not two conductances such as 1u,100u", list));
    FaultLaw law = e.fault_law;
    law.cells.lowest = parse_quantity(ends[0], "lowest conductance [S]");
    law.cells.highest = parse_quantity(ends[1], "highest conductance [S]");
    check(law);
    e.fault_law = law;
}

std::uint32_t parse_trials(Text text) {
    if (text == "auto") return 0;
    const auto trials = parse_integer<std::uint32_t>(text);
    if (trials == 0) throw InvalidInput("a budget needs at least one trial");
    return trials;
}

constexpr Text preset_key = "preset";

struct Key {
    Text name;
    void (*set)(Experiment&, Text);
    std::string (*get)(const Experiment&);
};

/// Sets one field of the converters, checked on its own so that the key is named.
template <typename Value>
void set_converter(Experiment& e, Value ConverterSettings::*field, Value value) {
    ConverterSettings alone;
    alone.*field = value;
    check(alone);
    e.converters.*field = value;
}

template <typename Value>
void set_timing(Experiment& e, Value ConverterTiming::*field, Value value) {
    ConverterSettings alone;
    alone.timing.*field = value;
    check(alone);
    e.converters.timing.*field = value;
}

void apply_preset(Experiment& e, Text name) {
    if (!name.empty())
        for (const PresetKey& key : find_preset(name).keys) set_key(e, key.key, key.value);
    e.preset = name;
}

/// A number of the read-out.
/// @tparam Field  what it is of a `LinearReadout`
template <auto Field>
constexpr Key readout_key(Text name) {
    return {name, [](Experiment& e, Text t) { set_readout(e, Field(e.readout), t); },
            [](const Experiment& e) {
                LinearReadout readout = e.readout;
                return format_exact(Field(readout));
            }};
}

/// A number of the network's ADCs.
/// @tparam Field  what it is of `AdcErrors`
template <auto Field>
constexpr Key adc_error_key(Text name) {
    return {name,
            [](Experiment& e, Text t) { set_adc_error(e, e.converters.adc_errors.*Field, t); },
            [](const Experiment& e) { return format_exact(e.converters.adc_errors.*Field); }};
}

/// A number of the fault law.
/// @tparam Field  what it is of a `FaultLaw`
template <auto Field>
constexpr Key fault_key(Text name) {
    return {name,
            [](Experiment& e, Text t) {
                // By itself, so that the key is named; `fault_source` checks them together.
                FaultLaw alone;
                Field(alone) = parse_quantity(t, "value");
                check(alone);
                Field(e.fault_law) = Field(alone);
            },
            [](const Experiment& e) {
                FaultLaw law = e.fault_law;
                return format_exact(Field(law));
            }};
}

/// The one list of settings: TOML files, flags, --set and `to_toml` all go through it.
constexpr std::array keys{
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
        [](const Experiment& e) { return texts(e.array_files); }},
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
    Key{"converters.dac_bits",
        [](Experiment& e, Text t) { e.converters.dac_bits = parse_integer<int>(t); },
        [](const Experiment& e) { return fmt::to_string(e.converters.dac_bits); }},
    Key{"converters.input_bits",
        [](Experiment& e, Text t) { e.converters.input_bits = parse_integer<int>(t); },
        [](const Experiment& e) { return fmt::to_string(e.converters.input_bits); }},
    Key{"converters.signed_inputs",
        [](Experiment& e, Text t) { e.converters.signed_inputs = parse_signed_inputs(t); },
        [](const Experiment& e) { return toml_string(to_string(e.converters.signed_inputs)); }},
    Key{"converters.adc_bits",
        [](Experiment& e, Text t) { e.converters.adc_bits = parse_integer<int>(t); },
        [](const Experiment& e) { return fmt::to_string(e.converters.adc_bits); }},
    Key{"converters.calibrate_on",
        [](Experiment& e, Text t) { e.converters.calibrate_on = parse_operators(t); },
        [](const Experiment& e) { return toml_string(to_string(e.converters.calibrate_on)); }},
    Key{"converters.adc_range",
        [](Experiment& e, Text t) { e.converters.adc_range = parse_adc_range(t); },
        [](const Experiment& e) { return toml_string(to_string(e.converters.adc_range)); }},
    Key{"converters.adc_percentile",
        [](Experiment& e, Text t) {
            set_converter(e, &ConverterSettings::adc_percentile, parse_quantity(t, "percentile"));
        },
        [](const Experiment& e) { return format_exact(e.converters.adc_percentile); }},
    Key{"converters.adc_full_scale",
        [](Experiment& e, Text t) {
            set_converter(e, &ConverterSettings::adc_full_scale, parse_quantity(t, "share"));
        },
        [](const Experiment& e) { return format_exact(e.converters.adc_full_scale); }},
    adc_error_key<&AdcErrors::offset>("converters.adc_offset"),
    adc_error_key<&AdcErrors::offset_deviation>("converters.adc_offset_deviation"),
    adc_error_key<&AdcErrors::gain>("converters.adc_gain"),
    adc_error_key<&AdcErrors::gain_deviation>("converters.adc_gain_deviation"),
    Key{"converters.adc_inl",
        [](Experiment& e, Text t) {
            e.converters.adc_errors.inl = parse_inl(t);
            check(e.converters.adc_errors);
        },
        [](const Experiment& e) { return numbers(e.converters.adc_errors.inl); }},
    adc_error_key<&AdcErrors::noise>("converters.adc_noise"),
    Key{"converters.subtract", [](Experiment& e, Text t) { e.subtraction = parse_subtraction(t); },
        [](const Experiment& e) { return toml_string(to_string(e.subtraction)); }},
    Key{"converters.columns_per_adc",
        [](Experiment& e, Text t) {
            set_timing(e, &ConverterTiming::columns_per_adc, parse_integer<int>(t));
        },
        [](const Experiment& e) { return fmt::to_string(e.converters.timing.columns_per_adc); }},
    Key{"converters.adc_rate",
        [](Experiment& e, Text t) {
            set_timing(e, &ConverterTiming::adc_rate, parse_quantity(t, "samples per second"));
        },
        [](const Experiment& e) { return format_exact(e.converters.timing.adc_rate); }},
    Key{"converters.cycle_time",
        [](Experiment& e, Text t) {
            set_timing(e, &ConverterTiming::cycle_time, parse_quantity(t, "time [s]"));
        },
        [](const Experiment& e) { return format_exact(e.converters.timing.cycle_time); }},
    fault_key<[](FaultLaw& law) -> double& { return law.rate; }>("faults.rate"),
    fault_key<[](FaultLaw& law) -> double& { return law.stuck_on_per_off; }>(
        "faults.stuck_on_per_off"),
    fault_key<[](FaultLaw& law) -> double& { return law.cells.open_via; }>("faults.open_via"),
    fault_key<[](FaultLaw& law) -> double& { return law.cells.open_transistor; }>(
        "faults.open_transistor"),
    fault_key<[](FaultLaw& law) -> double& { return law.cells.shorted_transistor; }>(
        "faults.shorted_transistor"),
    fault_key<[](FaultLaw& law) -> double& { return law.cells.stuck_at; }>("faults.stuck_at"),
    Key{"faults.stuck_at_range", set_stuck_at_range,
        [](const Experiment& e) {
            return fmt::format("[{}, {}]", format_exact(e.fault_law.cells.lowest),
                               format_exact(e.fault_law.cells.highest));
        }},
    fault_key<[](FaultLaw& law) -> double& { return law.lines.word_line_open; }>(
        "faults.word_line_open"),
    fault_key<[](FaultLaw& law) -> double& { return law.lines.word_line_short; }>(
        "faults.word_line_short"),
    fault_key<[](FaultLaw& law) -> double& { return law.lines.word_line_bridge; }>(
        "faults.word_line_bridge"),
    fault_key<[](FaultLaw& law) -> double& { return law.lines.bit_line_open; }>(
        "faults.bit_line_open"),
    fault_key<[](FaultLaw& law) -> double& { return law.lines.bit_line_short; }>(
        "faults.bit_line_short"),
    fault_key<[](FaultLaw& law) -> double& { return law.lines.bit_line_bridge; }>(
        "faults.bit_line_bridge"),
    fault_key<[](FaultLaw& law) -> double& { return law.lines.bridge_resistance; }>(
        "faults.bridge_resistance"),
    fault_key<[](FaultLaw& law) -> double& { return law.clusters.per_array; }>("faults.clusters"),
    Key{"faults.cluster_shape",
        [](Experiment& e, Text t) { e.fault_law.clusters.shape = parse_cluster_shape(t); },
        [](const Experiment& e) { return toml_string(to_string(e.fault_law.clusters.shape)); }},
    Key{"faults.cluster_size",
        [](Experiment& e, Text t) { e.fault_law.clusters.size = parse_integer<int>(t); },
        [](const Experiment& e) { return fmt::to_string(e.fault_law.clusters.size); }},
    fault_key<[](FaultLaw& law) -> double& { return law.clusters.density; }>(
        "faults.cluster_density"),
    Key{"faults.map", [](Experiment& e, Text t) { e.fault_map = t; },
        [](const Experiment& e) { return toml_string(e.fault_map); }},
    Key{"faults.seed", [](Experiment& e, Text t) { e.seed = parse_integer<std::uint64_t>(t); },
        [](const Experiment& e) {
            // TOML's integers are signed.
            const std::string text = fmt::to_string(e.seed);
            return e.seed >> 63U == 0 ? text : toml_string(text);
        }},
    Key{"faults.trial", [](Experiment& e, Text t) { e.trial = parse_integer<std::uint32_t>(t); },
        [](const Experiment& e) { return fmt::to_string(e.trial); }},
    Key{"nonlinear.images",
        [](Experiment& e, Text t) {
            e.nonlinear_images = parse_integer<std::size_t>(t);
            if (e.nonlinear_images == 0) throw InvalidInput("a study needs at least one image");
        },
        [](const Experiment& e) { return fmt::to_string(e.nonlinear_images); }},
    Key{"nonlinear.layers", [](Experiment& e, Text t) { e.nonlinear_layers = parse_texts(t); },
        [](const Experiment& e) { return texts(e.nonlinear_layers); }},
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
    Key{"readout.kind", [](Experiment& e, Text t) { e.readout_kind = parse_readout(t); },
        [](const Experiment& e) { return toml_string(to_string(e.readout_kind)); }},
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.amplifier.gain; }>(
        "readout.gain"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.amplifier.gain_bandwidth; }>(
        "readout.gain_bandwidth"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.feedback_resistance; }>(
        "readout.feedback"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.bridge_resistance; }>(
        "readout.bridge"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.amplifier.swing; }>(
        "readout.swing"),
    Key{"readout.limit",
        [](Experiment& e, Text t) { e.readout.circuit.amplifier.limit = parse_swing_limit(t); },
        [](const Experiment& e) {
            return toml_string(to_string(e.readout.circuit.amplifier.limit));
        }},
    Key{"readout.subtractor",
        [](Experiment& e, Text t) { e.readout.circuit.kind = parse_subtractor_kind(t); },
        [](const Experiment& e) { return toml_string(to_string(e.readout.circuit.kind)); }},
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.amplifier.offset; }>(
        "readout.offset"),
    readout_key<[](LinearReadout& r) -> double& { return r.offset_deviation; }>(
        "readout.offset_deviation"),
    readout_key<[](LinearReadout& r) -> double& { return r.mismatch; }>("readout.mismatch"),
    readout_key<[](LinearReadout& r) -> double& { return r.feedback_mismatch; }>(
        "readout.feedback_mismatch"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.hold.capacitance; }>(
        "readout.hold_capacitance"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.hold.pedestal; }>(
        "readout.pedestal"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.hold.hold_time; }>(
        "readout.hold_time"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.hold.droop_time; }>(
        "readout.droop_time"),
    Key{"readout.adc_bits",
        [](Experiment& e, Text t) {
            e.readout.circuit.adc.bits = parse_integer<int>(t);
            check(e.readout);
        },
        [](const Experiment& e) { return fmt::to_string(e.readout.circuit.adc.bits); }},
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.adc.range; }>(
        "readout.adc_range"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.adc.offset; }>(
        "readout.adc_offset"),
    readout_key<[](LinearReadout& r) -> double& { return r.circuit.adc.gain; }>("readout.adc_gain"),
    Key{"readout.adc_inl", [](Experiment& e, Text t) { set_inl(e, t); },
        [](const Experiment& e) { return numbers(e.readout.circuit.adc.inl); }},
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

std::size_t edit_distance(Text x, Text y) {
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

Text nearest_key(Text name) {
    return std::min_element(keys.begin(), keys.end(),
                            [&](const Key& x, const Key& y) {
                                return edit_distance(x.name, name) < edit_distance(y.name, name);
                            })
        ->name;
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
std::string source_comment(const Experiment& experiment, const Key& key) {
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
    const auto* found =
        std::find_if(keys.begin(), keys.end(), [&](const Key& k) { return k.name == key; });
    if (found == keys.end())
        throw InvalidInput(
            fmt::format("unknown key '{}'; did you mean {}?", key, nearest_key(key)));
    try {
        found->set(experiment, value);
    } catch (const InvalidInput& error) {
        throw InvalidInput(std::string(key), error.what());
    }
}

std::string key_text(const Experiment& experiment, std::string_view key) {
    // What sets both segments says that of the word lines.
    const Text name = key == "array.segment" ? Text("array.word_line_segment") : key;
    const auto* found =
        std::find_if(keys.begin(), keys.end(), [&](const Key& k) { return k.name == name; });
    if (found == keys.end())
        throw InvalidInput(
            fmt::format("unknown key '{}'; did you mean {}?", key, nearest_key(key)));
    return text_of(*toml::parse("value = " + found->get(experiment)).get("value"));
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
    for (const Key& key : keys)
        if (const std::string value = key.get(experiment); value != key.get(defaults))
            text += fmt::format("{} = {}\n", key.name, value);
    return text;
}

std::string to_toml(const Experiment& experiment) {
    std::string text;
    std::string section;
    for (const Key& key : keys) {
        const auto dot = key.name.find('.');
        const Text its_section = dot == Text::npos ? Text{} : key.name.substr(0, dot);
        if (its_section != section) {
            section = its_section;
            text += fmt::format("\n[{}]\n", section);
        }
        const Text name = dot == Text::npos ? key.name : key.name.substr(dot + 1);
        text +=
            fmt::format("{} = {}{}\n", name, key.get(experiment), source_comment(experiment, key));
    }
    return text;
}

}  // namespace kirchnet
