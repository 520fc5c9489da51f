#include "nn/training/pruning.hpp"

namespace kirchnet {

Network prune_and_train(const Network& network, const LabelledImages& images,
                        const PruningRatios& ratios, const PruningTraining& settings,
                        const PruningObserver& observer) {
    Network pruned = network;
    prune_by_magnitude(pruned, ratios);
    const auto progress = [&](const TrainingProgress& now) {
        if (observer)
            observer({"retraining", now.epoch * now.batches + now.batch + 1,
                      now.batches * settings.retraining.epochs, now.epoch, now.loss});
    };
    train(pruned, images, settings.retraining, masks_of_nonzero(pruned), progress);
    return pruned;
}

}  // namespace kirchnet
