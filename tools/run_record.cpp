#include "tools/run_record.hpp"

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
    header.software_accuracy = software.accuracy(test.labels);
    return header;
}

std::filesystem::path beside(const std::filesystem::path& out, const std::string& ending) {
    auto path = out;
    return path.replace_filename(out.stem().string() + ending);
}

}  // namespace kirchnet
