#include "data/budget_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "circuit/error.hpp"
#include "data/detail/comparison_header.hpp"
#include "data/detail/file_format.hpp"

namespace kirchnet {
namespace {

using hdf5::InputGroup;
using hdf5::OutputGroup;
using hdf5::Shape;
using hdf5::Storage;

constexpr const char* pure_number = "1";

template <typename Number, typename Rows>
void write_rows(OutputGroup& group, const std::string& name, const Rows& rows,
                const std::string& unit, Storage storage) {
    std::vector<Number> values;
    for (const auto& row : rows) values.insert(values.end(), row.begin(), row.end());
    const std::size_t columns = rows.empty() ? 0 : rows.front().size();
    group.write(name, Shape{rows.size(), columns}, std::span<const Number>(values), unit, storage);
}

void write_run(OutputGroup group, const BudgetRunRecord& run) {
    group.write_texts("sources", run.sources);
    write_rows<std::int32_t>(group, "predicted", run.predicted, "class", Storage::packed);
    group.write("dac_range", run.dac_range, pure_number);
    group.write("adc_range", run.adc_range, pure_number);
    group.write("adc_samples", run.adc_samples, pure_number);
    group.write("clipped", run.clipped, pure_number);
    group.set("operator_seconds", run.operator_seconds);
    group.set("inference_seconds", run.inference_seconds);
}

void write_table(OutputGroup group, const BudgetTableRecord& table) {
    group.write_texts("source", table.source);
    group.write("run", table.run, "index");
    write_rows<double>(group, "accuracy", table.accuracy, pure_number, Storage::plain);
    write_rows<double>(group, "change", table.change, pure_number, Storage::plain);
}

std::vector<std::vector<std::int32_t>> read_predicted(const InputGroup& group, std::size_t images) {
    const auto array = group.read<std::int32_t>("predicted", 2);
    if (array.shape[0] < 1 || array.shape[1] != images)
        group.fail("predicted",
                   fmt::format("holds {} for {} labels", hdf5::to_string(array.shape), images));
    std::vector<std::vector<std::int32_t>> rows;
    for (auto at = array.values.begin(); at != array.values.end();
         at += static_cast<std::ptrdiff_t>(images))
        rows.emplace_back(at, at + static_cast<std::ptrdiff_t>(images));
    return rows;
}

std::vector<EstimateRecord> read_estimates(const InputGroup& group, const std::string& name,
                                           std::size_t rows) {
    const auto array = group.read<double>(name, 2);
    constexpr std::size_t columns = std::tuple_size_v<EstimateRecord>;
    if (array.shape != Shape{rows, columns})
        group.fail(name, fmt::format("is {} and not {} x {}", hdf5::to_string(array.shape), rows,
                                     columns));
    std::vector<EstimateRecord> estimates(rows);
    for (std::size_t i = 0; i < rows; ++i)
        std::copy_n(array.values.begin() + static_cast<std::ptrdiff_t>(i * columns), columns,
                    estimates[i].begin());
    return estimates;
}

BudgetTableRecord read_table(const InputGroup& group, std::size_t runs) {
    BudgetTableRecord table;
    table.source = group.read_texts("source");
    table.run = group.read_vector<std::uint64_t>("run");
    const bool known = std::all_of(table.run.begin(), table.run.end(),
                                   [&](std::uint64_t run) { return run < runs; });
    if (table.run.size() != table.source.size() || !known)
        group.fail("run", fmt::format("does not give one of {} runs for each of {} sources", runs,
                                      table.source.size()));
    table.accuracy = read_estimates(group, "accuracy", table.source.size());
    table.change = read_estimates(group, "change", table.source.size());
    return table;
}

BudgetRunRecord read_run(const InputGroup& run, std::size_t images) {
    return {run.read_texts("sources"),
            read_predicted(run, images),
            run.read_vector<double>("dac_range"),
            run.read_vector<double>("adc_range"),
            run.read_vector<std::uint64_t>("adc_samples"),
            run.read_vector<std::uint64_t>("clipped"),
            run.number("operator_seconds"),
            run.number("inference_seconds")};
}

BudgetMappingRecord read_mapping(const InputGroup& group, const std::string& name,
                                 std::size_t images) {
    BudgetMappingRecord mapping{.mapping = name, .runs = {}, .steps = {}, .left_out = {}};
    const InputGroup runs = group.group("runs");
    for (const std::string& number : runs.names()) {
        mapping.runs.push_back(read_run(runs.group(number), images));
    }
    mapping.steps = read_table(group.group("steps"), mapping.runs.size());
    mapping.left_out = read_table(group.group("left_out"), mapping.runs.size());
    return mapping;
}

}  // namespace

void write_budget(const std::filesystem::path& path, const BudgetRecord& record) {
    OutputGroup file = OutputGroup::create(format::budget, format::version);
    write_header(file, record.header);
    file.set("complete", yes_or_no(record.complete));
    file.set("first_trial", static_cast<std::uint64_t>(record.first_trial));
    file.set("confidence", record.confidence);
    OutputGroup mappings = file.group("mappings");
    for (const BudgetMappingRecord& mapping : record.mappings) {
        OutputGroup group = mappings.group(mapping.mapping);
        OutputGroup runs = group.group("runs");
        for (std::size_t i = 0; i < mapping.runs.size(); ++i)
            write_run(runs.group(fmt::format("{:04}", i)), mapping.runs[i]);
        write_table(group.group("steps"), mapping.steps);
        write_table(group.group("left_out"), mapping.left_out);
    }
    file.save(path);
}

BudgetRecord read_budget(const std::filesystem::path& path) {
    const InputGroup file = open_format(path, format::budget);
    BudgetRecord record;
    record.header = read_header(file);
    record.complete = read_yes_or_no(file, "complete");
    const std::uint64_t first_trial = file.count("first_trial");
    if (!std::in_range<std::uint32_t>(first_trial))
        throw InvalidInput(file.where(), fmt::format("attribute 'first_trial' is {}", first_trial));
    record.first_trial = static_cast<std::uint32_t>(first_trial);
    record.confidence = file.number("confidence");
    const InputGroup mappings = file.group("mappings");
    for (const std::string& name : mappings.names())
        record.mappings.push_back(
            read_mapping(mappings.group(name), name, record.header.labels.size()));
    return record;
}

}  // namespace kirchnet
