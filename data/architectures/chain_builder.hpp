#pragma once

#include "data/architectures/network_builder.hpp"

namespace kirchnet {

/// A place in a network under construction: a node and the feature maps it gives.
struct Position {
    std::string node;
    ImageShape shape;
};

struct ConvSettings {
    std::size_t stride = 1;
    std::size_t padding = 0;
    std::size_t groups = 1;
};

struct MaxPoolSettings {
    std::size_t kernel = 2;
    std::size_t stride = 2;
    std::size_t padding = 0;
    bool ceil = false;  ///< a last window may stick out of the image
};

/// Adds layers to the end of a chain and follows the shape of its feature maps. Branches: remember
/// `at()`, return to it by `go_to`.
/// @throws InvalidInput  from every member, naming the tensor that is missing or does not fit
class ChainBuilder {
  public:
    ChainBuilder(StateDict& tensors, Network network);

    [[nodiscard]] StateDict& tensors() { return builder_.tensors(); }
    [[nodiscard]] const Position& at() const { return at_; }
    void go_to(const Position& position) { at_ = position; }

    /// Kernel and channels are those of the tensor `name.weight`.
    void conv(const std::string& name, const ConvSettings& settings);
    /// One kernel per channel.
    void depthwise(const std::string& name, std::size_t stride, std::size_t padding);
    void batch_norm(const std::string& name);
    void relu(const std::string& name) { step(name, ReluOp{}, at_.shape); }
    void relu6(const std::string& name);
    void max_pool(const std::string& name, const MaxPoolSettings& settings);
    void global_average(const std::string& name);
    void linear(const std::string& name);
    /// at() + other, of equal shape.
    void add(const std::string& name, const Position& other);
    void concat(const std::string& name, const Position& first, const Position& second);

    [[nodiscard]] Network finish(std::string_view architecture) {
        return builder_.finish(architecture);
    }

  private:
    void step(const std::string& name, Operation operation, const ImageShape& shape);
    [[nodiscard]] std::size_t windows(const std::string& name, std::size_t side, std::size_t kernel,
                                      std::size_t stride, std::size_t padding) const;

    NetworkBuilder builder_;
    double epsilon_;
    Position at_;
};

/// Input channels of the convolution `name`.
/// @throws InvalidInput  when the tensor is no convolution's
std::size_t input_channels(const StateDict& tensors, const std::string& name);

/// Numbers of the tensors `PREFIX<number>SUFFIX`, ascending: where a list's members are.
std::vector<std::size_t> find_numbers(const StateDict& tensors, std::string_view prefix,
                                      std::string_view suffix);

}  // namespace kirchnet
