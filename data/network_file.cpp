#include "data/network_file.hpp"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "circuit/error.hpp"
#include "data/detail/file_format.hpp"
#include "data/detail/network_group.hpp"

namespace kirchnet {
namespace {

using hdf5::InputGroup;
using hdf5::OutputGroup;

constexpr const char* pure_number = "1";  // unit of weights

/// Hyper-parameters and tensors of a node, by overload: one place per direction and operation.
class NodeWriter {
  public:
    explicit NodeWriter(OutputGroup& group) : group_(group) {}

    void operator()(const InputOp&) { op("input"); }
    void operator()(const ReluOp&) { op("relu"); }
    void operator()(const AddOp&) { op("add"); }
    void operator()(const ConcatOp&) { op("concat"); }
    void operator()(const ActivationOp& activation) {
        op("activation");
        group_.set("kind", std::string(to_string(activation.kind)));
        if (activation.kind == ActivationOp::Kind::leaky_relu)
            group_.set("slope", static_cast<double>(activation.slope));
    }
    void operator()(const SliceOp& slice) {
        op("slice");
        number("first", slice.first);
        number("count", slice.count);
    }
    void operator()(const UpsampleOp& upsample) {
        op("upsample");
        number("factor", upsample.factor);
    }
    void operator()(const ConvOp& conv) {
        op("conv");
        tensor("weight", conv.weight);
        tensor("bias", conv.bias);
        number("stride", conv.stride);
        number("padding", conv.padding);
        number("groups", conv.groups);
    }
    void operator()(const LinearOp& linear) {
        op("linear");
        tensor("weight", linear.weight);
        tensor("bias", linear.bias);
    }
    void operator()(const BatchNormOp& norm) {
        op("batch_norm");
        tensor("weight", norm.weight);
        tensor("bias", norm.bias);
        tensor("running_mean", norm.running_mean);
        tensor("running_variance", norm.running_variance);
        group_.set("epsilon", static_cast<double>(norm.epsilon));
    }
    void operator()(const PoolOp& pool) {
        op("pool");
        group_.set("kind", pool.kind == PoolOp::Kind::average ? "average" : "maximum");
        number("kernel", pool.kernel);
        number("stride", pool.stride);
        number("padding", pool.padding);
        number("extra_padding", pool.extra_padding);
        number("counts_padding", pool.counts_padding ? 1 : 0);
    }
    void operator()(const PadShortcutOp& shortcut) {
        op("pad_shortcut");
        number("stride", shortcut.stride);
        number("out_channels", shortcut.out_channels);
    }

  private:
    void op(const char* name) { group_.set("op", name); }
    void number(const char* name, std::size_t value) {
        group_.set(name, static_cast<std::uint64_t>(value));
    }
    void tensor(const char* name, const Tensor& tensor) {
        if (tensor == Tensor{}) return;
        group_.write(name, tensor.shape, std::span<const float>(tensor.values), pure_number);
    }

