#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/result_file.hpp"
#include "nn/graph.hpp"
#include "nn/inference.hpp"
#include "tools/settings/experiment.hpp"

namespace kirchnet {

/// What the record of a run says at its root.
/// @param software  what the float network predicts of the test images
ComparisonHeader make_header(const Experiment& experiment, const Graph& graph,
                             const LabelledImages& test, const InferenceResult& software);

/// A detector's boxes of all images as they are stored.
std::vector<StoredDetection> table_of(const std::vector<Detections>& found);

/// The file that stands beside `out` with another ending: `r.h5` and `-accuracy.svg` give
/// `r-accuracy.svg`.
std::filesystem::path beside(const std::filesystem::path& out, const std::string& ending);

}  // namespace kirchnet
