// CIFAR ResNets (He et al., CVPR 2016, section 4.2): a 3x3 convolution, stages of basic blocks
// whose first block halves the feature map from the second stage on, global average pooling, one
// linear layer. Widths, depths and the kind of shortcut follow from the tensors that are there.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include "circuit/error.hpp"
#include "circuit/units.hpp"
#include "data/detail/hdf5_reader.hpp"
#include "data/network_file.hpp"

namespace kirchnet {
namespace {

using hdf5::InputGroup;

constexpr double default_epsilon = 1e-5;        // PyTorch's batch norm
constexpr std::size_t default_image_side = 32;  // CIFAR

std::string join(const std::vector<std::size_t>& shape) {
    return hdf5::to_string(shape);
}

/// The tensors of a state dict, and which of them have found their place.
class StateDict {
  public:
    explicit StateDict(const InputGroup& file) : file_(file) {
        for (const std::string& name : file.names())
            // Training's batch counter is no parameter.
            if (!name.ends_with(".num_batches_tracked")) unused_.insert(name);
        if (unused_.empty()) throw InvalidInput(file.where(), "holds no tensor");
        strip_common_prefix();
    }

    [[nodiscard]] const InputGroup& file() const { return file_; }
    [[nodiscard]] const std::set<std::string>& unused() const { return unused_; }
    [[nodiscard]] bool has(const std::string& name) const { return file_.has(prefix_ + name); }
    [[nodiscard]] hdf5::Shape shape(const std::string& name) const {
        return file_.describe(prefix_ + name).shape;
    }

    [[noreturn]] void fail(const std::string& name, const std::string& problem) const {
        file_.fail(prefix_ + name, problem);
    }

    Tensor take(const std::string& name, std::size_t rank) {
        auto array = file_.read<float>(prefix_ + name, rank);
        for (std::size_t i = 0; i < array.values.size(); ++i)
            if (!std::isfinite(array.values[i]))
                fail(name, fmt::format("value {} is {}, not a finite number", i, array.values[i]));
        if (array.values.empty()) fail(name, "is empty");
        unused_.erase(name);
        return {std::move(array.shape), std::move(array.values)};
    }

    Tensor take_shaped(const std::string& name, const std::vector<std::size_t>& shape) {
        Tensor tensor = take(name, shape.size());
        if (tensor.shape != shape)
            fail(name, fmt::format("has shape {}, its neighbours need {}", join(tensor.shape),
                                   join(shape)));
        return tensor;
    }

    void check_all_used() const {
        if (unused_.empty()) return;
        throw InvalidInput(file_.where(),
                           fmt::format("{} tensor{} no place in a CIFAR ResNet of basic blocks: {}",
                                       unused_.size(), unused_.size() == 1 ? " has" : "s have",
                                       fmt::join(unused_, ", ")));
    }

  private:
    /// `module.` stands before every name where training ran in parallel.
    void strip_common_prefix() {
        static const std::string parallel = "module.";
        if (!std::all_of(unused_.begin(), unused_.end(),
                         [](const std::string& name) { return name.starts_with(parallel); }))
            return;
        prefix_ = parallel;
        std::set<std::string> bare;
        for (const std::string& name : unused_) bare.insert(name.substr(parallel.size()));
        unused_ = std::move(bare);
    }

