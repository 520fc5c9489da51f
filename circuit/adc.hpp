#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "circuit/geometry.hpp"

namespace kirchnet {

/// Analog-to-digital conversion: code = clamp(floor(v / lsb + 1/2), lowest, highest).
struct Adc {
    int bits = 8;           ///< 0: continuous
    double range = 1;       ///< magnitude that still converts without clipping
    bool is_signed = true;  ///< after a subtractor, or with inputs of both signs

    [[nodiscard]] double highest_code() const;
    [[nodiscard]] double lowest_code() const;
    [[nodiscard]] double lsb() const { return range / highest_code(); }
    friend bool operator==(const Adc&, const Adc&) = default;
};

/// @throws InvalidInput  unless bits is 0 or 1 to 24 (signed converters need 2) and the range is
///                       above 0
void check(const Adc& adc);

/// What makes ADCs other than ideal, in decks and in inference alike. A sample v is converted as
///   p = gain v / lsb + offset + noise, code = floor(p + inl(p) + 1/2),
/// held within the codes there are.
struct AdcErrors {
    double offset = 0;             ///< [LSB]
    double gain = 1;               ///< multiplies the sample
    std::vector<double> inl = {};  ///< [LSB], at positions spread evenly from the lowest to the
                                   ///< highest code, joined by straight lines; empty: none
    double noise = 0;              ///< at the input, [LSB rms], anew for every conversion
    double offset_deviation = 0;   ///< standard deviation of each ADC's offset [LSB]
    double gain_deviation = 0;     ///< of each ADC's gain, relative
    std::uint64_t seed = 1;
    std::uint32_t trial = 0;

    /// Whether any code may be another than an ideal ADC's.
    [[nodiscard]] bool are_there() const;
    /// Whether trials differ.
    [[nodiscard]] bool are_random() const;
    friend bool operator==(const AdcErrors&, const AdcErrors&) = default;
};

/// @throws InvalidInput  naming the quantity, unless the gain is above 0, noise and deviations are
///                       at least 0, all are finite, and a table has two entries or more
void check(const AdcErrors& errors);

/// One ADC as it is on a chip.
struct DrawnAdc {
    double gain = 1;
    double offset = 0;  ///< [LSB]
};

/// Where on a chip a tile's outputs are converted.
struct ConverterPlace {
    std::int32_t tile_row = 0;
    std::int32_t tile_column = 0;
    std::int32_t slice = 0;
    Polarity side = Polarity::a;  ///< b: of a pair whose sides are converted apart
};

/// Which conversion of an output is meant.
struct Reading {
    std::uint64_t image = 0;     ///< of its data set
    std::uint64_t position = 0;  ///< output pixel, below 2^32
    std::uint32_t read = 0;      ///< of the inputs' digits

    friend bool operator==(const Reading&, const Reading&) = default;
};

/// How many outputs share a draw of noise: 4 k to 4 k + 3.
inline constexpr std::size_t outputs_per_noise = 4;

/// What is drawn for the converters of one layer: pure functions of seed, trial, layer and place.
class ConverterDraws {
  public:
    ConverterDraws(std::uint64_t seed, std::uint32_t trial, std::string_view layer);
    /// Those of the layer's ADCs.
    ConverterDraws(const AdcErrors& errors, std::string_view layer)
        : ConverterDraws(errors.seed, errors.trial, layer) {}

    /// @param number  of the ADC within its tile and side
    /// @throws InvalidInput  when a gain comes out at 0 or less: its deviation is too large
    [[nodiscard]] DrawnAdc adc(const AdcErrors& errors, const ConverterPlace& place,
                               std::size_t number) const;
    /// Standard normal numbers for the noise of outputs 4 k to 4 k + 3 at one reading.
    [[nodiscard]] std::array<double, outputs_per_noise> adc_noise(const ConverterPlace& place,
                                                                  const Reading& reading,
                                                                  std::size_t k) const;
    /// The same for the samples that hold stages take.
    [[nodiscard]] std::array<double, outputs_per_noise> hold_noise(const ConverterPlace& place,
                                                                   const Reading& reading,
                                                                   std::size_t k) const;

  private:
    [[nodiscard]] std::array<double, outputs_per_noise> noise(std::uint64_t stream,
                                                              const ConverterPlace& place,
                                                              const Reading& reading,
                                                              std::size_t k) const;

    std::uint64_t seed_;
    std::uint32_t trial_;
    std::uint64_t adc_stream_;
    std::uint64_t adc_noise_stream_;
    std::uint64_t hold_noise_stream_;
};

}  // namespace kirchnet
