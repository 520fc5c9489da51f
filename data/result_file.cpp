#include "data/result_file.hpp"

#include <fmt/format.h>

#include <optional>
#include <system_error>

#include "circuit/error.hpp"
#include "data/atomic_file.hpp"
#include "data/detail/comparison_header.hpp"
#include "data/detail/file_format.hpp"
#include "data/detail/stored_detections.hpp"

namespace kirchnet {
namespace {

namespace fs = std::filesystem;
using hdf5::InputGroup;
using hdf5::OutputGroup;
using hdf5::Storage;

constexpr const char* class_unit = "class";
constexpr const char* pure_number = "1";

void write_arm(OutputGroup group, const ComparisonArm& arm) {
    group.set("mapping", arm.mapping);
    group.set("operators", arm.operators);
    group.set("faulty", yes_or_no(arm.faulty));
    group.set("fault_rate", arm.fault_rate);
    group.set("trial", static_cast<std::uint64_t>(arm.trial));
    group.set("accuracy", arm.accuracy);
    group.set("agreement", arm.agreement);
    group.set("operator_seconds", arm.operator_seconds);
    group.set("inference_seconds", arm.inference_seconds);
    group.write("predicted", arm.predicted, class_unit, Storage::packed);
    if (!arm.detections.empty()) write_detections(group.group("detections"), arm.detections);
    group.write_texts("layers", arm.layers);
    group.write("adc_samples", arm.adc_samples, pure_number);
    group.write("clipped", arm.clipped, pure_number);
}

std::uint32_t read_trial(const InputGroup& group) {
    const std::uint64_t trial = group.count("trial");
    if (!std::in_range<std::uint32_t>(trial))
        throw InvalidInput(group.where(), fmt::format("attribute 'trial' is {}", trial));
    return static_cast<std::uint32_t>(trial);
}

ComparisonArm read_arm(const InputGroup& group) {
    return {.mapping = group.text("mapping"),
            .operators = group.text("operators"),
            .faulty = read_yes_or_no(group, "faulty"),
            .fault_rate = group.number("fault_rate"),
            .trial = read_trial(group),
            .predicted = group.read_vector<std::int32_t>("predicted"),
            .accuracy = group.number("accuracy"),
            .agreement = group.number("agreement"),
            .layers = group.read_texts("layers"),
            .adc_samples = group.read_vector<std::uint64_t>("adc_samples"),
            .clipped = group.read_vector<std::uint64_t>("clipped"),
            .operator_seconds = group.number("operator_seconds"),
            .inference_seconds = group.number("inference_seconds"),
            .detections = read_detections(group, "detections")};
}

void check_arm(const InputGroup& group, const ComparisonArm& arm, std::size_t images) {
    if (arm.predicted.size() != images)
        group.fail("predicted",
                   fmt::format("holds {} classes for {} images", arm.predicted.size(), images));
    if (arm.adc_samples.size() != arm.layers.size() || arm.clipped.size() != arm.layers.size())
        group.fail("layers", fmt::format("names {} layers for {} and {} counts", arm.layers.size(),
                                         arm.adc_samples.size(), arm.clipped.size()));
}

/// A device would be replaced by the file that is renamed onto it.
void refuse_special_file(const fs::path& path) {
    std::error_code ignored;
    const fs::file_status status = fs::status(path, ignored);
    if (fs::exists(status) && !fs::is_regular_file(status))
        throw FileError(path.string(), "cannot be written: is not a regular file");
}

std::string numbered(std::size_t number) {
    return fmt::format("{:04}", number);
}

void write_record(OutputGroup group, const AgreementRecord& record) {
    group.set("circuit", record.circuit);
    group.set("reference", record.reference);
    group.set("engine", record.engine);
    group.set("word_lines", static_cast<std::uint64_t>(record.word_lines));
    group.set("bit_lines", static_cast<std::uint64_t>(record.bit_lines));
    group.set("worst", record.worst);
    group.set("worst_column", record.worst_column);
    group.set("worst_voltage", record.worst_voltage);
    group.set("worst_node", record.worst_node);
    group.write("current_difference", record.current_difference, pure_number);
    if (record.voltage_difference.empty()) return;
    group.write("voltage_difference", {2, record.word_lines, record.bit_lines},
                std::span<const double>(record.voltage_difference), "V");
}

}  // namespace

// The file is built in memory and each step of it is written whole under PATH.partial, so that
// whenever the process is killed, what lies there is a complete HDF5 file up to some arm.
struct ComparisonFile::State {
    fs::path path;
    fs::path partial;
    OutputGroup file;
    std::optional<OutputGroup> arms;
    std::optional<OutputGroup> matrices;
    std::size_t images = 0;
    std::size_t count = 0;

    void save() const { file.save(partial); }
};

ComparisonFile::ComparisonFile(const fs::path& path, const ComparisonHeader& header)
    : state_(std::make_unique<State>(
          State{.path = path,
                .partial = fs::path(path.native() + ".partial"),
                .file = OutputGroup::create(format::comparison, format::version),
                .arms = std::nullopt,
                .matrices = std::nullopt,
                .images = header.labels.size()})) {
    refuse_special_file(path);
    state_->file.set("complete", yes_or_no(false));
    write_header(state_->file, header);
    state_->arms = state_->file.group("arms");
    state_->matrices = state_->file.group("matrices");
    state_->save();
}

ComparisonFile::ComparisonFile(ComparisonFile&&) noexcept = default;
ComparisonFile& ComparisonFile::operator=(ComparisonFile&&) noexcept = default;
ComparisonFile::~ComparisonFile() = default;

void ComparisonFile::add(const ComparisonArm& arm) {
    if (arm.predicted.size() != state_->images)
        throw InvalidInput(state_->path.string(),
                           fmt::format("an arm predicts {} classes for {} images",
                                       arm.predicted.size(), state_->images));
    write_arm(state_->arms->group(numbered(state_->count++)), arm);
    state_->save();
}

void ComparisonFile::add_matrix(const std::string& name, const std::vector<double>& values,
                                std::size_t rows, std::size_t columns, const std::string& unit) {
    state_->matrices->write(name, {rows, columns}, std::span<const double>(values), unit);
    state_->save();
}

void ComparisonFile::add_stages(const std::vector<std::string>& names,
                                const std::vector<double>& seconds) {
    OutputGroup stages = state_->file.group("stages");
    stages.write_texts("names", names);
    stages.write("seconds", seconds, "s");
    state_->save();
}

void ComparisonFile::finish(bool complete) {
    state_->file.set("complete", yes_or_no(complete));
    state_->file.save(state_->path);
    std::error_code ignored;
    fs::remove(state_->partial, ignored);
}

Comparison read_comparison(const fs::path& path) {
    const InputGroup file = open_format(path, format::comparison);
    Comparison comparison{.header = read_header(file), .arms = {}, .complete = false};
    comparison.complete = read_yes_or_no(file, "complete");
    const InputGroup arms = file.group("arms");
    for (const std::string& name : arms.names()) {
        const InputGroup group = arms.group(name);
        comparison.arms.push_back(read_arm(group));
        check_arm(group, comparison.arms.back(), comparison.header.labels.size());
    }
    return comparison;
}

void write_agreement(const fs::path& path, const std::vector<AgreementRecord>& records,
                     const std::string& settings) {
    OutputGroup file = OutputGroup::create(format::agreement, format::version);
    file.set("settings", settings);
    OutputGroup groups = file.group("records");
    for (std::size_t i = 0; i < records.size(); ++i)
        write_record(groups.group(numbered(i)), records[i]);
    file.save(path);
}

}  // namespace kirchnet