    const InputGroup& file_;
    std::string prefix_;
    std::set<std::string> unused_;
};

/// `layer` of `layer2.0.conv1`, and the number of blocks of each stage.
struct Stages {
    std::string prefix;
    std::vector<std::size_t> blocks;
};

/// The whole of `text` as a number.
std::optional<std::size_t> parse_number(std::string_view text) {
    constexpr std::size_t most = 65536;  // pixels, stages, blocks
    std::size_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data(), end, number);
    if (text.empty() || status != std::errc{} || rest != end || number > most) return std::nullopt;
    return number;
}

/// Where a block's first convolution says it belongs: `layer2.0.conv1.weight`.
struct BlockName {
    std::string prefix;
    std::size_t stage = 0;
    std::size_t block = 0;
};

std::optional<BlockName> parse_block_name(std::string_view name) {
    static constexpr std::string_view ending = ".conv1.weight";
    if (!name.ends_with(ending)) return std::nullopt;
    name.remove_suffix(ending.size());
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const std::string_view stage = name.substr(0, dot);
    const std::size_t digits = stage.find_last_not_of("0123456789") + 1;
    const auto stage_number = parse_number(stage.substr(digits));
    const auto block_number = parse_number(name.substr(dot + 1));
    if (digits == 0 || !stage_number || !block_number) return std::nullopt;
    return BlockName{std::string(stage.substr(0, digits)), *stage_number, *block_number};
}

using BlockNumbers = std::map<std::size_t, std::set<std::size_t>>;  // stage, from 1: its blocks

Stages find_stages(const StateDict& tensors) {
    Stages stages;
    BlockNumbers found;
    for (const std::string& name : tensors.unused()) {
        const auto place = parse_block_name(name);
        if (!place) continue;
        if (!stages.prefix.empty() && stages.prefix != place->prefix)
            tensors.fail(name, fmt::format("stages are called '{}' elsewhere", stages.prefix));
        stages.prefix = place->prefix;
        found[place->stage].insert(place->block);
    }
    if (found.empty())
        throw InvalidInput(tensors.file().where(),
                           "holds no block such as layer1.0.conv1.weight: not a CIFAR ResNet");
    std::size_t stage = 1;
    for (const auto& [number, blocks] : found) {
        if (number != stage++ || *blocks.rbegin() + 1 != blocks.size())
            tensors.fail(fmt::format("{}{}.{}", stages.prefix, number, *blocks.rbegin()),
                         "stages count from 1 and blocks from 0, here one before is missing");
        stages.blocks.push_back(blocks.size());
    }
    return stages;
}

/// Builds the graph node by node while taking tensors out of the state dict.
class ResNetBuilder {
  public:
    ResNetBuilder(StateDict& tensors, Network& network, double epsilon, double first_epsilon)
        : tensors_(tensors),
          network_(network),
          epsilon_(static_cast<float>(epsilon)),
          first_epsilon_(static_cast<float>(first_epsilon)) {}

    void build() {
        const Stages stages = find_stages(tensors_);
        add_stem();
        for (std::size_t stage = 1; stage <= stages.blocks.size(); ++stage)
            for (std::size_t block = 0; block < stages.blocks[stage - 1]; ++block)
                add_block(fmt::format("{}{}.{}", stages.prefix, stage, block),
                          stage > 1 && block == 0 ? 2 : 1);
        add_classifier();
        tensors_.check_all_used();
    }

  private:
    void add(const std::string& name, Operation operation, std::vector<std::string> inputs) {
        network_.nodes.push_back({name, std::move(operation), std::move(inputs)});
        last_ = name;
    }

    Tensor optional_bias(const std::string& layer, std::size_t outputs) {
        return tensors_.has(layer + ".bias") ? tensors_.take_shaped(layer + ".bias", {outputs})
                                             : Tensor{};
    }

    /// A square convolution of odd kernel that keeps the size at stride 1.
    std::size_t add_conv(const std::string& name, const std::string& input, std::size_t channels,
                         std::size_t stride, std::size_t kernel) {
        Tensor weight = tensors_.take(name + ".weight", 4);
        const std::size_t outputs = weight.shape[0];
        if (weight.shape != std::vector<std::size_t>{outputs, channels, kernel, kernel})
            tensors_.fail(name + ".weight",
                          fmt::format("has shape {}, a {}x{} convolution of {} channels is needed",
                                      join(weight.shape), kernel, kernel, channels));
        ConvOp conv{.weight = std::move(weight),
                    .bias = optional_bias(name, outputs),
                    .stride = stride,
                    .padding = kernel / 2,
                    .groups = 1};
        add(name, std::move(conv), {input});
        return outputs;
    }

    void add_batch_norm(const std::string& name, std::size_t channels) {
        const std::vector<std::size_t> shape{channels};
        BatchNormOp norm{.weight = tensors_.take_shaped(name + ".weight", shape),
                         .bias = tensors_.take_shaped(name + ".bias", shape),
                         .running_mean = tensors_.take_shaped(name + ".running_mean", shape),
                         .running_variance = tensors_.take_shaped(name + ".running_var", shape),
                         .epsilon = name == "bn1" ? first_epsilon_ : epsilon_};
        for (const float variance : norm.running_variance.values)
            if (variance < 0)
                tensors_.fail(name + ".running_var",
                              fmt::format("holds {}, a negative variance", variance));
        add(name, std::move(norm), {last_});
    }

