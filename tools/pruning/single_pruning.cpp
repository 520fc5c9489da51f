#include "tools/pruning/single_pruning.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "circuit/error.hpp"
#include "data/pruning.hpp"
#include "tools/input/network_input.hpp"
#include "tools/output/output.hpp"
#include "tools/output/progress.hpp"

namespace kirchnet {
namespace {

const std::string one_shot = "one-shot";
const std::string fine_tune = "fine-tune";
const std::string admm = "admm";
const std::string hierarchical = "hpp";

void check_word(const std::string& option, const std::string& word,
                const std::vector<std::string>& known) {
    if (std::find(known.begin(), known.end(), word) == known.end())
        throw InvalidInput(option, fmt::format("'{}' is none of {}", word, fmt::join(known, ", ")));
}

LabelledImages read_training_images(const Experiment& experiment, std::size_t count) {
    if (experiment.data.empty())
        throw InvalidInput("no training images given; name their folder with --data");
    constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
    auto images = read_calibration_images(experiment.data, count > 0 ? count : all);
    if (!images || images->size() == 0)
        throw InvalidInput(experiment.data,
                           "holds no training images: neither CIFAR-10's data_batch_1 to 5 (.bin, "
                           ".bin.xz, .webp), nor IDX files train-*, nor calibration images of an "
                           "images file");
    return std::move(*images);
}

/// CIFAR-10's usual augmentation is wrong for digits: a mirrored 2 is none.
Augmentation augmentation_of(const PruneArguments& arguments, const ImageShape& shape) {
    if (arguments.augment == "none") return {};
    if (arguments.augment == "crop") return {4, false};
    if (arguments.augment == "crop-mirror") return {4, true};
    check_word("--augment", arguments.augment, {"auto", "crop-mirror", "crop", "none"});
    return shape.channels == 3 ? Augmentation{4, true} : Augmentation{};
}

TrainingSettings training_settings(const PruneArguments& arguments, const ImageShape& shape) {
    TrainingSettings settings = fine_tuning();
    settings.epochs = arguments.epochs;
    settings.batch_size = arguments.batch_size;
    settings.learning_rate = arguments.learning_rate;
    settings.seed = arguments.seed;
    settings.threads = arguments.threads;
    settings.augmentation = augmentation_of(arguments, shape);
    return settings;
}

PruningTraining pruning_training(const PruneArguments& arguments, const ImageShape& shape) {
    PruningTraining training;
    training.retraining = training_settings(arguments, shape);
    if (pruning_way(arguments) == admm) {
        training.admm.emplace();
        training.admm->stage = training.retraining;
        training.admm->stage.epochs = arguments.admm_epochs;
        training.admm->rho = arguments.rho;
        training.admm->stages = arguments.rho_stages;
        training.admm->interval = arguments.admm_interval;
    }
    return training;
}

/// A bar per stage, and a line when an epoch is done.
PruningObserver show_training() {
    struct Shown {
        std::string stage;
        Progress bar;
        double loss = 0;
        std::size_t batches = 0;
    };
    return [shown = Shown{}](const PruningProgress& now) mutable {
        if (now.stage != shown.stage) shown = {now.stage, show_progress(now.stage, "batches")};
        shown.bar(now.done, now.total);
        shown.loss += now.loss;
        ++shown.batches;
        if (!now.ends_epoch) return;
        print_note(fmt::format(
            "{}, epoch {}: mean loss {:.4f}{}", now.stage, now.epoch + 1,
            shown.loss / static_cast<double>(shown.batches),
            now.distance > 0 ? fmt::format(", |W - Z| / |W| {:.4f}", now.distance) : ""));
        shown.loss = 0;
        shown.batches = 0;
    };
}

}  // namespace

bool is_hierarchical(const PruneArguments& arguments) {
    return arguments.method == hierarchical;
}

const std::string& pruning_way(const PruneArguments& arguments) {
    return is_hierarchical(arguments) ? arguments.inner : arguments.method;
}

bool trains(const PruneArguments& arguments) {
    return pruning_way(arguments) != one_shot;
}

void check_methods(const PruneArguments& arguments) {
    check_word("--method", arguments.method, {one_shot, fine_tune, admm, hierarchical});
    check_word("--inner", arguments.inner, {one_shot, fine_tune, admm});
}

std::string describe_way(const PruneArguments& arguments) {
    const std::string& way = pruning_way(arguments);
    if (way == one_shot) return "smallest magnitudes, no training";
    const std::string retraining = fmt::format(
        "masked fine-tuning, {} epochs of {} training images, learning rate {:g}, "
        "seed {}",
        arguments.epochs,
        arguments.training_images > 0 ? fmt::format("{}", arguments.training_images) : "all",
        arguments.learning_rate, arguments.seed);
    if (way == fine_tune) return "smallest magnitudes, then " + retraining;
    const std::string interval =
        arguments.admm_interval > 0
            ? fmt::format(", updated every {} batches", arguments.admm_interval)
            : "";
    return fmt::format("ADMM, {} stages of {} epochs from rho {:g} on{}, then {}",
                       arguments.rho_stages, arguments.admm_epochs, arguments.rho, interval,
                       retraining);
}

SinglePruning::SinglePruning(const PruneArguments& arguments, const Experiment& experiment,
                             const Network& network)
    : arguments_(arguments) {
    if (!trains(arguments)) return;
    if (!network.heads.empty())
        throw InvalidInput(arguments.network,
                           "is a detector, which can be pruned by one-shot alone");
    images_ = read_training_images(experiment, arguments.training_images);
    training_ = pruning_training(arguments, images_.shape);
}

void SinglePruning::keep_checkpoints(const std::filesystem::path& path, bool resume) {
    training_.checkpoint = path;
    training_.resume = resume;
}

Network SinglePruning::operator()(const Network& network, const PruningRatios& ratios) const {
    Network pruned = network;
    if (trains(arguments_))
        pruned = arguments_.pruner(network, images_, ratios, training_, show_training());
    else
        prune_by_magnitude(pruned, ratios);
    retire_dead_channels(pruned);
    return pruned;
}

}  // namespace kirchnet
