// kirchnet-make-embedded: draws the digits, trains and prunes the small network that the demo and
// the tests run on, and writes both as they lie in data/embedded.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "circuit/error.hpp"
#include "data/dataset.hpp"
#include "data/digits.hpp"
#include "data/network_file.hpp"
#include "data/pruning.hpp"
#include "nn/training/trainer.hpp"

namespace {

using namespace kirchnet;

// Images by index: what is tested on is never trained or calibrated on.
constexpr std::size_t test_images = 2000;
constexpr std::size_t first_calibration_image = test_images;
constexpr std::size_t calibration_images = 256;
constexpr std::size_t first_training_image = 10000;

struct Options {
    std::filesystem::path folder;
    std::uint64_t seed = 1;
    double prune = 0.7;
    std::size_t training_images = 24000;
    std::size_t epochs = 5;
};

Tensor empty_tensor(std::vector<std::size_t> shape) {
    std::size_t size = 1;
    for (const std::size_t extent : shape) size *= extent;
    return {std::move(shape), std::vector<float>(size)};
}

/// Builds a chain of nodes, each reading the one before.
class Chain {
  public:
    explicit Chain(Network& network) : network_(network) { add("input", InputOp{}); }

    void add(const std::string& name, Operation operation) {
        std::vector<std::string> inputs;
        if (!network_.nodes.empty()) inputs.push_back(network_.nodes.back().name);
        network_.nodes.push_back({name, std::move(operation), std::move(inputs)});
    }
    void add_convolution(const std::string& number, std::size_t in, std::size_t out) {
        ConvOp conv;
        conv.weight = empty_tensor({out, in, 3, 3});
        conv.padding = 1;
        add("conv" + number, std::move(conv));
        add("bn" + number, BatchNormOp{empty_tensor({out}), empty_tensor({out}),
                                       empty_tensor({out}), empty_tensor({out})});
        add("relu" + number, ReluOp{});
    }
    void add_max_pool(const std::string& number) {
        add("pool" + number, PoolOp{PoolOp::Kind::maximum, 2, 2, 0});
    }
    void add_linear(const std::string& name, std::size_t in, std::size_t out) {
        add(name, LinearOp{empty_tensor({out, in}), empty_tensor({out})});
    }

