#pragma once

#include <memory>
#include <variant>

#include "data/detail/shape.hpp"
#include "data/network.hpp"

namespace kirchnet::onnx_import {

/// Numbers known before anything runs: weights, shapes, axes.
struct Numbers {
    Tensor tensor;
    bool integral = false;  ///< of an integer type, whose quotients are cut to whole numbers
};
using Constant = std::shared_ptr<const Numbers>;

/// A node's output in the network under construction.
struct Signal {
    std::string node;
    ImageShape image;  ///< as our network has it
    Shape shape;       ///< as ONNX has it: [batch, channels, height, width] or [batch, features]
};

// Operators that are one of ours only together with what follows them.

struct Softplus {
    Signal of;
};
struct TanhOfSoftplus {
    Signal of;
};
/// Leaves the largest class the largest: dropped at the network's end.
struct Softmax {
    Signal of;
};
/// Zeros around the image.
struct Padded {
    Signal of;
    std::size_t top = 0;
    std::size_t left = 0;
    std::size_t bottom = 0;
    std::size_t right = 0;
};
/// Every n-th row and m-th column, from the first on.
struct Subsampled {
    Signal of;
    std::size_t rows = 1;
    std::size_t columns = 1;
};

/// What a tensor of the ONNX graph is to the network under construction.
using Value = std::variant<Constant, Signal, Softplus, TanhOfSoftplus, Softmax, Padded, Subsampled>;

}  // namespace kirchnet::onnx_import
