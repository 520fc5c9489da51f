#pragma once

#include <functional>

#include "nn/training/pruning.hpp"

namespace kirchnet {

/// Pruning with training, as `prune_and_train`. Only the program `kirchnet-training` has one:
/// loading libtorch takes half a second, which no other subcommand should wait for.
using NetworkPruner =
    std::function<Network(const Network&, const LabelledImages&, const PruningRatios&,
                          const PruningTraining&, const PruningObserver&)>;

/// Goes on as `kirchnet-training` with these arguments, in this process; does not return.
/// @throws InvalidInput  when there is no such program beside this one, naming `what` needs it
[[noreturn]] void continue_with_training(const char* const* arguments, const std::string& what);

}  // namespace kirchnet
