#pragma once

#include "data/state_dict.hpp"

namespace kirchnet {

/// Adds the nodes of a network one after another, their tensors taken out of a state dict under the
/// node's name. Every layer's shape is checked against what enters it.
/// @throws InvalidInput  from every member, naming the tensor that is missing or does not fit
class NetworkBuilder {
  public:
    /// @param network  described, without nodes; gets its input node
    NetworkBuilder(StateDict& tensors, Network network);

    [[nodiscard]] StateDict& tensors() { return tensors_; }
    [[nodiscard]] const StateDict& tensors() const { return tensors_; }
    /// Name of the node added last.
    [[nodiscard]] const std::string& last() const { return network_.nodes.back().name; }

    [[nodiscard]] const ImageShape& input() const { return network_.input; }

    void add(const std::string& name, Operation operation, std::vector<std::string> inputs);
    /// `layer.bias` of as many numbers as `outputs`; without values where there is none.
    [[nodiscard]] Tensor optional_bias(const std::string& layer, std::size_t outputs);

    /// A square convolution, with a bias where the state dict has one; the padding is kernel / 2,
    /// which keeps the size at stride 1 when the kernel is odd.
    /// @return  its output channels
    std::size_t add_conv(const std::string& name, const std::string& input, std::size_t channels,
                         std::size_t stride, std::size_t kernel);
    /// Of the last node.
    void add_batch_norm(const std::string& name, std::size_t channels, double epsilon);
    void add_relu(const std::string& name) { add(name, ReluOp{}, {last()}); }
    /// Of the last node, which gives `features`.
    void add_linear(const std::string& name, std::size_t features);

    /// @throws InvalidInput  naming tensors that found no place in `architecture`
    [[nodiscard]] Network finish(std::string_view architecture);

  private:
    StateDict& tensors_;
    Network network_;
};

}  // namespace kirchnet
