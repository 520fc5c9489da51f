#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "data/dataset.hpp"
#include "data/network.hpp"
#include "nn/training/augmentation.hpp"
#include "nn/training/masks.hpp"

namespace kirchnet {

/// What a step makes of the gradient g of the cross-entropy. `adamw`: Adam with decoupled weight
/// decay (Loshchilov and Hutter, ICLR 2019). `sgd`: v <- momentum v + g + decay w, w <- w - rate v.
enum class Optimizer { adamw, sgd };

/// The learning rate falls to zero along half a cosine. The defaults train a small network from
/// the start; `fine_tuning()` has those for one that is trained already.
struct TrainingSettings {
    std::size_t epochs = 10;
    std::size_t batch_size = 64;
    double learning_rate = 1e-3;  ///< at the start
    double weight_decay = 1e-4;   ///< of convolution and linear weights
    std::uint64_t seed = 1;       ///< order of the images
    int threads = 1;              ///< more may change the last digits of the result
    Optimizer optimizer = Optimizer::adamw;
    double momentum = 0.9;           ///< of `sgd`
    Augmentation augmentation = {};  ///< none

    friend bool operator==(const TrainingSettings&, const TrainingSettings&) = default;
};

/// Two epochs of SGD at a low rate, for a network whose smallest weights were just taken away.
inline TrainingSettings fine_tuning() {
    return {.epochs = 2,
            .batch_size = 128,
            .learning_rate = 0.02,
            .weight_decay = 1e-4,
            .optimizer = Optimizer::sgd};
}

/// Where training stands after a batch.
struct TrainingProgress {
    std::size_t epoch = 0;  ///< from 0
    std::size_t batch = 0;  ///< from 0
    std::size_t batches = 0;
    double loss = 0;  ///< of this batch
};

/// Called after every batch; an exception ends the training and leaves the network as it was.
using ProgressCallback = std::function<void(const TrainingProgress&)>;

/// Gives every convolution and linear layer uniform random weights of variance 2 / inputs
/// (He et al., ICCV 2015), biases 0, batch normalisation the identity. Shapes stay.
void initialize_weights(Network& network, std::uint64_t seed);

/// Trains all parameters. The same arguments give the same weights on the same machine.
/// @param masks  weights held at exactly zero
/// @return       mean loss of each epoch
/// @throws InvalidInput  when images, labels, masks or settings do not fit the network
std::vector<double> train(Network& network, const LabelledImages& images,
                          const TrainingSettings& settings, const WeightMasks& masks = {},
                          const ProgressCallback& progress = {});

/// Class of the largest output per image, by libtorch in float.
std::vector<std::int32_t> predict_classes(const Network& network, const LabelledImages& images);

/// Share of images whose predicted class is their label, 0 to 1.
double classification_accuracy(const Network& network, const LabelledImages& images);

}  // namespace kirchnet
