#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "circuit/adc.hpp"

namespace kirchnet {

struct LayerOperators;

/// What the converters of a layer have in common.
struct LayerConverters {
    std::vector<Adc> adc;     ///< per slice, in operator entries × inputs
    double full_scale = 1;    ///< input that stands for the full read voltage
    int columns_per_adc = 1;  ///< outputs of a tile that share one
};

/// The ADCs of one layer, drawn: pure functions of seed, trial, layer, a tile's place, side and of
/// which of a tile's ADCs an output has. Noise of hold stages before them is part of theirs.
class LayerAdcs {
  public:
    /// @throws InvalidInput  when a gain comes out at 0 or less: its deviation is too large
    LayerAdcs(const AdcErrors& errors, std::string_view layer, const LayerOperators& operators,
              const LayerConverters& converters);

    /// @param tile  within the layer's operators
    /// @param side  1: b, where the sides are converted apart
    [[nodiscard]] const DrawnAdc& of(std::size_t tile, std::size_t side, std::size_t output) const {
        return tiles_[tile].adcs[side][output];
    }
    /// Noise [LSB] of a tile's outputs 4 k to 4 k + 3.
    [[nodiscard]] std::array<double, outputs_per_noise> noise(std::size_t tile, std::size_t side,
                                                              const Reading& reading,
                                                              std::size_t k) const;
    [[nodiscard]] bool is_noisy() const { return is_noisy_; }
    /// INL [LSB] at a place counted from the lowest code [LSB], held within the codes there are.
    [[nodiscard]] double inl(double place) const;

  private:
    struct OfTile {
        ConverterPlace place;                            ///< of side a
        double hold_noise = 0;                           ///< [LSB rms]
        std::array<std::vector<DrawnAdc>, 2> adcs = {};  ///< [sides][outputs]
    };

    AdcErrors errors_;
    ConverterDraws draws_;
    double entries_per_code_ = 0;  ///< of the INL's table
    std::vector<OfTile> tiles_;
    bool is_noisy_ = false;
};

}  // namespace kirchnet
