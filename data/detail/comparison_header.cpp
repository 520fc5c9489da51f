#include "data/detail/comparison_header.hpp"

#include <fmt/format.h>

#include "data/detail/stored_detections.hpp"

namespace kirchnet {

using hdf5::InputGroup;
using hdf5::OutputGroup;
using hdf5::Storage;

void write_header(OutputGroup& file, const ComparisonHeader& header) {
    file.set("settings", header.settings);
    file.set("network", header.network);
    file.set("data", header.data);
    file.set("seed", header.seed);
    file.set("software_accuracy", header.software_accuracy);
    file.set("metric", header.metric);
    if (!header.software_detections.empty())
        write_detections(file.group("software_detections"), header.software_detections);
    file.write("labels", header.labels, "class", Storage::packed);
    file.write("software", header.software, "class", Storage::packed);
}

ComparisonHeader read_header(const InputGroup& file) {
    ComparisonHeader header{.settings = file.text("settings"),
                            .network = file.text("network"),
                            .data = file.text("data"),
                            .seed = file.count("seed"),
                            .labels = file.read_vector<std::int32_t>("labels"),
                            .software = file.read_vector<std::int32_t>("software"),
                            .software_accuracy = file.number("software_accuracy"),
                            .software_detections = read_detections(file, "software_detections")};
    if (file.has_attribute("metric")) header.metric = file.text("metric");
    if (header.software.size() != header.labels.size())
        file.fail("software", fmt::format("holds {} classes for {} labels", header.software.size(),
                                          header.labels.size()));
    return header;
}

}  // namespace kirchnet
