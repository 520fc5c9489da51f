#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

#include "data/pruning.hpp"
#include "nn/training/torch_network.hpp"

namespace kirchnet {

/// Pruning by the alternating direction method of multipliers (Zhang et al., ECCV 2018; scaled form
/// of Boyd et al., Found. Trends Mach. Learn. 3, 2011, section 3.1.1): minimise f(W) so that every
/// layer has at most k_l weights that are not zero.
///   W <- argmin f(W) + Σ_l rho/2 ‖W_l - Z_l + U_l‖²   by gradient steps, `penalty`
///   Z <- W + U, its k_l largest magnitudes kept         `update`
///   U <- U + W - Z                                      `update`
/// Borrows the weights of a network, which must live as long.
class AdmmSplit {
  public:
    /// Z = W with its largest magnitudes kept, U = 0.
    /// @throws InvalidInput  when the ratios do not fit the network
    AdmmSplit(const TorchNetwork& network, const PruningRatios& ratios);

    /// Σ_l rho/2 ‖W_l - Z_l + U_l‖², differentiable by W.
    [[nodiscard]] torch::Tensor penalty(double rho) const;
    void update();
    /// To be called with old rho / new rho where rho changes: U holds multipliers divided by rho.
    void scale_dual(double factor);
    /// How far W is from being pruned: ‖W - Z‖ / ‖W‖ over all layers.
    [[nodiscard]] double distance() const;

    /// Z and U by layer.
    [[nodiscard]] std::map<std::string, Tensor> split() const;
    [[nodiscard]] std::map<std::string, Tensor> dual() const;
    /// @throws InvalidInput  naming the layer they do not fit
    void restore(const std::map<std::string, Tensor>& split,
                 const std::map<std::string, Tensor>& dual);

  private:
    struct Layer {
        std::string name;
        double ratio = 0;
        torch::Tensor weight;
        torch::Tensor split;
        torch::Tensor dual;
    };

    std::vector<Layer> layers_;
};

}  // namespace kirchnet
