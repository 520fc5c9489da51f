#include "nn/training/detail/training_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "circuit/error.hpp"
#include "nn/training/detail/optimizer_state.hpp"
#include "nn/training/detail/random.hpp"

namespace kirchnet::detail {
namespace {

std::int64_t extent(std::size_t value) {
    return static_cast<std::int64_t>(value);
}

torch::Tensor normalized(const Network& network, const torch::Tensor& pixels) {
    const auto per_channel = [&](const std::vector<float>& values) {
        return torch::tensor(at::ArrayRef<float>(values))
            .reshape({1, extent(network.input.channels), 1, 1});
    };
    return (pixels.to(torch::kFloat) / 255 - per_channel(network.mean)) /
           per_channel(network.deviation);
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

}  // namespace

void check(const TrainingSettings& settings) {
    if (settings.batch_size == 0) throw InvalidInput("training batch_size is 0");
    if (settings.threads < 1) throw InvalidInput("training threads is less than 1");
    if (!(settings.learning_rate > 0) || !std::isfinite(settings.learning_rate))
        throw InvalidInput(
            fmt::format("training learning_rate {} is not positive", settings.learning_rate));
    if (!(settings.weight_decay >= 0) || !std::isfinite(settings.weight_decay))
        throw InvalidInput(
            fmt::format("training weight_decay {} is negative", settings.weight_decay));
    if (!(settings.momentum >= 0 && settings.momentum < 1))
        throw InvalidInput(
            fmt::format("training momentum {} is not at least 0 and below 1", settings.momentum));
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

torch::Tensor normalized(const Network& network, const LabelledImages& images) {
    const ImageShape& shape = images.shape;
    const auto pixels = torch::tensor(at::ArrayRef<std::uint8_t>(images.pixels), torch::kUInt8)
                            .reshape({extent(images.size()), extent(shape.channels),
                                      extent(shape.height), extent(shape.width)});
    return normalized(network, pixels);
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

TrainingRun::TrainingRun(const Network& network, const LabelledImages& images,
                         const TrainingSettings& settings, const WeightMasks& masks)
    : settings_(settings),
      images_(images),
      network_(network),
      optimizer_(make_optimizer()),
      batches_((images.size() + settings.batch_size - 1) / settings.batch_size) {
    network_.set_masks(masks);
}

double TrainingRun::run_epoch(std::size_t epoch, std::size_t draw, const ProgressCallback& progress,
                              const Penalty& penalty) {
    const auto order = batch_order(images_.size(), settings_.seed, draw);
    double sum = 0;
    for (std::size_t batch = 0; batch < batches_; ++batch) {
        set_learning_rate(epoch * batches_ + batch);
        const std::size_t first = batch * settings_.batch_size;
        const std::size_t last = std::min(first + settings_.batch_size, images_.size());
        std::vector<std::int64_t> labels;
        for (std::size_t i = first; i < last; ++i)
            labels.push_back(images_.labels[static_cast<std::size_t>(order[i])]);
        const double loss = step(show(order, first, last, draw), torch::tensor(labels), penalty);
        sum += loss * static_cast<double>(last - first);
        if (progress) progress({epoch, batch, batches_, loss});
    }
    return sum / static_cast<double>(images_.size());
}

std::vector<Tensor> TrainingRun::optimizer_state() const {
    return read_optimizer_state(*optimizer_);
}

void TrainingRun::set_optimizer_state(const std::vector<Tensor>& state, std::size_t steps) {
    write_optimizer_state(*optimizer_, state, steps);
}

/// Only what becomes cells decays.
std::unique_ptr<torch::optim::Optimizer> TrainingRun::make_optimizer() const {
    std::vector<torch::optim::OptimizerParamGroup> groups;
    const auto add_groups = [&](const auto& options) {
        using Options = std::decay_t<decltype(options)>;
        groups.emplace_back(
            network_.weights(),
            std::make_unique<Options>(Options(options).weight_decay(settings_.weight_decay)));
        groups.emplace_back(network_.other_parameters(),
                            std::make_unique<Options>(Options(options).weight_decay(0)));
    };
    if (settings_.optimizer == Optimizer::adamw) {
        const torch::optim::AdamWOptions options(settings_.learning_rate);
        add_groups(options);
        return std::make_unique<torch::optim::AdamW>(std::move(groups), options);
    }
    auto options = torch::optim::SGDOptions(settings_.learning_rate).momentum(settings_.momentum);
    add_groups(options);
    return std::make_unique<torch::optim::SGD>(std::move(groups), options);
}

void TrainingRun::set_learning_rate(std::size_t steps_done) {
    const double progress =
        static_cast<double>(steps_done) / static_cast<double>(batches_ * settings_.epochs);
    const double rate = settings_.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * progress));
    for (auto& group : optimizer_->param_groups()) group.options().set_lr(rate);
}

/// The images order[first] to order[last - 1] as this epoch shows them, normalised.
torch::Tensor TrainingRun::show(const std::vector<std::int64_t>& order, std::size_t first,
                                std::size_t last, std::size_t draw) const {
    const ImageShape& shape = images_.shape;
    const auto pixels = torch::empty(
        {extent(last - first), extent(shape.channels), extent(shape.height), extent(shape.width)},
        torch::kUInt8);
    auto* shown = pixels.data_ptr<std::uint8_t>();
    for (std::size_t i = first; i < last; ++i, shown += shape.size()) {
        const auto image = static_cast<std::size_t>(order[i]);
        const ImageView view = draw_view(settings_.augmentation, settings_.seed, draw, image);
        show_image(images_.pixels.data() + image * shape.size(), shape, view,
                   settings_.augmentation.padding, shown);
    }
    return normalized(network_.description(), pixels);
}

double TrainingRun::step(const torch::Tensor& images, const torch::Tensor& labels,
                         const Penalty& penalty) {
    optimizer_->zero_grad();
    const auto output = network_.forward(images, Phase::train);
    const auto loss = torch::nn::functional::cross_entropy(output, labels);
    if (penalty)
        (loss + penalty()).backward();
    else
        loss.backward();
    optimizer_->step();
    network_.apply_masks();
    return loss.item<double>();
}

}  // namespace kirchnet::detail
