#include "nn/converter_settings.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

void check_share(double value, double largest, std::string_view what) {
    if (!(value > 0 && value <= largest))
        throw InvalidInput(std::string(what),
                           fmt::format("{} is not above 0 and at most {}", value, largest));
}

void check_time(double value, std::string_view what) {
    if (!(value >= 0) || !std::isfinite(value))
        throw InvalidInput(std::string(what),
                           fmt::format("{} is not a finite number of at least 0", value));
}

}  // namespace

std::string_view to_string(Operators operators) {
    return operators == Operators::ideal ? "ideal" : "circuit";
}

Operators parse_operators(std::string_view text) {
    if (text == "ideal") return Operators::ideal;
    if (text == "circuit") return Operators::circuit;
    throw InvalidInput(fmt::format("'{}' is neither ideal nor circuit", text));
}

std::string_view to_string(AdcRange range) {
    switch (range) {
        case AdcRange::full:
            return "full";
        case AdcRange::calibrated:
            return "calibrated";
        case AdcRange::manual:
            break;
    }
    return "manual";
}

AdcRange parse_adc_range(std::string_view text) {
    for (const auto range : {AdcRange::full, AdcRange::calibrated, AdcRange::manual})
        if (text == to_string(range)) return range;
    throw InvalidInput(fmt::format("ADC range '{}' is none of full, calibrated, manual", text));
}

Dac ConverterSettings::dac(double range, bool is_signed) const {
    Dac dac;
    dac.bits = input_bits > 0 ? input_bits : dac_bits;
    dac.bits_per_read = input_bits > 0 ? dac_bits : 0;
    dac.range = range;
    dac.is_signed = is_signed;
    dac.signed_inputs = signed_inputs;
    check(dac);
    return dac;
}

void check(const ConverterSettings& settings) {
    if (settings.input_bits != 0 && (settings.dac_bits < 1 || settings.input_bits < 0))
        throw InvalidInput("input bits", fmt::format("{} cannot be read by a {}-bit DAC; a "
                                                     "continuous one takes 0",
                                                     settings.input_bits, settings.dac_bits));
    if (settings.input_bits != 0 && settings.dac_bits > settings.input_bits)
        throw InvalidInput("DAC bits", fmt::format("{} are more than the {} bits of the inputs",
                                                   settings.dac_bits, settings.input_bits));
    check_share(settings.adc_percentile, 100, "ADC percentile");
    check_share(settings.adc_full_scale, 1, "ADC full scale");
    if (settings.timing.columns_per_adc < 1)
        throw InvalidInput("columns per ADC",
                           fmt::format("{} is below 1", settings.timing.columns_per_adc));
    check(settings.adc_errors);
    if (settings.adc_bits == 0 && settings.adc_errors.are_there())
        throw InvalidInput("ADC bits",
                           "0 is no ADC: give it bits, or leave its offset, gain, INL and noise");
    check_time(settings.timing.adc_rate, "ADC rate");
    check_time(settings.timing.cycle_time, "cycle time");
}

}  // namespace kirchnet
