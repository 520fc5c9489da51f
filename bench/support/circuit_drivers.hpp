#pragma once

#include "nn/inference.hpp"

namespace kirchnet::bench {

/// The network on 128 x 128 arrays with 1 ohm segments, 8-bit DACs and one 8-bit ADC per row tile
/// and output behind an analog subtraction, ranges fitted on the same images.
Drivers converted_drivers(const Graph& graph, const LabelledImages& images,
                          const SolverFactory& solver);
Drivers ideal_drivers(const Graph& graph, const LabelledImages& images);
Drivers circuit_drivers(const Graph& graph, const LabelledImages& images);

}  // namespace kirchnet::bench
