#pragma once

#include "data/state_dict.hpp"

namespace kirchnet {

/// A family of networks that can be rebuilt from names and shapes of their parameters.
struct Architecture {
    std::string_view name;  ///< for messages: `CIFAR ResNet of basic blocks`
    /// Whether names (and shapes where names do not tell) are of this family. It may be wrong about
    /// details: `build` says what does not fit.
    bool (*recognises)(const StateDict& tensors);
    /// @throws InvalidInput  naming the tensor that is missing, does not fit or has no place
    Network (*build)(StateDict& tensors);
};

// One file each, in this folder.
extern const Architecture cifar_resnet;
extern const Architecture imagenet_resnet;
extern const Architecture layer_chain;
extern const Architecture mobilenet;
extern const Architecture squeezenet;
extern const Architecture vgg;

}  // namespace kirchnet
