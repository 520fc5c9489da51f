#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/network.hpp"
#include "data/pruning.hpp"
#include "nn/training/trainer.hpp"

namespace kirchnet {

/// A pruning that lets the remaining weights learn.
struct PruningTraining {
    TrainingSettings retraining = fine_tuning();  ///< with the mask fixed; no epochs: none
};

/// Where a pruning stands after a batch.
struct PruningProgress {
    std::string stage;     ///< such as `retraining`
    std::size_t done = 0;  ///< batches of this stage
    std::size_t total = 0;
    std::size_t epoch = 0;  ///< of this stage, from 0
    double loss = 0;        ///< of this batch
};

/// Called after every batch; an exception ends the work.
using PruningObserver = std::function<void(const PruningProgress&)>;

/// Prunes to these ratios and retrains. Weights that are zero before stay zero.
/// @throws InvalidInput  when ratios, images, labels or settings do not fit the network
Network prune_and_train(const Network& network, const LabelledImages& images,
                        const PruningRatios& ratios, const PruningTraining& settings,
                        const PruningObserver& observer = {});

}  // namespace kirchnet
