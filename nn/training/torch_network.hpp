#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <string>
#include <vector>

#include "data/network.hpp"
#include "nn/training/masks.hpp"

namespace kirchnet {

/// What batch normalisation does: use the batch's statistics and follow them, or use stored ones.
enum class Phase : bool { evaluate, train };

/// A `Network` as differentiable libtorch tensors. Weights go in by the constructor and come out
/// by `network()`; in between any libtorch optimiser may change `weights()` and
/// `other_parameters()`.
class TorchNetwork {
  public:
    /// @param type  arithmetic: `torch::kFloat`, or `torch::kDouble` to check gradients
    /// @throws InvalidInput  naming the node whose inputs or tensors do not fit
    explicit TorchNetwork(Network network, torch::ScalarType type = torch::kFloat);

    /// @param images  normalised, [batch × channels × height × width]
    /// @return        output of the last node, [batch × features]
    /// @throws InvalidInput  naming the node that cannot take its inputs
    [[nodiscard]] torch::Tensor forward(const torch::Tensor& images, Phase phase);

    /// Weights of convolutions and linear layers: what becomes cells.
    [[nodiscard]] std::vector<torch::Tensor> weights() const;
    /// Biases and the affine part of batch normalisation.
    [[nodiscard]] std::vector<torch::Tensor> other_parameters() const;
    /// @throws InvalidInput  when there is no such node with weights
    [[nodiscard]] torch::Tensor weight(const std::string& node) const;

    /// From now on `apply_masks` sets the weights these masks hold to exactly zero; once now.
    /// @throws InvalidInput  naming the layer a mask does not fit
    void set_masks(const WeightMasks& masks);
    /// To be called after every optimiser step.
    void apply_masks();

    /// The network as it came in; weights and statistics are those of then.
    [[nodiscard]] const Network& description() const { return network_; }
    /// The description with the weights and statistics of now.
    [[nodiscard]] Network network() const;
    [[nodiscard]] torch::ScalarType type() const { return type_; }

  private:
    /// The tensors of one node; those it has not are undefined.
    struct NodeTensors {
        std::vector<std::size_t> inputs;  ///< indices of the nodes it reads
        torch::Tensor weight;
        torch::Tensor bias;
        torch::Tensor running_mean;
        torch::Tensor running_variance;
        torch::Tensor held;  ///< bool, true where a weight stays zero
    };

    [[nodiscard]] std::size_t index_of(const std::string& node) const;
    [[nodiscard]] bool is_crossbar(std::size_t node) const;
    void load_tensors(std::size_t node);
    [[nodiscard]] torch::Tensor evaluate(std::size_t node, const std::vector<torch::Tensor>& values,
                                         Phase phase) const;

    Network network_;
    torch::ScalarType type_;
    std::vector<NodeTensors> tensors_;  // one per node of network_
};

}  // namespace kirchnet
