#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "data/dataset.hpp"
#include "data/network.hpp"
#include "data/pruning.hpp"
#include "nn/training/masks.hpp"
#include "nn/training/trainer.hpp"

namespace kirchnet {

/// Stages of ADMM (`nn/training/admm.hpp`) before the pruning. Each has a rho `rho_growth` times
/// that of the one before, and an optimiser of its own.
struct AdmmSettings {
    TrainingSettings stage = fine_tuning();  ///< of one stage
    double rho = 1e-3;                       ///< of the first stage
    double rho_growth = 10;
    std::size_t stages = 3;
    std::size_t interval = 0;  ///< batches from one update of Z and U to the next; 0: an epoch

    friend bool operator==(const AdmmSettings&, const AdmmSettings&) = default;
};

/// A pruning that lets the remaining weights learn: ADMM where asked for, then the smallest weights
/// are set to zero, then the others are retrained. Weights that are zero before stay zero.
struct PruningTraining {
    TrainingSettings retraining = fine_tuning();  ///< with the mask fixed; no epochs: none
    std::optional<AdmmSettings> admm = {};
    /// Written after every epoch; empty: none. With one thread, a run that goes on from it gives
    /// the same network to the last bit as one that was never stopped.
    std::filesystem::path checkpoint = {};
    bool resume = false;  ///< go on from the checkpoint where there is one
};

/// Where a pruning stands after a batch.
struct PruningProgress {
    std::string stage;     ///< such as `ADMM, rho 0.01` or `retraining`
    std::size_t done = 0;  ///< batches of this stage
    std::size_t total = 0;
    std::size_t epoch = 0;  ///< of this stage, from 0
    bool ends_epoch = false;
    double loss = 0;      ///< of this batch, without ADMM's penalty
    double distance = 0;  ///< ‖W - Z‖ / ‖W‖ at ADMM's last update
};

/// Called after every batch; an exception ends the work, the last checkpoint stays.
using PruningObserver = std::function<void(const PruningProgress&)>;

/// @throws InvalidInput  when ratios, images, labels or settings do not fit the network, or the
///                       checkpoint is of another run
Network prune_and_train(const Network& network, const LabelledImages& images,
                        const PruningRatios& ratios, const PruningTraining& settings,
                        const PruningObserver& observer = {});

}  // namespace kirchnet
