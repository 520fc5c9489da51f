#include "nn/training/pruning.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "circuit/error.hpp"
#include "data/training_checkpoint.hpp"
#include "nn/training/admm.hpp"
#include "nn/training/detail/training_run.hpp"

namespace kirchnet {
namespace {

struct Stage {
    std::string name;
    TrainingSettings training;
    double rho = 0;  ///< 0: retraining
};

std::vector<Stage> stages_of(const PruningTraining& settings) {
    std::vector<Stage> stages;
    if (settings.admm) {
        double rho = settings.admm->rho;
        for (std::size_t i = 0; i < settings.admm->stages; ++i, rho *= settings.admm->rho_growth)
            stages.push_back({fmt::format("ADMM, rho {:g}", rho), settings.admm->stage, rho});
    }
    stages.push_back({"retraining", settings.retraining, 0});
    return stages;
}

void check(const AdmmSettings& admm) {
    if (!(admm.rho > 0) || !std::isfinite(admm.rho))
        throw InvalidInput(fmt::format("ADMM's rho {} is not positive", admm.rho));
    if (!(admm.rho_growth > 0) || !std::isfinite(admm.rho_growth))
        throw InvalidInput(fmt::format("ADMM's rho_growth {} is not positive", admm.rho_growth));
    if (admm.stages == 0) throw InvalidInput("ADMM needs at least one stage");
    if (admm.stage.epochs == 0) throw InvalidInput("a stage of ADMM needs at least one epoch");
}

std::string describe(const TrainingSettings& training) {
    return fmt::format(
        "epochs {} batch_size {} learning_rate {} weight_decay {} seed {} optimizer {} momentum {} "
        "padding {} mirror {}",
        training.epochs, training.batch_size, training.learning_rate, training.weight_decay,
        training.seed, training.optimizer == Optimizer::sgd ? "sgd" : "adamw", training.momentum,
        training.augmentation.padding, training.augmentation.mirror);
}

/// All that decides the result but the number of threads.
std::string describe(const Network& network, const LabelledImages& images,
                     const PruningRatios& ratios, const PruningTraining& settings) {
    std::string text = fmt::format("network {}\nimages {}\nratio {}\n", fingerprint(network),
                                   fingerprint(images), ratios.all);
    for (const auto& [layer, ratio] : ratios.layers)
        text += fmt::format("ratio of {} {}\n", layer, ratio);
    if (settings.admm)
        text += fmt::format("ADMM rho {} growth {} stages {} interval {} {}\n", settings.admm->rho,
                            settings.admm->rho_growth, settings.admm->stages,
                            settings.admm->interval, describe(settings.admm->stage));
    return text + fmt::format("retraining {}\n", describe(settings.retraining));
}

/// One pruning from beginning, or from its checkpoint, to end. Its state between two epochs is a
/// `TrainingCheckpoint`.
class PruningRun {
  public:
    PruningRun(const Network& network, const LabelledImages& images, const PruningRatios& ratios,
               const PruningTraining& settings, const PruningObserver& observer)
        : images_(images),
          ratios_(ratios),
          settings_(settings),
          observer_(observer),
          stages_(stages_of(settings)) {
        now_.network = network;
        now_.masks = masks_of_nonzero(network);
        if (settings.checkpoint.empty()) return;
        now_.settings = describe(network, images, ratios, settings);
        if (settings.resume && std::filesystem::exists(settings.checkpoint)) resume();
    }

    Network run() {
        for (; now_.stage < stages_.size(); ++now_.stage, now_.epoch = 0) run_stage();
        return std::move(now_.network);
    }

