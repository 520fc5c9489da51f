// Darknet (Redmon, 2013-2016; Bochkovskiy, 2020): what its `parser.c` makes of each section.
#include "data/architectures/darknet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "circuit/error.hpp"
#include "data/architectures/network_builder.hpp"
#include "data/architectures/network_description.hpp"
#include "data/detail/darknet_weights.hpp"

namespace kirchnet {
namespace {

constexpr float darknet_leak = 0.1F;
constexpr const char* linear = "linear";

Operation parse_darknet_activation(const DarknetSection& section, const std::string& name) {
    using Kind = ActivationOp::Kind;
    static const std::map<std::string, Operation> known{
        {"relu", ReluOp{}},
        {"leaky", ActivationOp{.kind = Kind::leaky_relu, .slope = darknet_leak}},
        {"relu6", ActivationOp{.kind = Kind::relu6}},
        {"logistic", ActivationOp{.kind = Kind::sigmoid}},
        {"tanh", ActivationOp{.kind = Kind::tanh}},
        {"swish", ActivationOp{.kind = Kind::silu}},
        {"mish", ActivationOp{.kind = Kind::mish}},
    };
    if (const auto found = known.find(name); found != known.end()) return found->second;
    section.fail("activation", fmt::format("activation '{}' is not supported (linear, relu, leaky, "
                                           "relu6, logistic, tanh, swish, mish)",
                                           name));
}

/// Options whose effect is not modelled, and the value that has none.
void refuse_options(const DarknetSection& section) {
    static constexpr std::pair<const char*, double> neutral[] = {
        {"dilation", 1},   {"antialiasing", 0}, {"maxpool_depth", 0}, {"new_coords", 0},
        {"binary", 0},     {"xnor", 0},         {"deform", 0},        {"assisted_excitation", 0},
        {"share_index", 0}};
    for (const auto& [key, value] : neutral)
        if (section.number(key, value) != value)
            section.fail(key, fmt::format("'{}' of [{}] is not supported", key, section.name()));
    for (const char* key : {"stride_x", "stride_y"})
        if (section.number(key, section.number("stride", 1)) != section.number("stride", 1))
            section.fail(key, fmt::format("'{}' other than stride is not supported", key));
    if (section.text("weights_type", "none") != "none")
        section.fail("weights_type", "weighted shortcuts are not supported");
}

class DarknetBuilder {
  public:
    DarknetBuilder(const DarknetCfg& cfg, StateDict& tensors, Network description)
        : cfg_(cfg),
          tensors_(tensors),
          input_channels_(description.input.channels),
          channels_(darknet_channels(cfg)),
          epsilon_(read_epsilon(tensors, "bn_eps", default_epsilon)),
          builder_(tensors, std::move(description)) {}

    Network build() {
        for (std::size_t i = 0; i < cfg_.sections.size(); ++i) {
            refuse_options(cfg_.sections[i]);
            add_section(cfg_.sections[i], i);
            outputs_.push_back(last_);
        }
        Network network = builder_.finish("the network of " + cfg_.source);
        network.heads = std::move(heads_);
        network.detection_classes = classes_;
        return network;
    }

  private:
    /// What each section adds; those not listed do nothing at inference.
    void add_section(const DarknetSection& section, std::size_t at) {
        using Adder = void (DarknetBuilder::*)(const DarknetSection&, std::size_t);
        static const std::map<std::string, Adder> adders{
            {"convolutional", &DarknetBuilder::add_convolution},
            {"maxpool", &DarknetBuilder::add_maximum_pool},
            {"avgpool", &DarknetBuilder::add_average_pool},
            {"route", &DarknetBuilder::add_route},
            {"shortcut", &DarknetBuilder::add_shortcut},
            {"upsample", &DarknetBuilder::add_upsampling},
            {"yolo", &DarknetBuilder::add_head},
        };
        if (const auto found = adders.find(section.name()); found != adders.end())
            (this->*found->second)(section, at);
    }

    void add(std::size_t at, const std::string& what, Operation operation,
             std::vector<std::string> inputs) {
        last_ = darknet_layer_name(at) + "." + what;
        builder_.add(last_, std::move(operation), std::move(inputs));
    }

    void add_convolution(const DarknetSection& section, std::size_t at) {
        const std::string name = darknet_layer_name(at);
        const std::size_t inputs = at == 0 ? input_channels_ : channels_[at - 1];
        const std::size_t size = section.count("size", 1, 1);
        const std::size_t groups = section.count("groups", 1, 1);
        const bool has_norm = section.count("batch_normalize", 0) != 0;
        ConvOp conv{
            .weight = tensors_.take_shaped(name + ".conv.weight",
                                           {channels_[at], inputs / groups, size, size}),
            .bias = {},
            .stride = section.count("stride", 1, 1),
            .padding = section.count("pad", 0) != 0 ? size / 2 : section.count("padding", 0),
            .groups = groups};
        if (!has_norm) conv.bias = tensors_.take_shaped(name + ".conv.bias", {channels_[at]});
        add(at, "conv", std::move(conv), {last_});
        if (has_norm) {
            builder_.add_batch_norm(name + ".bn", channels_[at], epsilon_);
            last_ = builder_.last();
        }
        // Darknet's own default.
        add_activation(section, at, "logistic");
    }

