#include "nn/training/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <numeric>
#include <utility>

#include "circuit/error.hpp"
#include "nn/training/detail/random.hpp"
#include "nn/training/torch_network.hpp"

namespace kirchnet {
namespace {

using detail::training_unit;
using detail::TrainingPurpose;

/// libtorch's thread count is global: ours for a while, then the caller's again.
class ThreadCount {
  public:
    explicit ThreadCount(int threads) : before_(torch::get_num_threads()) {
        torch::set_num_threads(threads);
    }
    ThreadCount(const ThreadCount&) = delete;
    ThreadCount& operator=(const ThreadCount&) = delete;
    ~ThreadCount() { torch::set_num_threads(before_); }

  private:
    int before_;
};

void check(const TrainingSettings& settings) {
    if (settings.batch_size == 0) throw InvalidInput("training batch_size is 0");
    if (settings.threads < 1) throw InvalidInput("training threads is less than 1");
    if (!(settings.learning_rate > 0) || !std::isfinite(settings.learning_rate))
        throw InvalidInput(
            fmt::format("training learning_rate {} is not positive", settings.learning_rate));
    if (!(settings.weight_decay >= 0) || !std::isfinite(settings.weight_decay))
        throw InvalidInput(
            fmt::format("training weight_decay {} is negative", settings.weight_decay));
}

void check(const Network& network, const LabelledImages& images) {
    if (images.size() == 0) throw InvalidInput("training needs at least one image");
    if (!(images.shape == network.input))
        throw InvalidInput(fmt::format("images are {} x {} x {}, network '{}' takes {} x {} x {}",
                                       images.shape.channels, images.shape.height,
                                       images.shape.width, network.name, network.input.channels,
                                       network.input.height, network.input.width));
    if (network.mean.size() != network.input.channels ||
        network.deviation.size() != network.input.channels)
        throw InvalidInput(fmt::format("network '{}'", network.name),
                           "needs one mean and deviation per input channel");
}

/// All images normalised, [images × channels × height × width].
torch::Tensor normalized(const Network& network, const LabelledImages& images) {
    const auto extent = [](std::size_t value) { return static_cast<std::int64_t>(value); };
    const ImageShape& shape = images.shape;
    const auto pixels = torch::tensor(at::ArrayRef<std::uint8_t>(images.pixels), torch::kUInt8)
                            .reshape({extent(images.size()), extent(shape.channels),
                                      extent(shape.height), extent(shape.width)})
                            .to(torch::kFloat);
    const auto per_channel = [&](const std::vector<float>& values) {
        return torch::tensor(at::ArrayRef<float>(values))
            .reshape({1, extent(shape.channels), 1, 1});
    };
    return (pixels / 255 - per_channel(network.mean)) / per_channel(network.deviation);
}

torch::Tensor targets_of(const LabelledImages& images) {
    return torch::tensor(at::ArrayRef<std::int32_t>(images.labels), torch::kInt32).to(torch::kLong);
}

void check_labels(const Network& network, const LabelledImages& images) {
    const torch::NoGradGuard no_gradient;
    const auto one = normalized(network, subset(images, 0, 1));
    const auto classes = TorchNetwork(network).forward(one, Phase::evaluate).size(1);
    for (const std::int32_t label : images.labels)
        if (label < 0 || label >= classes)
            throw InvalidInput(
                fmt::format("label {} is none of the network's {} classes", label, classes));
}

/// A random order of the images, another in each epoch.
std::vector<std::int64_t> batch_order(std::size_t images, std::uint64_t seed, std::size_t epoch) {
    std::vector<std::int64_t> order(images);
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t last = images - 1; last > 0; --last) {
        const double pick = training_unit(seed, TrainingPurpose::batch_order, epoch, last) *
                            static_cast<double>(last + 1);
        std::swap(order[last], order[static_cast<std::size_t>(pick)]);
    }
    return order;
}

/// One run of training: the tensors, the optimiser, and the epochs done.
class TrainingRun {
  public:
    TrainingRun(const Network& network, const LabelledImages& images,
                const TrainingSettings& settings, const WeightMasks& masks)
        : settings_(settings),
          network_(network),
          images_(normalized(network, images)),
          labels_(targets_of(images)),
          optimizer_(groups(), torch::optim::AdamWOptions(settings.learning_rate)),
          batches_((images.size() + settings.batch_size - 1) / settings.batch_size) {
        network_.set_masks(masks);
    }

    /// @return  mean loss over the images
    double run_epoch(std::size_t epoch, const ProgressCallback& progress) {
        const auto images = static_cast<std::size_t>(images_.size(0));
        const auto order = torch::tensor(batch_order(images, settings_.seed, epoch));
        double sum = 0;
        for (std::size_t batch = 0; batch < batches_; ++batch) {
            set_learning_rate(epoch * batches_ + batch);
            const auto first = static_cast<std::int64_t>(batch * settings_.batch_size);
            const auto last =
                std::min(first + static_cast<std::int64_t>(settings_.batch_size), images_.size(0));
            const double loss = step(order.slice(0, first, last));
            sum += loss * static_cast<double>(last - first);
            if (progress) progress({epoch, batch, batches_, loss});
        }
        return sum / static_cast<double>(images);
    }

