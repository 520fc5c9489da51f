#include "tools/reports/run_record.hpp"

#include <fmt/format.h>

namespace kirchnet {

ComparisonHeader make_header(const Experiment& experiment, const Graph& graph,
                             const LabelledImages& test, const InferenceResult& software) {
    ComparisonHeader header;
    header.settings = to_toml(experiment);
    header.network = fmt::format("{} ({})", experiment.network, graph.network().name);
    header.data = experiment.data;
    header.seed = experiment.seed;
    header.labels = test.labels;
    header.software = software.predicted;
    header.software_detections = table_of(software.detections);
    header.metric = graph.is_detector() ? "mAP@0.5" : "accuracy";
    header.software_accuracy = score(software, test);
    return header;
}

std::vector<StoredDetection> table_of(const std::vector<Detections>& found) {
    std::vector<StoredDetection> table;
    for (std::size_t image = 0; image < found.size(); ++image)
        for (const Detection& one : found[image])
            table.push_back({image, one.label, one.confidence, one.box});
    return table;
}

std::filesystem::path beside(const std::filesystem::path& out, const std::string& ending) {
    auto path = out;
    return path.replace_filename(out.stem().string() + ending);
}

}  // namespace kirchnet