  private:
    Network& network_;
};

/// 115,000 weights: several tiles per layer on 64 x 64 and on 128 x 128 arrays.
Network digits_network() {
    Network network;
    network.name = "digits";
    network.input = digit_image_shape;
    network.mean = {0.0F};  // the ground stays 0, so that idle word lines carry no current
    network.deviation = {1.0F};
    Chain chain(network);
    chain.add_convolution("1", 1, 16);
    chain.add_max_pool("1");
    chain.add_convolution("2", 16, 32);
    chain.add_max_pool("2");
    chain.add_convolution("3", 32, 32);
    chain.add_linear("fc1", std::size_t{32} * 7 * 7, 64);
    chain.add("relu4", ReluOp{});
    chain.add_linear("fc2", 64, 10);
    return network;
}

/// One line per epoch, rewritten in place where someone watches.
ProgressCallback show_progress(const std::string& stage, std::size_t epochs) {
    const bool live = isatty(STDERR_FILENO) != 0;
    return [=, mean = 0.0](const TrainingProgress& now) mutable {
        const bool last = now.batch + 1 == now.batches;
        mean = now.batch == 0 ? now.loss : 0.98 * mean + 0.02 * now.loss;
        if (!last && !(live && now.batch % 20 == 0)) return;
        fmt::print(stderr, "{}{} {}/{}  batch {}/{}  loss {:.4f}{}", live ? "\r" : "", stage,
                   now.epoch + 1, epochs, now.batch + 1, now.batches, mean, last ? "\n" : "");
        std::fflush(stderr);
    };
}

void train_stage(Network& network, const LabelledImages& images, const std::string& stage,
                 const TrainingSettings& settings) {
    const auto masks = stage == "dense" ? WeightMasks{} : masks_of_nonzero(network);
    train(network, images, settings, masks, show_progress(stage, settings.epochs));
}

/// Dense, then in two steps to the wanted share of zeros, weights relearning after each.
Network train_digits(const Options& options) {
    const auto images = draw_digits(options.seed, first_training_image, options.training_images);
    Network network = digits_network();
    initialize_weights(network, options.seed);
    TrainingSettings settings;
    settings.seed = options.seed;
    settings.epochs = options.epochs;
    settings.learning_rate = 2e-3;
    settings.weight_decay = 1e-2;
    train_stage(network, images, "dense", settings);
    settings.epochs = (options.epochs + 1) / 2;
    settings.learning_rate = 1e-3;
    for (const double share : {0.7, 1.0}) {
        const double ratio = share * options.prune;
        prune_by_magnitude(network, ratio);
        train_stage(network, images, fmt::format("pruned to {:.0f} %", 100 * ratio), settings);
    }
    return network;
}

void describe(Network& network, const Options& options, double accuracy) {
    network.provenance = {
        {"generator", "kirchnet-make-embedded"},
        {"images",
         fmt::format("draw_digits, seed {}: test 0 to {}, calibration {} to {}, training "
                     "{} to {}",
                     options.seed, test_images - 1, first_calibration_image,
                     first_calibration_image + calibration_images - 1, first_training_image,
                     first_training_image + options.training_images - 1)},
        {"seed", fmt::format("{}", options.seed)},
        {"accuracy", fmt::format("{:.4f}", accuracy)},
        {"pruning",
         fmt::format("{} of each convolution and linear layer, by magnitude", options.prune)},
        {"licence", "MIT"}};
}

void print_summary(const Network& network, double accuracy, double seconds) {
    std::size_t weights = 0;
    std::size_t zeros = 0;
    for (const LayerSparsity& layer : sparsity_of(network)) {
        fmt::print("{:6} {:7} weights, {:5.2f} % zero\n", layer.layer, layer.weights,
                   100 * layer.fraction());
        weights += layer.weights;
        zeros += layer.zeros;
    }
    fmt::print("all    {:7} weights, {:5.2f} % zero\n", weights,
               100 * static_cast<double>(zeros) / static_cast<double>(weights));
    fmt::print("accuracy {:.2f} % of {} test images, {:.0f} s\n", 100 * accuracy, test_images,
               seconds);
}

void make_embedded(const Options& options) {
    // First, so that a bad folder shows before minutes of training.
    std::filesystem::create_directories(options.folder);
    const auto start = std::chrono::steady_clock::now();
    const auto test = draw_digits(options.seed, 0, test_images);
    const auto calibration = draw_digits(options.seed, first_calibration_image, calibration_images);
    Network network = train_digits(options);
    const double accuracy = classification_accuracy(network, test);
    describe(network, options, accuracy);
    write_images(options.folder / "digits-images.h5", test, calibration);
    write_network(options.folder / "digits.h5", network);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    print_summary(network, accuracy, elapsed.count());
}

int run(int argc, char** argv) {
    Options options;
    CLI::App app(
        "Draws digits, trains and prunes a small network for them, writes both.\n"
        "Example: kirchnet-make-embedded -o data/embedded");
    app.add_option("-o,--output", options.folder, "folder for digits.h5 and digits-images.h5")
        ->required();
    app.add_option("--seed", options.seed, "of images, weights and batches")->capture_default_str();
    app.add_option("--prune", options.prune, "share of zeros per layer")
        ->check(CLI::Range(0.0, 0.99))
        ->capture_default_str();
    app.add_option("--images", options.training_images, "training images")
        ->check(CLI::Range(1, 10000000))
        ->capture_default_str();
    app.add_option("--epochs", options.epochs, "of dense training; half as many per pruning step")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    make_embedded(options);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const InvalidInput& error) {
        fmt::print(stderr, "kirchnet-make-embedded: {}\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        fmt::print(stderr, "kirchnet-make-embedded: {}\n", error.what());
        return 1;
    }
}
