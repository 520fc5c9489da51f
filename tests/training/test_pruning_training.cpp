#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "circuit/error.hpp"
#include "data/digits.hpp"
#include "data/training_checkpoint.hpp"
#include "nn/training/pruning.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/training/networks.hpp"

using namespace kirchnet;
using namespace kirchnet::test;

namespace {

const std::vector<float>& weights_of(const Network& network, const std::string& name) {
    for (const Node& node : network.nodes)
        if (node.name == name) return cell_weights(node.operation)->values;
    throw InvalidInput(name);
}

std::ptrdiff_t zeros_of(const Network& network, const std::string& name) {
    const auto& weights = weights_of(network, name);
    return std::count(weights.begin(), weights.end(), 0.0F);
}

TrainingSettings short_training(std::size_t epochs) {
    auto settings = fine_tuning();
    settings.epochs = epochs;
    settings.batch_size = 20;
    settings.augmentation = {2, false};
    return settings;
}

const LabelledImages images = draw_digits(2, 0, 60);
const PruningRatios ratios{0.5, {{"conv", 0.25}}};

class TemporaryFile {
  public:
    [[nodiscard]] std::filesystem::path path() const { return folder_ / "run.checkpoint"; }

  private:
    ScratchFolder folder_;
};

/// Stops a run in the midst of an epoch, so many batches after its beginning.
PruningObserver stop_after(std::size_t batches) {
    return [left = batches](const PruningProgress&) mutable {
        if (left-- == 0) throw Interrupted();
    };
}

PruningTraining with_admm() {
    PruningTraining training;
    training.retraining = short_training(2);
    training.admm.emplace();
    training.admm->stage = short_training(2);
    training.admm->stages = 2;
    return training;
}

}  // namespace

TEST_CASE("fine-tuning holds the mask of the smallest weights, and the others learn") {
    const Network start = small_digit_network();
    Network one_shot = start;
    prune_by_magnitude(one_shot, ratios);
    PruningTraining training;
    training.retraining = short_training(2);
    const Network tuned = prune_and_train(start, images, ratios, training);
    for (const char* layer : {"conv", "fc"}) {
        const auto& pruned = weights_of(one_shot, layer);
        const auto& learned = weights_of(tuned, layer);
        std::size_t changed = 0;
        for (std::size_t i = 0; i < pruned.size(); ++i) {
            CHECK((learned[i] == 0) == (pruned[i] == 0));
            changed += learned[i] != pruned[i] ? 1 : 0;
        }
        CHECK(changed > pruned.size() / 3);
    }
    CHECK(zeros_of(tuned, "conv") == 9);  // a quarter of 36
    CHECK(zeros_of(tuned, "fc") == 720);
    CHECK(tuned.nodes[2].pruned_ratio == 0.25);
    CHECK(tuned.nodes[6].pruned_ratio == 0.5);
}

TEST_CASE("no epochs of retraining are one-shot pruning") {
    Network one_shot = small_digit_network();
    prune_by_magnitude(one_shot, ratios);
    PruningTraining training;
    training.retraining = short_training(0);
    CHECK(prune_and_train(small_digit_network(), images, ratios, training) == one_shot);
}

TEST_CASE("ADMM draws weights towards their sparsity, stage by stage, and ends pruned") {
    PruningTraining training = with_admm();
    training.admm->stage.epochs = 6;
    // Few steps must do: larger rho than usual, less momentum, smaller batches.
    training.admm->rho = 1;
    training.admm->stage.momentum = 0.5;
    training.admm->stage.batch_size = 4;
    std::vector<std::string> stages;
    double last_distance = 1;
    std::size_t batches = 0;
    std::size_t epochs = 0;
    const auto pruned = prune_and_train(small_digit_network(), images, ratios, training,
                                        [&](const PruningProgress& now) {
                                            if (stages.empty() || stages.back() != now.stage)
                                                stages.push_back(now.stage);
                                            if (now.stage != "retraining")
                                                last_distance = now.distance;
                                            ++batches;
                                            epochs += now.ends_epoch ? 1 : 0;
                                        });
    CHECK(stages == std::vector<std::string>{"ADMM, rho 1", "ADMM, rho 10", "retraining"});
    CHECK(batches == 15 * (6 + 6) + 3 * 2);
    CHECK(epochs == 6 + 6 + 2);
    // One-shot would take a quarter and half of the smallest weights: some 0.3 of the norm.
    CHECK(last_distance < 0.05);
    CHECK(zeros_of(pruned, "conv") == 9);
    CHECK(zeros_of(pruned, "fc") == 720);
}

