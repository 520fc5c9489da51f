#include "data/detail/darknet_weights.hpp"

#include <fmt/format.h>

#include <cstring>

#include "circuit/error.hpp"
#include "data/detail/decompression.hpp"

namespace kirchnet {
namespace {

constexpr std::size_t largest_file = std::size_t{2} << 30U;  // [bytes]

class WeightsReader {
  public:
    explicit WeightsReader(const std::filesystem::path& path)
        : path_(path), bytes_(read_whole(path, largest_file)) {
        const auto major = read<std::int32_t>();
        const auto minor = read<std::int32_t>();
        (void)read<std::int32_t>();  // revision
        if (major < 0 || minor < 0 || major > 100 || minor > 100)
            throw InvalidInput(path.string(), "is no file of Darknet weights");
        at_ += major * 10 + minor >= 2 ? sizeof(std::uint64_t) : sizeof(std::uint32_t);
    }

    Tensor take(std::vector<std::size_t> shape) {
        std::size_t size = 1;
        for (const std::size_t side : shape) {
            if (side != 0 && size > bytes_.size() / side) fail_short();
            size *= side;
        }
        if (at_ > bytes_.size() || size > (bytes_.size() - at_) / sizeof(float)) fail_short();
        Tensor tensor{std::move(shape), std::vector<float>(size)};
        std::memcpy(tensor.values.data(), bytes_.data() + at_, size * sizeof(float));
        at_ += size * sizeof(float);
        return tensor;
    }

    void check_end() const {
        if (at_ != bytes_.size())
            throw InvalidInput(path_.string(),
                               fmt::format("has {} bytes behind the last layer: weights of another "
                                           "configuration?",
                                           bytes_.size() - at_));
    }

  private:
    template <typename Integer>
    Integer read() {
        Integer value = 0;
        if (bytes_.size() - at_ < sizeof value) fail_short();
        std::memcpy(&value, bytes_.data() + at_, sizeof value);
        at_ += sizeof value;
        return value;
    }

    [[noreturn]] void fail_short() const {
        throw InvalidInput(path_.string(), fmt::format("ends after {} bytes, before its last layer",
                                                       bytes_.size()));
    }

    const std::filesystem::path& path_;
    Bytes bytes_;
    std::size_t at_ = 0;
};

void take_convolution(WeightsReader& weights, const DarknetSection& section,
                      const std::string& name, std::size_t inputs, StateDict::Tensors& tensors) {
    const std::size_t outputs = section.count("filters", 1, 1);
    const std::size_t size = section.count("size", 1, 1);
    const bool has_norm = section.count("batch_normalize", 0) != 0;
    tensors[name + (has_norm ? ".bn.bias" : ".conv.bias")] = weights.take({outputs});
    if (has_norm) {
        tensors[name + ".bn.weight"] = weights.take({outputs});
        tensors[name + ".bn.running_mean"] = weights.take({outputs});
        tensors[name + ".bn.running_var"] = weights.take({outputs});
    }
    tensors[name + ".conv.weight"] =
        weights.take({outputs, inputs / section.count("groups", 1, 1), size, size});
}

}  // namespace

std::string darknet_layer_name(std::size_t index) {
    return fmt::format("layer{:03}", index);
}

StateDict read_darknet_weights(const std::filesystem::path& path, const DarknetCfg& cfg) {
    const std::vector<std::size_t> channels = darknet_channels(cfg);
    WeightsReader weights(path);
    StateDict::Tensors tensors;
    for (std::size_t i = 0; i < cfg.sections.size(); ++i)
        if (cfg.sections[i].name() == "convolutional")
            take_convolution(weights, cfg.sections[i], darknet_layer_name(i),
                             i == 0 ? cfg.net.count("channels", 3, 1) : channels[i - 1], tensors);
    weights.check_end();
    return StateDict(path.string(), std::move(tensors));
}

}  // namespace kirchnet
