#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "data/dataset.hpp"
#include "nn/detection.hpp"
#include "nn/layer_driver.hpp"

namespace kirchnet {

/// Images run together: enough columns for the matrix product, few enough for the cache.
inline constexpr std::size_t images_per_block = 4;

/// What a run over a set of images gave.
struct InferenceResult {
    /// Class per image, ties to the lower class; of a detector `LabelledImages::no_class`.
    std::vector<std::int32_t> predicted;
    std::vector<Detections> detections;  ///< per image, of a detector, else empty
    std::vector<AdcCount> adc;           ///< per mapped layer
    double seconds = 0;                  ///< wall time

    /// Share of images whose prediction is `labels[i]`, 0 to 1.
    [[nodiscard]] double accuracy(const std::vector<std::int32_t>& labels) const;
};

/// How good a run was on its images, 0 to 1: the share classified rightly, or a detector's mean
/// average precision at IoU 0.5.
double score(const InferenceResult& result, const LabelledImages& images);

/// How alike two runs over the same images are, 0 to 1: the share classified alike, or
/// `detection_agreement`.
double agreement(const InferenceResult& a, const InferenceResult& b);

/// One driver per mapped layer: everything inference needs beside the graph.
using Drivers = std::vector<LayerDriver>;

Drivers software_drivers(const Graph& graph);

/// Runs every image; images in parallel, one-thread kernels. Predictions do not depend on the
/// number of threads.
/// @throws InvalidInput  when images and network disagree in shape or number of classes
InferenceResult run_inference(const Graph& graph, const Drivers& drivers,
                              const LabelledImages& images, const Progress& progress = {});

/// What the network says of each image, [images × classes], before the class is chosen. For a few
/// images: they run as one block, in this thread.
/// @throws InvalidInput  as `run_inference`
std::vector<float> network_outputs(const Graph& graph, const Drivers& drivers,
                                   const LabelledImages& images);

/// Runs one layer in the place of `run_layer`, its tail included. `in` and `out` hold all images.
using LayerRunner = std::function<void(std::size_t layer, const FeatureMaps& in, FeatureMaps& out,
                                       const DigitalTail& tail)>;

/// The same, each layer by `run`, which may look at what passes by or compute it in its own way.
std::vector<float> network_outputs(const Graph& graph, const LabelledImages& images,
                                   const LayerRunner& run);

/// Told what a mapped layer is about to read, a block of images at a time, by any thread.
using LayerVisitor = std::function<void(std::size_t layer, const FeatureMaps& in)>;

/// Runs every image as `run_inference` does, for what passes by.
void visit_layers(const Graph& graph, const Drivers& drivers, const LabelledImages& images,
                  const LayerVisitor& visit, const Progress& progress = {});

/// Class with the largest of one image's outputs, ties to the lower class.
std::int32_t largest_output(std::span<const float> outputs);

/// What is kept of the magnitudes met.
enum class Observed { largest, histograms };

/// Inputs and ADC samples per layer over all images, with the ADCs bypassed.
std::vector<LayerRange> observe_ranges(const Graph& graph, const Drivers& drivers,
                                       const LabelledImages& images, const Progress& progress = {},
                                       Observed kept = Observed::largest);

/// The inputs a layer sees for one image under one kernel position, by the given drivers:
/// [rows of `groups` groups from `group` on], in units of the layer's input.
/// @param position  output pixel, y * width + x
/// @throws InvalidInput  when image, group or position do not exist
std::vector<float> layer_inputs(const Graph& graph, const Drivers& drivers,
                                const LabelledImages& images, std::size_t image, std::size_t layer,
                                std::size_t group, std::size_t position, std::size_t groups = 1);

}  // namespace kirchnet
