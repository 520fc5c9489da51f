#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "data/network.hpp"
#include "data/state_dict.hpp"

namespace kirchnet {

/// What a file may not say about its network. What it does say gives way to what is set here.
struct ImportOptions {
    std::vector<float> mean;       ///< per input channel, of pixel / 255; empty: the file's, or 0
    std::vector<float> deviation;  ///< per input channel; empty: the file's, or 1
    std::optional<ImageShape> input = {};  ///< shape of the images
};

/// A network from a file that another program wrote, told by its content:
///  - an ONNX model of a classifier;
///  - a state dict (`read_state_dict`) whose tensor names and shapes tell the architecture: ResNets
///    for CIFAR and ImageNet, VGG, SqueezeNet, MobileNet, chains of convolutions and linear layers.
///    Attributes `bn_eps`, `bn1_eps`, `input_shape`, `input_scale`, `normalisation_mean` and
///    `normalisation_std` are used where the file has them.
/// What had to be assumed is provenance under keys that begin with `assumed_`.
/// @throws InvalidInput  naming file and tensor or node when a name, shape, operator or value does
///                       not fit
Network import_network(const std::filesystem::path& path, const ImportOptions& options = {});

/// The network whose parameters these are.
/// @throws InvalidInput  naming source and tensor when no known architecture fits
Network build_network(StateDict tensors);

/// A network described by a Darknet configuration file, its parameters from Darknet's `.weights` or
/// from a state dict with a tensor `layerNNN.conv.weight` (and `.conv.bias`, or `.bn.weight`,
/// `.bn.bias`, `.bn.running_mean`, `.bn.running_var`) per section NNN, counted from 000 behind
/// `[net]`. Known: the sections of classifiers and of YOLO detectors of the versions 3 and 4.
/// @throws InvalidInput  naming file and line of what is not known, or the tensor that does not fit
Network import_darknet(const std::filesystem::path& cfg, const std::filesystem::path& weights);

}  // namespace kirchnet
