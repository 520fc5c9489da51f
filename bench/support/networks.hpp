#pragma once

#include "data/dataset.hpp"
#include "data/network.hpp"

namespace kirchnet::bench {

/// ResNet-18 as torchvision shapes it (1000 classes, 224 x 224), with random weights: what it
/// costs does not depend on them.
Network resnet18_sized();

/// Numbers without a pattern, uniform in [-1, 1).
Tensor random_tensor(std::vector<std::size_t> shape, std::uint64_t key = 0);

/// Images of random pixels, all of class 0.
LabelledImages random_images(const ImageShape& shape, std::size_t count);

}  // namespace kirchnet::bench