  private:
    void resume() {
        TrainingCheckpoint kept = read_checkpoint(settings_.checkpoint);
        if (kept.settings != now_.settings)
            throw InvalidInput(settings_.checkpoint.string(),
                               "is the checkpoint of another pruning: network, images, ratios or "
                               "settings differ; remove it, or name another file");
        if (kept.stage >= stages_.size() || kept.epoch > stages_[kept.stage].training.epochs)
            throw InvalidInput(settings_.checkpoint.string(),
                               "is damaged: its stage or epoch is beyond the end");
        now_ = std::move(kept);
    }

    void run_stage() {
        const Stage& stage = stages_[now_.stage];
        const bool begins = now_.epoch == 0;
        if (begins && stage.rho == 0) {
            prune_by_magnitude(now_.network, ratios_);
            now_.masks = masks_of_nonzero(now_.network);
            now_.split.clear();
            now_.dual.clear();
        }
        const detail::ThreadCount threads(stage.training.threads);
        detail::TrainingRun training(now_.network, images_, stage.training, now_.masks);
        if (!begins) training.set_optimizer_state(now_.optimizer, now_.epoch * training.batches());
        std::optional<AdmmSplit> admm;
        if (stage.rho > 0) admm.emplace(make_split(training.torch_network(), begins));
        while (now_.epoch < stage.training.epochs) {
            run_epoch(stage, training, admm);
            ++now_.epoch;
            keep(training, admm);
        }
    }

    AdmmSplit make_split(const TorchNetwork& network, bool begins) const {
        AdmmSplit admm(network, ratios_);
        if (now_.split.empty()) return admm;
        admm.restore(now_.split, now_.dual);
        if (begins) admm.scale_dual(stages_[now_.stage - 1].rho / stages_[now_.stage].rho);
        return admm;
    }

    void run_epoch(const Stage& stage, detail::TrainingRun& training,
                   std::optional<AdmmSplit>& admm) {
        double distance = admm ? admm->distance() : 0;
        const auto progress = [&](const TrainingProgress& batch) {
            const std::size_t done = batch.epoch * batch.batches + batch.batch + 1;
            const std::size_t interval = settings_.admm && settings_.admm->interval > 0
                                             ? settings_.admm->interval
                                             : batch.batches;
            if (admm && done % interval == 0) {
                admm->update();
                distance = admm->distance();
            }
            if (observer_)
                observer_({stage.name, done, batch.batches * stage.training.epochs, batch.epoch,
                           batch.batch + 1 == batch.batches, batch.loss, distance});
        };
        detail::Penalty penalty;
        if (admm) penalty = [&] { return admm->penalty(stage.rho); };
        training.run_epoch(now_.epoch, epochs_before() + now_.epoch, progress, penalty);
    }

    /// Of the stages before this one: every epoch of a run has an order of its own.
    [[nodiscard]] std::size_t epochs_before() const {
        std::size_t epochs = 0;
        for (std::size_t i = 0; i < now_.stage; ++i) epochs += stages_[i].training.epochs;
        return epochs;
    }

    void keep(const detail::TrainingRun& training, const std::optional<AdmmSplit>& admm) {
        now_.network = training.network();
        if (admm) {
            now_.split = admm->split();
            now_.dual = admm->dual();
        }
        if (settings_.checkpoint.empty()) return;
        now_.optimizer = training.optimizer_state();
        write_checkpoint(settings_.checkpoint, now_);
    }

    const LabelledImages& images_;
    const PruningRatios& ratios_;
    const PruningTraining& settings_;
    const PruningObserver& observer_;
    std::vector<Stage> stages_;
    TrainingCheckpoint now_;
};

}  // namespace

Network prune_and_train(const Network& network, const LabelledImages& images,
                        const PruningRatios& ratios, const PruningTraining& settings,
                        const PruningObserver& observer) {
    check(ratios, network);
    detail::check(settings.retraining);
    if (settings.admm) {
        check(*settings.admm);
        detail::check(settings.admm->stage);
    }
    detail::check(network, images);
    detail::check_labels(network, images);
    return PruningRun(network, images, ratios, settings, observer).run();
}

}  // namespace kirchnet
