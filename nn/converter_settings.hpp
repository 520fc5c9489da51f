#pragma once

#include <string_view>

#include "circuit/adc.hpp"
#include "nn/converters.hpp"

namespace kirchnet {

/// Which operators a network runs on: Gᵀ without wires, or the circuit's transfer matrices.
enum class Operators { ideal, circuit };

std::string_view to_string(Operators operators);
/// @throws InvalidInput  naming the accepted words
Operators parse_operators(std::string_view text);

/// What the range of an ADC is taken from; one per layer and slice.
enum class AdcRange {
    full,        ///< the largest current that the rows in use can carry: nothing clips
    calibrated,  ///< the samples of calibration images, the largest or a percentile of them
    manual       ///< a share of the largest current that a whole array can carry
};

std::string_view to_string(AdcRange range);
/// @throws InvalidInput  naming the accepted words
AdcRange parse_adc_range(std::string_view text);

/// How long reading takes.
struct ConverterTiming {
    int columns_per_adc = 1;  ///< samples that one ADC takes one after the other in each read
    double adc_rate = 0;      ///< [samples/s]; 0: conversion takes no time
    double cycle_time = 0;    ///< [s] that the array needs per read
};

/// Converters of every layer, and what their ranges are fitted to.
struct ConverterSettings {
    int dac_bits = 8;  ///< driven in one read; 0: continuous
    int adc_bits = 8;  ///< 0: continuous
    /// What the circuit arms' ADC ranges are fitted on; ideal arms always have those of the ideal
    /// design (docs/decisions/0005).
    Operators calibrate_on = Operators::circuit;
    int input_bits = 0;  ///< of an input, sign included; 0: those of the DAC, in one read
    SignedInputs signed_inputs = SignedInputs::bipolar;
    AdcRange adc_range = AdcRange::calibrated;
    double adc_percentile = 100;  ///< of |samples|, for `calibrated`; 100: the largest
    double adc_full_scale = 1;    ///< for `manual`: share of word_lines G_on V_r
    ConverterTiming timing = {};
    AdcErrors adc_errors = {};  ///< of all ADCs; an ADC serves `columns_per_adc` outputs

    /// The DAC of a layer whose inputs have this range.
    /// @throws InvalidInput  when bits or range are not usable
    [[nodiscard]] Dac dac(double range, bool is_signed) const;
};

/// @throws InvalidInput  naming what is out of its bounds
void check(const ConverterSettings& settings);

}  // namespace kirchnet
