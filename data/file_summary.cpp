#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "circuit/error.hpp"
#include "data/cell_file.hpp"
#include "data/crossbar_file.hpp"
#include "data/detail/file_format.hpp"
#include "data/fault_map_file.hpp"
#include "data/network_file.hpp"
#include "data/pruning.hpp"
#include "data/result_file.hpp"
#include "data/sweep_file.hpp"

namespace kirchnet {
namespace {

using hdf5::InputGroup;
using Lines = std::vector<std::string>;

struct OperationName {
    std::string operator()(const InputOp&) const { return "input"; }
    std::string operator()(const ConvOp& conv) const {
        return fmt::format("conv stride {} padding {}", conv.stride, conv.padding) +
               (conv.groups > 1 ? fmt::format(" groups {}", conv.groups) : "");
    }
    std::string operator()(const LinearOp&) const { return "linear"; }
    std::string operator()(const BatchNormOp&) const { return "batch_norm"; }
    std::string operator()(const ReluOp&) const { return "relu"; }
    std::string operator()(const ActivationOp& activation) const {
        return std::string(to_string(activation.kind));
    }
    std::string operator()(const AddOp&) const { return "add"; }
    std::string operator()(const ConcatOp&) const { return "concat"; }
    std::string operator()(const SliceOp& slice) const {
        return fmt::format("slice {} from {}", slice.count, slice.first);
    }
    std::string operator()(const UpsampleOp& upsample) const {
        return fmt::format("upsample {}", upsample.factor);
    }
    std::string operator()(const PoolOp& pool) const {
        return fmt::format("{} pool {}", pool.kind == PoolOp::Kind::average ? "average" : "maximum",
                           pool.kernel == 0 ? "global" : std::to_string(pool.kernel));
    }
    std::string operator()(const PadShortcutOp& shortcut) const {
        return fmt::format("pad_shortcut stride {}", shortcut.stride);
    }
};

struct WeightCount {
    std::size_t weights = 0;
    std::size_t zeros = 0;