TEST_CASE("Z and U may be updated more often than once an epoch") {
    PruningTraining training = with_admm();
    training.retraining.epochs = 0;
    const auto seldom = prune_and_train(small_digit_network(), images, ratios, training);
    training.admm->interval = 1;
    CHECK(prune_and_train(small_digit_network(), images, ratios, training) != seldom);
    training.admm->interval = 3;  // an epoch has three batches
    CHECK(prune_and_train(small_digit_network(), images, ratios, training) == seldom);
}

TEST_CASE("a run that was stopped anywhere goes on to the same bits") {
    for (const bool adam : {false, true}) {
        PruningTraining training = with_admm();
        if (adam) training.retraining.optimizer = training.admm->stage.optimizer = Optimizer::adamw;
        const auto whole = prune_and_train(small_digit_network(), images, ratios, training);
        // 3 batches an epoch: in the first epoch, in both stages of ADMM, at the border between
        // two stages, in the retraining, and after its first epoch.
        for (const std::size_t batches : {1, 4, 8, 12, 13, 15, 17}) {
            CAPTURE(adam);
            CAPTURE(batches);
            const TemporaryFile file;
            training.checkpoint = file.path();
            training.resume = false;
            CHECK_THROWS_AS((void)prune_and_train(small_digit_network(), images, ratios, training,
                                                  stop_after(batches)),
                            Interrupted);
            CHECK(std::filesystem::exists(file.path()) == (batches >= 3));
            training.resume = true;
            std::size_t done = 0;
            const auto continued = prune_and_train(small_digit_network(), images, ratios, training,
                                                   [&](const PruningProgress&) { ++done; });
            CHECK(continued == whole);
            CHECK(done == 18 - batches / 3 * 3);
            // And once more from its last epoch: nothing is left to train.
            CHECK(prune_and_train(small_digit_network(), images, ratios, training, stop_after(0)) ==
                  whole);
        }
    }
}

TEST_CASE("a checkpoint continues its own run alone") {
    const TemporaryFile file;
    PruningTraining training = with_admm();
    training.checkpoint = file.path();
    CHECK_THROWS_AS(
        (void)prune_and_train(small_digit_network(), images, ratios, training, stop_after(4)),
        Interrupted);
    training.resume = true;
    const auto refused = [&](const Network& network, const LabelledImages& its_images,
                             const PruningRatios& its_ratios, const PruningTraining& settings) {
        CHECK_THROWS_AS((void)prune_and_train(network, its_images, its_ratios, settings),
                        InvalidInput);
    };
    Network other = small_digit_network();
    std::get<ConvOp>(other.nodes[2].operation).weight.values[0] += 1;
    refused(other, images, ratios, training);
    refused(small_digit_network(), draw_digits(3, 0, 60), ratios, training);
    refused(small_digit_network(), images, {0.5, {}}, training);
    auto longer = training;
    longer.retraining.epochs = 3;
    refused(small_digit_network(), images, ratios, longer);
    auto checkpoint = read_checkpoint(file.path());
    checkpoint.stage = 9;
    write_checkpoint(file.path(), checkpoint);
    refused(small_digit_network(), images, ratios, training);
    checkpoint.stage = 0;
    checkpoint.optimizer.pop_back();
    write_checkpoint(file.path(), checkpoint);
    refused(small_digit_network(), images, ratios, training);
}

TEST_CASE("settings that make no sense are refused") {
    const auto refused = [](PruningTraining training, const PruningRatios& its_ratios = ratios) {
        CHECK_THROWS_AS((void)prune_and_train(small_digit_network(), images, its_ratios, training),
                        InvalidInput);
    };
    auto training = with_admm();
    training.admm->rho = 0;
    refused(training);
    training = with_admm();
    training.admm->stages = 0;
    refused(training);
    training = with_admm();
    training.admm->stage.epochs = 0;
    refused(training);
    training = with_admm();
    training.retraining.momentum = 1;
    refused(training);
    refused(with_admm(), {1.0, {}});
    refused(with_admm(), {0.5, {{"no such layer", 0.5}}});
}
