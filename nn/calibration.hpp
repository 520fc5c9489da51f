#pragma once

#include <vector>

#include "nn/converter_settings.hpp"
#include "nn/inference.hpp"

namespace kirchnet {

/// Ranges of one mapping's converters, fitted once on calibration images.
struct Calibration {
    std::vector<Dac> dac;               ///< per layer
    std::vector<std::vector<Adc>> adc;  ///< per layer and slice, in operator entries × inputs
};

/// DAC ranges from the software network: largest input of each layer over the calibration images.
/// @throws InvalidInput  when the settings are not usable
std::vector<Dac> calibrate_dacs(const Graph& graph, const LabelledImages& images,
                                const ConverterSettings& settings, const Progress& progress = {});

/// ADCs of every layer and slice. `full` and `manual` ranges run no image.
/// @param drivers  with their DACs set
/// @param tile     what the drivers' tiles were made by
std::vector<std::vector<Adc>> calibrate_adcs(const Graph& graph, const Drivers& drivers,
                                             const LabelledImages& images,
                                             const ConverterSettings& settings,
                                             const TileSettings& tile,
                                             const Progress& progress = {});

}  // namespace kirchnet