    void add(const Tensor& tensor) {
        weights += tensor.values.size();
        zeros +=
            static_cast<std::size_t>(std::count(tensor.values.begin(), tensor.values.end(), 0.0F));
    }
    [[nodiscard]] double percent() const {
        return weights == 0 ? 0 : 100.0 * static_cast<double>(zeros) / static_cast<double>(weights);
    }
};

std::string layer_line(std::string_view name, std::string_view operation, std::string_view shape,
                       const WeightCount& count, double pruned_ratio = 0) {
    return fmt::format("{:<24} {:<28} {:>14} {:>10} {:>10} {:>6.1f} %", name, operation, shape,
                       count.weights, count.zeros, count.percent()) +
           (pruned_ratio > 0 ? fmt::format("  pruned to {:g}", pruned_ratio) : "");
}

Lines summarize_network(const std::filesystem::path& path) {
    const Network network = read_network(path);
    Lines lines{fmt::format("network {}, input {}x{}x{}, {} nodes", network.name,
                            network.input.channels, network.input.height, network.input.width,
                            network.nodes.size())};
    for (const auto& [key, text] : network.provenance)
        lines.push_back(fmt::format("{}: {}", key, text));
    lines.push_back(fmt::format("{:<24} {:<28} {:>14} {:>10} {:>10} {:>8}", "layer", "operator",
                                "weight shape", "weights", "zeros", "zeros"));
    WeightCount total;
    for (const Node& node : network.nodes)
        if (const Tensor* weight = cell_weights(node.operation)) {
            WeightCount count;
            count.add(*weight);
            total.add(*weight);
            lines.push_back(layer_line(node.name, std::visit(OperationName{}, node.operation),
                                       hdf5::to_string(weight->shape), count, node.pruned_ratio));
        }
    lines.push_back(layer_line("total", "", "", total));
    return lines;
}

Lines summarize_comparison(const std::filesystem::path& path) {
    const Comparison comparison = read_comparison(path);
    const ComparisonHeader& header = comparison.header;
    Lines lines{
        fmt::format("network {}, data {}, {} images, seed {}{}", header.network, header.data,
                    header.labels.size(), header.seed, comparison.complete ? "" : ", incomplete"),
        fmt::format("software {} {:.2f} %", header.metric, 100 * header.software_accuracy)};
    for (const ComparisonArm& arm : comparison.arms)
        lines.push_back(fmt::format(
            "{:<12} {:<8} fault rate {:<7g} trial {:<4} accuracy {:6.2f} % agreement {:6.2f} %",
            arm.mapping, arm.operators, arm.fault_rate, arm.trial, 100 * arm.accuracy,
            100 * arm.agreement));
    return lines;
}

Lines summarize_crossbar(const std::filesystem::path& path) {
    const Crossbar crossbar = read_crossbar(path);
    return {fmt::format("{} array, columns {}", to_string(crossbar.shape()),
                        to_string(crossbar.pattern())),
            fmt::format("conductance {:g} S to {:g} S", crossbar.conductance().minCoeff(),
                        crossbar.conductance().maxCoeff()),
            fmt::format("word lines driven: {}, bit lines sensed: {}",
                        to_string(crossbar.wires().drive), to_string(crossbar.wires().sense_at)),
            fmt::format("{} faulty cells, {} bridges between lines",
                        (crossbar.faults().array() != Fault::none).count(),
                        crossbar.wires().bridges.size())};
}

Lines summarize_cell(const std::filesystem::path& path) {
    const CellRecord cell = read_cell(path);
    const CellSurface& surface = cell.surface;
    const Eigen::VectorXd g = surface.conductance();
    return {fmt::format("subcircuit {} of {}, state {}", surface.cell.name, cell.source,
                        surface.cell.state_parameter),
            fmt::format("{} states, {:.4g} to {:.4g} S at {:g} V", g.size(), g(0), g(g.size() - 1),
                        surface.read_voltage),
            fmt::format("{} voltages, {:g} to {:g} V", surface.voltage.size(), surface.voltage(0),
                        surface.voltage(surface.voltage.size() - 1)),
            fmt::format("table error: largest {:.2e}, rms {:.2e} of the current, at {} places",
                        cell.largest_error, cell.rms_error, cell.held_out)};
}

Lines summarize_fault_map(const std::filesystem::path& path) {
    const FaultMap map = read_fault_map(path);
    Lines lines{fmt::format("origin: {}", InputGroup::open(path).text("origin")),
                fmt::format("{} faulty cells and {} defects of wires in {} layers", map.cells(),
                            map.lines(), map.layers().size())};
    for (const auto& [layer, faults] : map.layers())
        lines.push_back(
            fmt::format("{:<24} {:>6} {:>6}", layer, faults.cells.size(), faults.lines.size()));
    return lines;
}

Lines summarize_sweep(const std::filesystem::path& path) {
    const SweepRecord record = read_sweep(path);
    Lines lines{fmt::format("{}: {} units of {} points, {} trials, {} images, seed {}, shard {}{}",
                            record.name, record.units.size(), record.points.size(), record.trials,
                            record.images, record.seed, record.shard,
                            record.complete ? "" : ", incomplete"),
                fmt::format("axes {}", fmt::join(record.axes, ", "))};
    for (const SweepNetwork& network : record.networks)
        lines.push_back(fmt::format("network {} ({}), {:.1f} % zeros, software {:.2f} %",
                                    network.file, network.name, 100 * network.zeros,
                                    100 * network.software_accuracy));
    return lines;
}

Lines summarize_agreement(const std::filesystem::path& path) {
    const InputGroup records = InputGroup::open(path).group("records");
    Lines lines;
    for (const std::string& name : records.names()) {
        const InputGroup record = records.group(name);
        lines.push_back(fmt::format("{:<32} {} against {}: worst {:.3g} at {}",
                                    record.text("circuit"), record.text("engine"),
                                    record.text("reference"), record.number("worst"),
                                    record.text("worst_column")));
    }
    return lines;
}

void list_data_sets(const InputGroup& group, const std::string& prefix, Lines& lines) {
    for (const std::string& name : group.names()) {
        if (group.is_group(name))
            list_data_sets(group.group(name), prefix + name + "/", lines);
        else if (group.is_data_set(name))
            lines.push_back(fmt::format("/{}{} [{}] {}", prefix, name,
                                        hdf5::to_string(group.describe(name).shape),
                                        group.unit(name)));
    }
}

Lines summarize_content(const InputGroup& file, const std::filesystem::path& path,
                        const std::string& format) {
    using Summarize = Lines (*)(const std::filesystem::path&);
    static const std::map<std::string, Summarize> summaries = {
        {format::network, summarize_network},
        {format::comparison, summarize_comparison},
        {format::crossbar, summarize_crossbar},
        {format::fault_map, summarize_fault_map},
        {format::agreement, summarize_agreement},
        {format::sweep, summarize_sweep},
        {format::cell, summarize_cell}};
    if (const auto found = summaries.find(format); found != summaries.end())
        return found->second(path);
    Lines lines;
    list_data_sets(file, "", lines);
    return lines;
}

}  // namespace

FileSummary summarize_file(const std::filesystem::path& path) {
    const InputGroup file = InputGroup::open(path);
    if (!file.has_attribute("format") || !file.text("format").starts_with("kirchnet "))
        throw InvalidInput(file.where(),
                           "is HDF5 but no kirchnet file (a PyTorch state dict becomes one by "
                           "'kirchnet import')");
    FileSummary summary;
    summary.format = file.text("format");
    open_format(path, summary.format);  // checks the version
    summary.format_version = format::version;
    summary.producer = file.text("producer");
    summary.lines = summarize_content(file, path, summary.format);
    return summary;
}

}  // namespace kirchnet
