#include <fmt/format.h>

#include <memory>

#include "circuit/error.hpp"
#include "data/dataset.hpp"
#include "data/network_file.hpp"
#include "data/pruning.hpp"
#include "nn/graph.hpp"
#include "nn/inference.hpp"
#include "tools/commands.hpp"
#include "tools/network_input.hpp"
#include "tools/output.hpp"
#include "tools/progress.hpp"

namespace kirchnet {
namespace {

LabelledImages read_training_images(const std::string& path) {
    constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
    auto images = read_calibration_images(path, all);
    if (!images || images->size() == 0)
        throw InvalidInput(path,
                           "holds no training images (CIFAR-10's data_batch_*, IDX files "
                           "train-*, or the calibration images of an images file)");
    return std::move(*images);
}

PruningObserver show_training() {
    return [stage = std::string(), bar = Progress()](const PruningProgress& now) mutable {
        if (now.stage != stage) bar = show_progress(now.stage, "batches");
        stage = now.stage;
        bar(now.done, now.total);
    };
}

}  // namespace

int run_prune(const PruneArguments& arguments) {
    if (arguments.method != "one-shot" && !arguments.pruner)
        continue_with_training(arguments.command_line, "--method " + arguments.method);
    stop_at_safe_places();
    Network network = read_network(arguments.network);
    PruningRatios ratios{arguments.ratio, {}};
    if (arguments.method == "one-shot") {
        prune_by_magnitude(network, ratios);
    } else {
        PruningTraining training;
        training.retraining.epochs = arguments.epochs;
        training.retraining.seed = arguments.seed;
        training.retraining.threads = arguments.threads;
        training.retraining.augmentation = {4, true};
        if (arguments.learning_rate > 0)
            training.retraining.learning_rate = arguments.learning_rate;
        network = arguments.pruner(network, read_training_images(arguments.data), ratios, training,
                                   show_training());
    }
    network.provenance["pruning"] =
        fmt::format("{}, {} of each mapped layer", arguments.method, arguments.ratio);
    write_network(arguments.out, network);
    if (!arguments.data.empty()) {
        const ThreadLimit threads(arguments.threads);
        const Graph graph(network);
        const LabelledImages test = read_test_images(arguments.data, network.input);
        const auto result = run_inference(graph, software_drivers(graph), test,
                                          show_progress("software", "images"));
        print_text(fmt::format("{}: accuracy {:.2f} % of {} test images\n", arguments.out,
                               100 * score(result, test), test.size()));
    }
    return 0;
}

}  // namespace kirchnet
