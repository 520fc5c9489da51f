#pragma once

#include <memory>
#include <vector>

#include "nn/feature_maps.hpp"
#include "nn/graph.hpp"

namespace kirchnet::bench {

/// A network in plain float32 on oneDNN convolutions, as its documentation advises for inference:
/// every layout is oneDNN's choice, weights are reordered once, batch norm is folded into them,
/// bias, sum and ReLU are post-operations of the convolution before them, and all primitives and
/// memory are made once for a fixed batch. A parameter-free shortcut is a 1 x 1 convolution.
class OneDnnNetwork {
  public:
    enum class Convolution {
        direct,    ///< as sums of products
        automatic  ///< oneDNN may take Winograd's algorithm
    };

    /// @throws InvalidInput  for a batch norm that follows no convolution
    OneDnnNetwork(const Graph& graph, std::size_t batch, Convolution convolution);
    OneDnnNetwork(OneDnnNetwork&&) noexcept;
    ~OneDnnNetwork();

    /// Sets the batch's input, [batch × channels × height × width], normalised.
    void set_input(const std::vector<float>& pixels);
    /// One pass over the batch, on as many threads as OpenMP has been given.
    void run();
    /// Outputs of the last pass, [batch × classes].
    [[nodiscard]] std::vector<float> output() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kirchnet::bench
