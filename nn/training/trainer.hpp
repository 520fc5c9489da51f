#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "data/dataset.hpp"
#include "data/network.hpp"
#include "nn/training/masks.hpp"

namespace kirchnet {

/// Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019) on the cross-entropy. The
/// learning rate falls to zero along half a cosine.
struct TrainingSettings {
    std::size_t epochs = 10;
    std::size_t batch_size = 64;
    double learning_rate = 1e-3;  ///< at the start
    double weight_decay = 1e-4;   ///< of convolution and linear weights
    std::uint64_t seed = 1;       ///< order of the images
    int threads = 1;              ///< more may change the last digits of the result

    friend bool operator==(const TrainingSettings&, const TrainingSettings&) = default;
};

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