    OutputGroup& group_;
};

/// Values that are all finite, or the place of the first that is not.
std::vector<float> finite(const InputGroup& group, const std::string& name,
                          std::vector<float> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!std::isfinite(values[i]))
            group.fail(name, fmt::format("value {} is {}, not a finite number", i, values[i]));
    return values;
}

Tensor read_tensor(const InputGroup& node, const std::string& name, std::size_t rank) {
    auto array = node.read<float>(name, rank);
    return {std::move(array.shape), finite(node, name, std::move(array.values))};
}

Tensor read_optional(const InputGroup& node, const std::string& name, std::size_t rank) {
    return node.has(name) ? read_tensor(node, name, rank) : Tensor{};
}

Operation read_conv(const InputGroup& node) {
    return ConvOp{.weight = read_tensor(node, "weight", 4),
                  .bias = read_optional(node, "bias", 1),
                  .stride = node.count("stride"),
                  .padding = node.count("padding"),
                  .groups = node.count("groups")};
}

Operation read_linear(const InputGroup& node) {
    return LinearOp{.weight = read_tensor(node, "weight", 2),
                    .bias = read_optional(node, "bias", 1)};
}

Operation read_batch_norm(const InputGroup& node) {
    return BatchNormOp{.weight = read_tensor(node, "weight", 1),
                       .bias = read_tensor(node, "bias", 1),
                       .running_mean = read_tensor(node, "running_mean", 1),
                       .running_variance = read_tensor(node, "running_variance", 1),
                       .epsilon = static_cast<float>(node.number("epsilon"))};
}

PoolOp::Kind read_pool_kind(const InputGroup& node) {
    const std::string kind = node.text("kind");
    if (kind == "average") return PoolOp::Kind::average;
    if (kind == "maximum") return PoolOp::Kind::maximum;
    throw InvalidInput(node.where(),
                       fmt::format("attribute 'kind' is '{}', neither average nor maximum", kind));
}

/// Attributes that older files lack.
std::size_t optional_count(const InputGroup& node, const char* name, std::size_t fallback) {
    return node.has_attribute(name) ? node.count(name) : fallback;
}

Operation read_pool(const InputGroup& node) {
    return PoolOp{.kind = read_pool_kind(node),
                  .kernel = node.count("kernel"),
                  .stride = node.count("stride"),
                  .padding = node.count("padding"),
                  .extra_padding = optional_count(node, "extra_padding", 0),
                  .counts_padding = optional_count(node, "counts_padding", 1) != 0};
}

Operation read_activation(const InputGroup& node) {
    ActivationOp activation;
    try {
        activation.kind = parse_activation(node.text("kind"));
    } catch (const InvalidInput& error) {
        throw InvalidInput(node.where(), error.what());
    }
    if (activation.kind == ActivationOp::Kind::leaky_relu)
        activation.slope = static_cast<float>(node.number("slope"));
    return activation;
}

Operation read_slice(const InputGroup& node) {
    return SliceOp{.first = node.count("first"), .count = node.count("count")};
}

Operation read_upsample(const InputGroup& node) {
    return UpsampleOp{.factor = node.count("factor")};
}

Operation read_pad_shortcut(const InputGroup& node) {
    return PadShortcutOp{.stride = node.count("stride"),
                         .out_channels = node.count("out_channels")};
}

Operation read_operation(const InputGroup& node) {
    using Read = Operation (*)(const InputGroup&);
    static const std::map<std::string, Read> readers = {
        {"input", [](const InputGroup&) -> Operation { return InputOp{}; }},
        {"relu", [](const InputGroup&) -> Operation { return ReluOp{}; }},
        {"add", [](const InputGroup&) -> Operation { return AddOp{}; }},
        {"concat", [](const InputGroup&) -> Operation { return ConcatOp{}; }},
        {"activation", read_activation},
        {"slice", read_slice},
        {"upsample", read_upsample},
        {"conv", read_conv},
        {"linear", read_linear},
        {"batch_norm", read_batch_norm},
        {"pool", read_pool},
        {"pad_shortcut", read_pad_shortcut}};
    const std::string op = node.text("op");
    if (const auto found = readers.find(op); found != readers.end()) return found->second(node);
    throw InvalidInput(node.where(),
                       fmt::format("operator '{}' is not supported (input, conv, linear, "
                                   "batch_norm, relu, activation, add, concat, slice, upsample, "
                                   "pool, pad_shortcut)",
                                   op));
}

/// Absent where nothing was pruned, and in older files.
double read_pruned_ratio(const InputGroup& node) {
    if (!node.has_attribute("pruned_ratio")) return 0;
    const double ratio = node.number("pruned_ratio");
    if (ratio >= 0 && ratio < 1) return ratio;
    throw InvalidInput(
        node.where(),
        fmt::format("attribute 'pruned_ratio' is {}, not at least 0 and below 1", ratio));
}

/// Every input must be an earlier node; all else about the graph is checked when it is run.
void check_inputs(const InputGroup& group, const Node& node, const std::set<std::string>& earlier) {
    for (const std::string& input : node.inputs)
        if (!earlier.contains(input))
            throw InvalidInput(group.where(), fmt::format("input '{}' is no earlier node", input));
}

std::vector<Node> read_nodes(const InputGroup& groups) {
    std::map<std::uint64_t, std::string> order;
    for (const std::string& name : groups.names())
        if (!order.emplace(groups.group(name).count("index"), name).second)
            throw InvalidInput(groups.where(name),
                               "shares its attribute 'index' with another node");
    std::vector<Node> nodes;
    std::set<std::string> earlier;
    for (const auto& [index, name] : order) {
        const InputGroup group = groups.group(name);
        nodes.push_back({.name = name, .operation = read_operation(group), .inputs = {}});
        nodes.back().pruned_ratio = read_pruned_ratio(group);
        if (group.has_attribute("inputs")) nodes.back().inputs = group.texts("inputs");
        check_inputs(group, nodes.back(), earlier);
        earlier.insert(name);
    }
    if (nodes.empty()) throw InvalidInput(groups.where(), "holds no node");
    return nodes;
}

ImageShape read_input_shape(const InputGroup& file) {
    const auto shape = file.numbers("input_shape");
    for (const double extent : shape)
        if (!(extent >= 1 && extent <= 65536) || extent != std::floor(extent))
            throw InvalidInput(file.where(),
                               fmt::format("attribute 'input_shape' holds {}", extent));
    if (shape.size() != 3)
        throw InvalidInput(file.where(),
                           "attribute 'input_shape' must be channels, height and width");
    return {static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1]),
            static_cast<std::size_t>(shape[2])};
}

