#pragma once

#include "data/detail/darknet_cfg.hpp"
#include "data/state_dict.hpp"

namespace kirchnet {

/// The network a Darknet configuration describes: classifiers, and YOLO detectors of the versions 3
/// and 4. Tensors are named by section, counted from 0 behind `[net]`: `layer007.conv.weight`,
/// `layer007.conv.bias` without batch norm, else `layer007.bn.weight`, `.bias`, `.running_mean`,
/// `.running_var`. Dropout, softmax and cost do nothing at inference.
/// @throws InvalidInput  naming the line of what is not supported, or the tensor that does not fit
Network build_darknet(const DarknetCfg& cfg, StateDict& tensors);

}  // namespace kirchnet