    void add_activation(const DarknetSection& section, std::size_t at,
                        const std::string& fallback) {
        const std::string name = section.text("activation", fallback);
        if (name != linear) add(at, name, parse_darknet_activation(section, name), {last_});
    }

    /// Darknet lays `padding` pixels in all around the map, the smaller half before it.
    void add_maximum_pool(const DarknetSection& section, std::size_t at) {
        const std::size_t stride = section.count("stride", 1, 1);
        const std::size_t size = section.count("size", stride, 1);
        const std::size_t padding = section.count("padding", size - 1);
        add(at, "maxpool",
            PoolOp{.kind = PoolOp::Kind::maximum,
                   .kernel = size,
                   .stride = stride,
                   .padding = padding / 2,
                   .extra_padding = padding % 2},
            {last_});
    }

    void add_average_pool(const DarknetSection&, std::size_t at) {
        add(at, "avgpool", PoolOp{.kind = PoolOp::Kind::average, .kernel = 0}, {last_});
    }

    void add_route(const DarknetSection& section, std::size_t at) {
        const std::size_t groups = section.count("groups", 1, 1);
        const std::size_t group = section.count("group_id", 0);
        if (group >= groups)
            section.fail("group_id", fmt::format("group {} of {} does not exist", group, groups));
        std::vector<std::string> parts;
        for (const std::size_t source : darknet_sources(section, at, "layers")) {
            last_ = outputs_[source];
            if (groups > 1)
                add(at, fmt::format("slice{}", parts.size()),
                    SliceOp{group * (channels_[source] / groups), channels_[source] / groups},
                    {last_});
            parts.push_back(last_);
        }
        if (parts.size() > 1) add(at, "concat", ConcatOp{}, parts);
    }

    void add_shortcut(const DarknetSection& section, std::size_t at) {
        std::size_t count = 0;
        for (const std::size_t source : darknet_sources(section, at, "from")) {
            if (channels_[source] != channels_[at])
                section.fail("from", fmt::format("adds {} channels to {}", channels_[source],
                                                 channels_[at]));
            add(at, count == 0 ? "add" : fmt::format("add{}", count), AddOp{},
                {last_, outputs_[source]});
            ++count;
        }
        add_activation(section, at, linear);
    }

    void add_upsampling(const DarknetSection& section, std::size_t at) {
        if (section.number("scale", 1) != 1)
            section.fail("scale", "'scale' of [upsample] other than 1 is not supported");
        add(at, "upsample", UpsampleOp{section.count("stride", 2, 1)}, {last_});
    }

    void add_head(const DarknetSection& section, std::size_t) {
        const std::size_t classes = section.count("classes", 20, 1);
        if (classes_ != 0 && classes != classes_)
            section.fail("classes",
                         fmt::format("{} classes, another [yolo] has {}", classes, classes_));
        classes_ = classes;
        const std::vector<double> sides = section.numbers("anchors");
        DetectionHead head{.node = last_,
                           .anchors = {},
                           .scale_xy = static_cast<float>(section.number("scale_x_y", 1))};
        for (const std::ptrdiff_t index : section.integers("mask")) {
            if (index < 0 || 2 * static_cast<std::size_t>(index) + 1 >= sides.size())
                section.fail("mask", fmt::format("there is no anchor {}", index));
            const auto side = sides.begin() + 2 * index;
            head.anchors.push_back({static_cast<float>(side[0]), static_cast<float>(side[1])});
        }
        heads_.push_back(std::move(head));
    }

    const DarknetCfg& cfg_;
    StateDict& tensors_;
    std::size_t input_channels_;
    std::vector<std::size_t> channels_;  ///< per section
    double epsilon_;
    NetworkBuilder builder_;
    std::string last_ = "input";
    std::vector<std::string> outputs_;  ///< node of each section
    std::vector<DetectionHead> heads_;
    std::size_t classes_ = 0;
};

}  // namespace

Network build_darknet(const DarknetCfg& cfg, StateDict& tensors) {
    const ImageShape input{cfg.net.count("channels", 3, 1), cfg.net.count("height", 0, 1),
                           cfg.net.count("width", 0, 1)};
    if (input.height == 0 || input.width == 0)
        throw InvalidInput(cfg.net.place(), "[net] needs width and height");
    Network network = describe_network(tensors, input);
    network.input = input;
    return DarknetBuilder(cfg, tensors, std::move(network)).build();
}

}  // namespace kirchnet