    void add_stem() {
        add("input", InputOp{}, {});
        channels_ = add_conv("conv1", "input", network_.input.channels, 1, 3);
        add_batch_norm("bn1", channels_);
        add("relu1", ReluOp{}, {last_});
    }

    void add_block(const std::string& block, std::size_t stride) {
        const std::string input = last_;
        const std::size_t width = add_conv(block + ".conv1", input, channels_, stride, 3);
        add_batch_norm(block + ".bn1", width);
        add(block + ".relu1", ReluOp{}, {last_});
        const std::size_t outputs = add_conv(block + ".conv2", last_, width, 1, 3);
        add_batch_norm(block + ".bn2", outputs);
        const std::string residual = last_;
        const std::string shortcut = add_shortcut(block, input, stride, outputs);
        add(block + ".add", AddOp{}, {residual, shortcut});
        add(block + ".relu2", ReluOp{}, {last_});
        channels_ = outputs;
    }

    /// Name of the node that carries the shortcut.
    std::string add_shortcut(const std::string& block, const std::string& input, std::size_t stride,
                             std::size_t outputs) {
        for (const char* name : {".downsample", ".shortcut"})
            if (tensors_.has(block + name + ".0.weight"))
                return add_projection(block + name, input, stride, outputs);
        if (stride == 1 && outputs == channels_) return input;
        if (outputs < channels_ || (outputs - channels_) % 2 != 0)
            tensors_.fail(block + ".downsample.0.weight",
                          fmt::format("is missing, and {} channels cannot be padded evenly to {}",
                                      channels_, outputs));
        add(block + ".shortcut", PadShortcutOp{.stride = stride, .out_channels = outputs}, {input});
        return last_;
    }

    std::string add_projection(const std::string& name, const std::string& input,
                               std::size_t stride, std::size_t outputs) {
        if (add_conv(name + ".0", input, channels_, stride, 1) != outputs)
            tensors_.fail(name + ".0.weight",
                          fmt::format("must have {} output channels as its block has", outputs));
        add_batch_norm(name + ".1", outputs);
        return last_;
    }

    /// The one matrix of the state dict, whatever it is called: linear, fc, classifier.2.
    std::string find_classifier() const {
        static const std::string ending = ".weight";
        std::vector<std::string> found;
        for (const std::string& name : tensors_.unused())
            if (name.ends_with(ending) && tensors_.shape(name).size() == 2) found.push_back(name);
        if (found.size() == 1) return found[0].substr(0, found[0].size() - ending.size());
        throw InvalidInput(
            tensors_.file().where(),
            found.empty()
                ? std::string("classifier such as linear.weight is missing")
                : fmt::format("has more than one classifier: {}", fmt::join(found, ", ")));
    }

    void add_classifier() {
        add("avgpool", PoolOp{.kind = PoolOp::Kind::average}, {last_});
        const std::string name = find_classifier();
        Tensor weight = tensors_.take(name + ".weight", 2);
        if (weight.shape[1] != channels_)
            tensors_.fail(name + ".weight",
                          fmt::format("has shape {}, the last block gives {} features",
                                      join(weight.shape), channels_));
        const std::size_t classes = weight.shape[0];
        add(name, LinearOp{std::move(weight), optional_bias(name, classes)}, {last_});
    }

    StateDict& tensors_;
    Network& network_;
    float epsilon_;
    float first_epsilon_;
    std::string last_;
    std::size_t channels_ = 0;
};

double read_epsilon(const InputGroup& file, const std::string& name, double fallback) {
    if (!file.has_attribute(name)) return fallback;
    const double epsilon = file.number(name);
    if (!(epsilon >= 0 && epsilon < 1))
        throw InvalidInput(file.where(), fmt::format("attribute '{}' is {}", name, epsilon));
    return epsilon;
}

ImageShape parse_shape_text(const InputGroup& file, const std::string& text) {
    std::vector<std::size_t> extents;
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t end = std::min(text.find('x', from), text.size());
        const auto extent = parse_number(std::string_view(text).substr(from, end - from));
        if (!extent) break;
        extents.push_back(*extent);
        from = end + 1;
    }
    const auto signs = static_cast<std::size_t>(std::count(text.begin(), text.end(), 'x'));
    if (extents.size() != 3 || signs != 2)
        throw InvalidInput(file.where(),
                           fmt::format("attribute 'input_shape' is '{}', not like 3x32x32", text));
    return {extents[0], extents[1], extents[2]};
}

