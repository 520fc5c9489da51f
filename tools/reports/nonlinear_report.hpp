#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "data/nonlinear_file.hpp"
#include "nn/nonlinear_study.hpp"
#include "tools/settings/experiment.hpp"

namespace kirchnet {

/// One mapping's study, as far as it got.
struct MappingStudy {
    Mapping mapping = Mapping::two_column;
    std::vector<LayerError> layers;
    std::vector<float> linear;     ///< outputs, [images × classes]
    std::vector<float> nonlinear;  ///< the same; empty where the run was interrupted
    double network_seconds = 0;    ///< solving, of the nonlinear run
    Saturation saturation;         ///< of amplifiers in that run
};

/// What a study of nonlinear cells or amplifiers found, ready to be shown.
struct NonlinearReport {
    const Graph& graph;
    const Experiment& experiment;
    std::vector<std::int32_t> labels;  ///< [images]
    std::vector<MappingStudy> mappings;
    bool complete = true;

    /// Class of image `i` by these outputs, [images × classes].
    [[nodiscard]] std::int32_t predicted(const std::vector<float>& outputs, std::size_t i) const;
    /// Outputs of image `i` among those of all.
    [[nodiscard]] std::span<const float> of_image(const std::vector<float>& outputs,
                                                  std::size_t i) const;
};

/// Every layer within `accepted_lsb`, and no image classified differently.
bool is_good_enough(const NonlinearReport& report, const MappingStudy& study);
/// One sentence on one layer: is the linear answer good enough, and how far is it off?
std::string layer_verdict(const NonlinearReport& report, const LayerError& error);
/// One sentence on the whole network, naming the layers that are off.
std::string verdict(const NonlinearReport& report, const MappingStudy& study);

/// Tables and verdicts, in Markdown.
std::string nonlinear_text(const NonlinearReport& report);
nlohmann::json nonlinear_json(const NonlinearReport& report);
/// The linear operator's rms error per layer as SVG: in LSBs, or percent of the signal without ADC.
std::string nonlinear_figure(const NonlinearReport& report);
NonlinearStudyRecord nonlinear_record(const NonlinearReport& report);

}  // namespace kirchnet
