#include "nn/training/trainer.hpp"

#include <algorithm>
#include <cmath>

#include "nn/training/detail/random.hpp"
#include "nn/training/detail/training_run.hpp"

namespace kirchnet {
namespace {

using detail::ThreadCount;
using detail::training_unit;
using detail::TrainingPurpose;

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
    detail::check(settings);
    detail::check(network, images);
    const ThreadCount threads(settings.threads);
    detail::check_labels(network, images);
    detail::TrainingRun run(network, images, settings, masks);
    std::vector<double> losses;
    for (std::size_t epoch = 0; epoch < settings.epochs; ++epoch)
        losses.push_back(run.run_epoch(epoch, epoch, progress));
    network = run.network();
    return losses;
}

std::vector<std::int32_t> predict_classes(const Network& network, const LabelledImages& images) {
    constexpr std::size_t batch = 256;  // bounds memory
    detail::check(network, images);
    const torch::NoGradGuard no_gradient;
    const ThreadCount threads(1);
    TorchNetwork torch_network(network);
    std::vector<std::int32_t> classes;
    for (std::size_t first = 0; first < images.size(); first += batch) {
        const auto part = subset(images, first, std::min(batch, images.size() - first));
        const auto best = torch_network.forward(detail::normalized(network, part), Phase::evaluate)
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
