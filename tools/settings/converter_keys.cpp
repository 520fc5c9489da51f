#include <array>

#include "circuit/units.hpp"
#include "tools/settings/experiment_keys.hpp"
#include "tools/settings/key_values.hpp"

namespace kirchnet {
namespace {

using Key = ExperimentKey;
using Text = std::string_view;

void set_adc_error(Experiment& e, double& quantity, Text text) {
    quantity = parse_quantity(text, "ADC error");
    check(e.converters.adc_errors);
}

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

/// A number of the network's ADCs.
/// @tparam Field  what it is of `AdcErrors`
template <auto Field>
constexpr Key adc_error_key(Text name) {
    return {name,
            [](Experiment& e, Text t) { set_adc_error(e, e.converters.adc_errors.*Field, t); },
            [](const Experiment& e) { return format_exact(e.converters.adc_errors.*Field); }};
}

constexpr std::array keys{
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
        [](const Experiment& e) { return toml_list(e.converters.adc_errors.inl); }},
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
};

}  // namespace

std::span<const ExperimentKey> converter_keys() {
    return keys;
}

}  // namespace kirchnet
