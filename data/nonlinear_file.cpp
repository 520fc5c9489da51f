#include "data/nonlinear_file.hpp"

#include "data/detail/file_format.hpp"

namespace kirchnet {
namespace {

using hdf5::OutputGroup;

void write_outputs(OutputGroup& group, const std::string& name, const std::vector<float>& outputs,
                   std::size_t images) {
    if (outputs.empty()) return;
    group.write(name, {images, outputs.size() / images}, std::span<const float>(outputs), "1");
}

void write_mapping(OutputGroup group, const NonlinearRecord& record, std::size_t images) {
    group.set("good_enough", yes_or_no(record.good_enough));
    group.write_texts("layers", record.layers);
    group.write("arrays", record.arrays, "1");
    group.write("samples", record.samples, "1");
    group.write("signal", record.signal, "1");
    group.write("rms_error", record.rms_error, "1");
    group.write("worst_error", record.worst_error, "1");
    group.write("gain", record.gain, "1");
    group.write("rms_left", record.rms_left, "1");
    group.write("rms_lsb", record.rms_lsb, "1");
    group.write("worst_lsb", record.worst_lsb, "1");
    group.write("off_share", record.off_share, "1");
    group.write("iterations", record.iterations, "1");
    group.write("residual", record.residual, "1");
    group.write("seconds", record.seconds, "s");
    group.write("amplifiers", record.amplifiers, "1");
    group.write("saturated_amplifiers", record.saturated_amplifiers, "1");
    group.write("saturated_share", record.saturated_share, "1");
    write_outputs(group, "linear_outputs", record.linear_outputs, images);
    write_outputs(group, "nonlinear_outputs", record.nonlinear_outputs, images);
}

}  // namespace

void write_nonlinear_study(const std::filesystem::path& path, const NonlinearStudyRecord& study) {
    OutputGroup file = OutputGroup::create(format::nonlinear_study, format::version);
    file.set("complete", yes_or_no(study.complete));
    file.set("settings", study.settings);
    file.set("network", study.network);
    file.set("data", study.data);
    file.set("cell_law", study.cell_law);
    file.set("read_voltage", study.read_voltage);
    file.write("labels", study.labels, "class");
    OutputGroup mappings = file.group("mappings");
    for (const NonlinearRecord& record : study.mappings)
        write_mapping(mappings.group(record.mapping), record, study.labels.size());
    file.save(path);
}

}  // namespace kirchnet
