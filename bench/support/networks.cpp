#include "bench/support/networks.hpp"

#include <cmath>

#include "circuit/random.hpp"

namespace kirchnet::bench {
namespace {

constexpr std::uint64_t seed = 18;

std::size_t size_of(const std::vector<std::size_t>& shape) {
    std::size_t size = 1;
    for (const std::size_t side : shape) size *= side;
    return size;
}

/// Appends layers; each call returns the name of what it appended.
class Builder {
  public:
    explicit Builder(Network& network) : network_(network) {}

    std::string add(const std::string& name, Operation operation, std::vector<std::string> inputs) {
        network_.nodes.push_back({name, std::move(operation), std::move(inputs)});
        return name;
    }

    /// Convolution and batch norm that keep the size of what passes through them.
    std::string convolution(const std::string& name, const std::string& from, std::size_t inputs,
                            std::size_t outputs, std::size_t kernel, std::size_t stride) {
        ConvOp op;
        op.weight = weights({outputs, inputs, kernel, kernel});
        op.stride = stride;
        op.padding = kernel / 2;
        add(name + ".conv", std::move(op), {from});
        const auto constant = [&](float value) {
            return Tensor{{outputs}, std::vector<float>(outputs, value)};
        };
        return add(name + ".bn", BatchNormOp{constant(1), constant(0.1F), constant(0), constant(1)},
                   {name + ".conv"});
    }

    std::string block(const std::string& name, const std::string& from, std::size_t inputs,
                      std::size_t outputs, std::size_t stride) {
        std::string path = convolution(name + ".1", from, inputs, outputs, 3, stride);
        path = add(name + ".1.relu", ReluOp{}, {path});
        path = convolution(name + ".2", path, outputs, outputs, 3, 1);
        const std::string shortcut =
            stride == 1 ? from
                        : convolution(name + ".downsample", from, inputs, outputs, 1, stride);
        return add(name + ".relu", ReluOp{}, {add(name + ".add", AddOp{}, {path, shortcut})});
    }

    /// Uniform with the deviation of He et al. (2015), sqrt(2 / fan-in).
    Tensor weights(std::vector<std::size_t> shape) {
        Tensor tensor = random_tensor(std::move(shape), network_.nodes.size());
        const double fan_in = static_cast<double>(tensor.values.size() / tensor.shape.front());
        const auto largest = static_cast<float>(std::sqrt(3.0) * std::sqrt(2 / fan_in));
        for (float& value : tensor.values) value *= largest;
        return tensor;
    }

  private:
    Network& network_;
};

}  // namespace

Network resnet18_sized() {
    Network network;
    network.name = "ResNet-18-sized";
    network.input = {3, 224, 224};
    network.mean = {0.485F, 0.456F, 0.406F};
    network.deviation = {0.229F, 0.224F, 0.225F};
    Builder builder(network);
    builder.add("image", InputOp{}, {});
    std::string last = builder.convolution("stem", "image", 3, 64, 7, 2);
    last = builder.add("stem.relu", ReluOp{}, {last});
    last = builder.add("stem.pool", PoolOp{PoolOp::Kind::maximum, 3, 2, 1}, {last});
    std::size_t channels = 64;
    for (const std::size_t stage : {1U, 2U, 3U, 4U})
        for (const std::size_t part : {0U, 1U}) {
            const std::size_t outputs = std::size_t{32} << stage;
            last = builder.block("stage" + std::to_string(stage) + "." + std::to_string(part), last,
                                 channels, outputs, stage > 1 && part == 0 ? 2 : 1);
            channels = outputs;
        }
    last = builder.add("pool", PoolOp{}, {last});
    builder.add("fc", LinearOp{builder.weights({1000, channels}), {}}, {last});
    return network;
}

Tensor random_tensor(std::vector<std::size_t> shape, std::uint64_t key) {
    Tensor tensor{std::move(shape), {}};
    tensor.values.resize(size_of(tensor.shape));
    for (std::size_t i = 0; i < tensor.values.size(); ++i)
        tensor.values[i] = static_cast<float>(2 * keyed_uniform(seed, 1, {i, key, 0, 0}) - 1);
    return tensor;
}

LabelledImages random_images(const ImageShape& shape, std::size_t count) {
    LabelledImages images{shape, std::vector<std::uint8_t>(count * shape.size()),
                          std::vector<std::int32_t>(count, 0)};
    for (std::size_t i = 0; i < images.pixels.size(); ++i)
        images.pixels[i] = static_cast<std::uint8_t>(256 * keyed_uniform(seed, 2, {i, 0, 0, 0}));
    return images;
}

}  // namespace kirchnet::bench
