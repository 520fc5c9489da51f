#include "data/architectures/chain_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "data/architectures/name_number.hpp"
#include "data/architectures/network_description.hpp"
#include "data/detail/shape.hpp"

namespace kirchnet {

ChainBuilder::ChainBuilder(StateDict& tensors, Network network)
    : builder_(tensors, std::move(network)),
      epsilon_(read_epsilon(tensors, "bn_eps", default_epsilon)),
      at_{builder_.last(), builder_.input()} {}

void ChainBuilder::step(const std::string& name, Operation operation, const ImageShape& shape) {
    builder_.add(name, std::move(operation), {at_.node});
    at_ = {name, shape};
}

std::size_t ChainBuilder::windows(const std::string& name, std::size_t side, std::size_t kernel,
                                  std::size_t stride, std::size_t padding) const {
    if (kernel == 0 || side + 2 * padding < kernel)
        builder_.tensors().fail(name, fmt::format("{} pixels with padding {} are too few for its "
                                                  "kernel of {}: give the size of the images that "
                                                  "the network takes (--input)",
                                                  side, padding, kernel));
    return (side + 2 * padding - kernel) / stride + 1;
}

void ChainBuilder::conv(const std::string& name, const ConvSettings& settings) {
    Tensor weight = tensors().take(name + ".weight", 4);
    const std::size_t outputs = weight.shape[0];
    if (weight.shape[1] * settings.groups != at_.shape.channels || outputs % settings.groups != 0)
        tensors().fail(name + ".weight",
                       fmt::format("has shape {}, a convolution of {} channels in {} group{} is "
                                   "needed",
                                   to_string(weight.shape), at_.shape.channels, settings.groups,
                                   settings.groups == 1 ? "" : "s"));
    const auto side = [&](std::size_t size, std::size_t kernel) {
        return windows(name + ".weight", size, kernel, settings.stride, settings.padding);
    };
    const ImageShape shape{outputs, side(at_.shape.height, weight.shape[2]),
                           side(at_.shape.width, weight.shape[3])};
    ConvOp conv{.weight = std::move(weight),
                .bias = builder_.optional_bias(name, outputs),
                .stride = settings.stride,
                .padding = settings.padding,
                .groups = settings.groups};
    step(name, std::move(conv), shape);
}

void ChainBuilder::depthwise(const std::string& name, std::size_t stride, std::size_t padding) {
    conv(name, {stride, padding, at_.shape.channels});
}

void ChainBuilder::batch_norm(const std::string& name) {
    builder_.add_batch_norm(name, at_.shape.channels, epsilon_);
    at_.node = builder_.last();
}

void ChainBuilder::relu6(const std::string& name) {
    step(name, ActivationOp{.kind = ActivationOp::Kind::relu6}, at_.shape);
}

void ChainBuilder::max_pool(const std::string& name, const MaxPoolSettings& settings) {
    PoolOp pool{.kind = PoolOp::Kind::maximum,
                .kernel = settings.kernel,
                .stride = settings.stride,
                .padding = settings.padding};
    const auto count = [&](std::size_t side) {
        return windows(name, side, settings.kernel, settings.stride, settings.padding);
    };
    const auto sticks_out = [&](std::size_t side) {
        return settings.ceil &&
               (count(side) - 1) * settings.stride + settings.kernel < side + 2 * settings.padding;
    };
    const bool rows = sticks_out(at_.shape.height);
    const bool columns = sticks_out(at_.shape.width);
    // One more window starts inside the image: what it lacks is at most kernel - 1 pixels, and
    // as much behind the last window of the other side changes nothing there.
    if (rows || columns) pool.extra_padding = settings.stride - 1;
    const ImageShape shape{at_.shape.channels, count(at_.shape.height) + (rows ? 1 : 0),
                           count(at_.shape.width) + (columns ? 1 : 0)};
    step(name, pool, shape);
}

void ChainBuilder::global_average(const std::string& name) {
    step(name, PoolOp{.kind = PoolOp::Kind::average}, {at_.shape.channels, 1, 1});
}

void ChainBuilder::linear(const std::string& name) {
    Tensor weight = tensors().take(name + ".weight", 2);
    if (weight.shape[1] != at_.shape.size())
        tensors().fail(name + ".weight",
                       fmt::format("has shape {}, the layer before gives {}x{}x{} values",
                                   to_string(weight.shape), at_.shape.channels, at_.shape.height,
                                   at_.shape.width));
    const std::size_t outputs = weight.shape[0];
    step(name, LinearOp{std::move(weight), builder_.optional_bias(name, outputs)}, {outputs, 1, 1});
}

void ChainBuilder::add(const std::string& name, const Position& other) {
    if (other.shape != at_.shape)
        tensors().fail(at_.node + ".weight",
                       fmt::format("gives {} channels of {}x{} pixels, its shortcut {} of {}x{}",
                                   at_.shape.channels, at_.shape.height, at_.shape.width,
                                   other.shape.channels, other.shape.height, other.shape.width));
    builder_.add(name, AddOp{}, {at_.node, other.node});
    at_.node = name;
}

void ChainBuilder::concat(const std::string& name, const Position& first, const Position& second) {
    builder_.add(name, ConcatOp{}, {first.node, second.node});
    at_ = {name,
           {first.shape.channels + second.shape.channels, first.shape.height, first.shape.width}};
}

std::size_t input_channels(const StateDict& tensors, const std::string& name) {
    const auto& shape = tensors.shape(name + ".weight");
    if (shape.size() != 4 || shape[1] == 0)
        tensors.fail(name + ".weight",
                     fmt::format("has shape {}, a convolution is needed", to_string(shape)));
    return shape[1];
}

std::vector<std::size_t> find_numbers(const StateDict& tensors, std::string_view prefix,
                                      std::string_view suffix) {
    std::vector<std::size_t> numbers;
    for (std::string_view name : tensors.unused()) {
        if (!name.starts_with(prefix) || !name.ends_with(suffix) ||
            name.size() <= prefix.size() + suffix.size())
            continue;
        name.remove_prefix(prefix.size());
        name.remove_suffix(suffix.size());
        if (const auto number = parse_name_number(name)) numbers.push_back(*number);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

}  // namespace kirchnet