std::vector<float> read_per_channel(const InputGroup& file, const std::string& name,
                                    std::size_t channels) {
    auto values = finite(file, name, file.read_vector<float>(name));
    if (values.size() != channels)
        file.fail(name,
                  fmt::format("holds {} values for {} input channels", values.size(), channels));
    return values;
}

void write_nodes(OutputGroup groups, const std::vector<Node>& nodes) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        OutputGroup group = groups.group(nodes[i].name);
        group.set("index", static_cast<std::uint64_t>(i));
        std::visit(NodeWriter(group), nodes[i].operation);
        if (!nodes[i].inputs.empty()) group.set("inputs", nodes[i].inputs);
        if (nodes[i].pruned_ratio > 0) group.set("pruned_ratio", nodes[i].pruned_ratio);
    }
}

void write_heads(OutputGroup& file, const Network& network) {
    if (network.heads.empty()) return;
    OutputGroup detection = file.group("detection");
    detection.set("classes", static_cast<std::uint64_t>(network.detection_classes));
    for (std::size_t i = 0; i < network.heads.size(); ++i) {
        const DetectionHead& head = network.heads[i];
        OutputGroup group = detection.group(fmt::format("head{}", i));
        group.set("index", static_cast<std::uint64_t>(i));
        group.set("node", head.node);
        group.set("scale_xy", static_cast<double>(head.scale_xy));
        std::vector<float> sides;
        for (const AnchorBox& anchor : head.anchors)
            sides.insert(sides.end(), {anchor.width, anchor.height});
        group.write("anchors", {head.anchors.size(), 2}, std::span<const float>(sides), "pixel");
    }
}

DetectionHead read_head(const InputGroup& group) {
    const Tensor sides = read_tensor(group, "anchors", 2);
    if (sides.shape[1] != 2) group.fail("anchors", "must hold width and height per anchor");
    DetectionHead head{.node = group.text("node"),
                       .anchors = {},
                       .scale_xy = static_cast<float>(group.number("scale_xy"))};
    for (std::size_t i = 0; i < sides.shape[0]; ++i)
        head.anchors.push_back({sides.values[2 * i], sides.values[2 * i + 1]});
    return head;
}

void read_heads(const InputGroup& file, Network& network) {
    if (!file.has("detection")) return;
    const InputGroup detection = file.group("detection");
    network.detection_classes = detection.count("classes");
    std::map<std::uint64_t, DetectionHead> heads;
    for (const std::string& name : detection.names()) {
        const InputGroup group = detection.group(name);
        if (!heads.emplace(group.count("index"), read_head(group)).second)
            throw InvalidInput(group.where(), "shares its attribute 'index' with another head");
    }
    for (auto& [index, head] : heads) network.heads.push_back(std::move(head));
}

}  // namespace

Network read_network_group(const InputGroup& file) {
    Network network;
    network.name = file.text("name");
    network.input = read_input_shape(file);
    network.mean = read_per_channel(file, "mean", network.input.channels);
    network.deviation = read_per_channel(file, "deviation", network.input.channels);
    for (std::size_t c = 0; c < network.deviation.size(); ++c)
        if (!(network.deviation[c] > 0))
            file.fail("deviation",
                      fmt::format("channel {}: {} is not above 0", c, network.deviation[c]));
    network.nodes = read_nodes(file.group("nodes"));
    read_heads(file, network);
    const InputGroup provenance = file.group("provenance");
    for (const std::string& key : provenance.attribute_names())
        network.provenance[key] = provenance.text(key);
    return network;
}

void write_network_group(OutputGroup& file, const Network& network) {
    file.set("name", network.name);
    file.set("input_shape", std::vector<std::uint64_t>{network.input.channels, network.input.height,
                                                       network.input.width});
    file.write("mean", network.mean, pure_number);
    file.write("deviation", network.deviation, pure_number);
    write_nodes(file.group("nodes"), network.nodes);
    write_heads(file, network);
    OutputGroup provenance = file.group("provenance");
    for (const auto& [key, text] : network.provenance) provenance.set(key, text);
}

Network read_network(const std::filesystem::path& path) {
    return read_network_group(open_format(path, format::network));
}

void write_network(const std::filesystem::path& path, const Network& network) {
    OutputGroup file = OutputGroup::create(format::network, format::version);
    write_network_group(file, network);
    file.save(path);
}

bool is_network_file(const std::filesystem::path& path) {
    return hdf5::is_hdf5(path) && has_format(InputGroup::open(path), format::network);
}

}  // namespace kirchnet
