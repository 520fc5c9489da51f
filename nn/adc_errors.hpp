#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace kirchnet {

struct LayerOperators;

/// What makes a network's ADCs other than ideal. A sample v is converted as those of decks are
/// (`code_of`), in LSBs: p = gain v / lsb + offset + noise, code = floor(p + inl(p) + 1/2), held
/// within the codes there are.
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
};

/// @throws InvalidInput  naming the quantity, unless the gain is above 0, noise and deviations are
///                       at least 0, all are finite, and a table has two entries or more
void check(const AdcErrors& errors);

/// One ADC as it is on a chip.
struct DrawnAdc {
    double gain = 1;
    double offset = 0;  ///< [LSB]
};

/// Which four conversions noise is for: those of outputs 4 k to 4 k + 3 of a tile.
struct ConversionPlace {
    std::uint64_t image = 0;     ///< of its data set
    std::uint64_t position = 0;  ///< output pixel
    std::uint32_t read = 0;
    std::uint32_t tile = 0;    ///< within the layer's operators
    std::uint32_t side = 0;    ///< 1: b, where the sides are converted apart
    std::uint32_t output = 0;  ///< k
};

/// The ADCs of one layer, drawn: pure functions of seed, trial, layer, tile, side and of which of a
/// tile's ADCs an output has, one per `columns_per_adc` outputs.
class LayerAdcs {
  public:
    /// @throws InvalidInput  when a gain comes out at 0 or less: its deviation is too large
    LayerAdcs(const AdcErrors& errors, std::string_view layer, const LayerOperators& operators,
              int bits, int columns_per_adc);

    [[nodiscard]] const DrawnAdc& of(std::size_t tile, std::size_t side, std::size_t output) const {
        return adcs_[tile][side][output];
    }
    /// Noise of four conversions [LSB]: a pure function of seed, trial, layer and place.
    [[nodiscard]] std::array<double, 4> noise(const ConversionPlace& place) const;
    [[nodiscard]] bool is_noisy() const { return errors_.noise > 0; }
    /// INL [LSB] at a place counted from the lowest code [LSB], held within the codes there are.
    [[nodiscard]] double inl(double place) const;

  private:
    AdcErrors errors_;
    double entries_per_code_ = 0;  ///< of the INL's table
    std::uint64_t noise_stream_;
    std::vector<std::array<std::vector<DrawnAdc>, 2>> adcs_;  ///< [tiles][sides][outputs]
};

}  // namespace kirchnet