    [[nodiscard]] Network network() const { return network_.network(); }

  private:
    /// Only what becomes cells decays.
    [[nodiscard]] std::vector<torch::optim::OptimizerParamGroup> groups() const {
        const auto with_decay = [this](double decay) {
            return std::make_unique<torch::optim::AdamWOptions>(
                torch::optim::AdamWOptions(settings_.learning_rate).weight_decay(decay));
        };
        std::vector<torch::optim::OptimizerParamGroup> groups;
        groups.emplace_back(network_.weights(), with_decay(settings_.weight_decay));
        groups.emplace_back(network_.other_parameters(), with_decay(0));
        return groups;
    }

    void set_learning_rate(std::size_t steps_done) {
        const double progress =
            static_cast<double>(steps_done) / static_cast<double>(batches_ * settings_.epochs);
        const double rate =
            settings_.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * progress));
        for (auto& group : optimizer_.param_groups())
            static_cast<torch::optim::AdamWOptions&>(group.options()).lr(rate);
    }

    double step(const torch::Tensor& chosen) {
        optimizer_.zero_grad();
        const auto output = network_.forward(images_.index_select(0, chosen), Phase::train);
        const auto loss =
            torch::nn::functional::cross_entropy(output, labels_.index_select(0, chosen));
        loss.backward();
        optimizer_.step();
        network_.apply_masks();
        return loss.item<double>();
    }

    TrainingSettings settings_;
    TorchNetwork network_;
    torch::Tensor images_;
    torch::Tensor labels_;
    torch::optim::AdamW optimizer_;
    std::size_t batches_;
};

void initialize(Tensor& weight, std::uint64_t seed, std::size_t node) {
    const std::size_t outputs = weight.shape.empty() ? 1 : weight.shape.front();
    const std::size_t inputs =
        std::max<std::size_t>(1, weight.values.size() / std::max<std::size_t>(1, outputs));
    const double bound = std::sqrt(6.0 / static_cast<double>(inputs));  // variance bound^2 / 3
    for (std::size_t i = 0; i < weight.values.size(); ++i) {
        const double unit = training_unit(seed, TrainingPurpose::initial_weight, node, i);
        weight.values[i] = static_cast<float>(bound * (2 * unit - 1));
    }
}

void fill(Tensor& tensor, float value) {
    std::fill(tensor.values.begin(), tensor.values.end(), value);
}

}  // namespace

void initialize_weights(Network& network, std::uint64_t seed) {
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        Operation& operation = network.nodes[i].operation;
        if (auto* conv = std::get_if<ConvOp>(&operation)) {
            initialize(conv->weight, seed, i);
            fill(conv->bias, 0);
        } else if (auto* linear = std::get_if<LinearOp>(&operation)) {
            initialize(linear->weight, seed, i);
            fill(linear->bias, 0);
        } else if (auto* norm = std::get_if<BatchNormOp>(&operation)) {
            fill(norm->weight, 1);
            fill(norm->bias, 0);
            fill(norm->running_mean, 0);
            fill(norm->running_variance, 1);
        }
    }
}

std::vector<double> train(Network& network, const LabelledImages& images,
                          const TrainingSettings& settings, const WeightMasks& masks,
                          const ProgressCallback& progress) {
    check(settings);
    check(network, images);
    const ThreadCount threads(settings.threads);
    check_labels(network, images);
    TrainingRun run(network, images, settings, masks);
    std::vector<double> losses;
    for (std::size_t epoch = 0; epoch < settings.epochs; ++epoch)
        losses.push_back(run.run_epoch(epoch, progress));
    network = run.network();
    return losses;
}

std::vector<std::int32_t> predict_classes(const Network& network, const LabelledImages& images) {
    constexpr std::size_t batch = 256;  // bounds memory
    check(network, images);
    const torch::NoGradGuard no_gradient;
    const ThreadCount threads(1);
    TorchNetwork torch_network(network);
    std::vector<std::int32_t> classes;
    for (std::size_t first = 0; first < images.size(); first += batch) {
        const auto part = subset(images, first, std::min(batch, images.size() - first));
        const auto best = torch_network.forward(normalized(network, part), Phase::evaluate)
                              .argmax(1)
                              .to(torch::kInt32)
                              .contiguous();
        const auto* values = best.data_ptr<std::int32_t>();
        classes.insert(classes.end(), values, values + best.numel());
    }
    return classes;
}

double classification_accuracy(const Network& network, const LabelledImages& images) {
    const auto classes = predict_classes(network, images);
    std::size_t right = 0;
    for (std::size_t i = 0; i < classes.size(); ++i)
        right += classes[i] == images.labels[i] ? 1 : 0;
    return static_cast<double>(right) / static_cast<double>(classes.size());
}

}  // namespace kirchnet