/// Written as text `3x32x32` or as three numbers.
ImageShape read_shape(const InputGroup& file, std::size_t channels) {
    if (!file.has_attribute("input_shape"))
        return {channels, default_image_side, default_image_side};
    if (file.describe_attribute("input_shape").kind == hdf5::ValueKind::text)
        return parse_shape_text(file, file.text("input_shape"));
    return parse_shape_text(file, fmt::format("{}", fmt::join(file.numbers("input_shape"), "x")));
}

std::vector<float> read_normalisation(const InputGroup& file, const std::string& name,
                                      std::size_t channels, float fallback) {
    if (!file.has_attribute(name)) return std::vector<float>(channels, fallback);
    const auto values = file.numbers(name);
    if (values.size() != channels)
        throw InvalidInput(file.where(), fmt::format("attribute '{}' holds {} values for {} "
                                                     "channels",
                                                     name, values.size(), channels));
    std::vector<float> result;
    for (const double value : values) {
        if (!std::isfinite(value) || (fallback == 1 && !(value > 0)))
            throw InvalidInput(file.where(), fmt::format("attribute '{}' holds {}", name, value));
        result.push_back(static_cast<float>(value));
    }
    return result;
}

/// Words and single numbers; what is used elsewhere is recorded all the same.
std::map<std::string, std::string> read_provenance(const InputGroup& file) {
    std::map<std::string, std::string> provenance;
    for (const std::string& name : file.attribute_names()) {
        const auto found = file.describe_attribute(name);
        if (!found.shape.empty()) continue;
        if (found.kind == hdf5::ValueKind::text)
            provenance[name] = file.text(name);
        else if (found.kind != hdf5::ValueKind::other)
            provenance[name] = format_exact(file.number(name));
    }
    return provenance;
}

void record_defaults(const InputGroup& file, std::map<std::string, std::string>& provenance) {
    if (!file.has_attribute("normalisation_mean") || !file.has_attribute("normalisation_std"))
        provenance["assumed_normalisation"] =
            "where not given by the state dict: mean 0, deviation 1 of pixel / 255";
    if (!file.has_attribute("input_shape")) provenance["assumed_input_shape"] = "32x32 pixels";
    if (!file.has_attribute("bn_eps")) provenance["assumed_bn_eps"] = format_exact(default_epsilon);
}

std::size_t first_channels(const StateDict& tensors) {
    const auto shape = tensors.shape("conv1.weight");
    if (shape.size() != 4 || shape[1] == 0)
        tensors.fail("conv1.weight",
                     fmt::format("has shape {}, a 3x3 convolution is needed", join(shape)));
    return shape[1];
}

void check_image(const InputGroup& file, const ImageShape& image, std::size_t channels) {
    if (image.channels != channels || image.height == 0 || image.width == 0)
        throw InvalidInput(file.where(),
                           fmt::format("input_shape {}x{}x{} does not fit conv1.weight, which "
                                       "takes {} channels",
                                       image.channels, image.height, image.width, channels));
}

}  // namespace

Network import_state_dict(const std::filesystem::path& path) {
    const InputGroup file = InputGroup::open(path);
    StateDict tensors(file);
    const std::size_t channels = first_channels(tensors);
    Network network;
    network.name = path.stem().string();
    network.input = read_shape(file, channels);
    check_image(file, network.input, channels);
    network.mean = read_normalisation(file, "normalisation_mean", channels, 0);
    network.deviation = read_normalisation(file, "normalisation_std", channels, 1);
    network.provenance = read_provenance(file);
    record_defaults(file, network.provenance);
    const double epsilon = read_epsilon(file, "bn_eps", default_epsilon);
    ResNetBuilder(tensors, network, epsilon, read_epsilon(file, "bn1_eps", epsilon)).build();
    return network;
}

}  // namespace kirchnet
