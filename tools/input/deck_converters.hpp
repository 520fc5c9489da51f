#pragma once

#include <vector>

#include "circuit/readout.hpp"
#include "tools/input/network_input.hpp"

namespace kirchnet {

/// The converters of a network as its decks show them: bits, errors, and the ranges that inference
/// fits, as column currents.
/// @param settings  of its tiles
/// @param images    that calibrated ranges are fitted on; null: none
/// @return  per mapped layer
/// @throws InvalidInput  for calibrated ranges without images
std::vector<OutputAdc> network_converters(const Graph& graph, const Experiment& experiment,
                                          const TileSettings& settings,
                                          const ExperimentImages* images);

}  // namespace kirchnet
