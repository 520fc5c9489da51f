#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "data/dataset.hpp"
#include "nn/training/torch_network.hpp"
#include "nn/training/trainer.hpp"

namespace kirchnet::detail {

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

/// @throws InvalidInput  naming the setting
void check(const TrainingSettings& settings);
/// @throws InvalidInput  when the images do not fit the network
void check(const Network& network, const LabelledImages& images);
/// @throws InvalidInput  naming a label the network has no class for
void check_labels(const Network& network, const LabelledImages& images);

/// All images normalised, [images × channels × height × width].
torch::Tensor normalized(const Network& network, const LabelledImages& images);

/// Something added to the loss; called once per step.
using Penalty = std::function<torch::Tensor()>;

/// One stage of training: the tensors and the optimiser. Borrows the images.
class TrainingRun {
  public:
    TrainingRun(const Network& network, const LabelledImages& images,
                const TrainingSettings& settings, const WeightMasks& masks);

    /// @param epoch     of this stage, decides the learning rate
    /// @param draw      number of the epoch among all of a training, decides order and augmentation
    /// @param penalty   may be empty
    /// @return  mean loss over the images, without the penalty
    double run_epoch(std::size_t epoch, std::size_t draw, const ProgressCallback& progress,
                     const Penalty& penalty = {});

    [[nodiscard]] Network network() const { return network_.network(); }
    [[nodiscard]] TorchNetwork& torch_network() { return network_; }
    /// What the optimiser remembers from step to step, in an order of its own.
    [[nodiscard]] std::vector<Tensor> optimizer_state() const;
    /// @param steps  taken so far in this stage
    /// @throws InvalidInput  when it is no state of this run
    void set_optimizer_state(const std::vector<Tensor>& state, std::size_t steps);
    [[nodiscard]] std::size_t batches() const { return batches_; }

  private:
    [[nodiscard]] std::unique_ptr<torch::optim::Optimizer> make_optimizer() const;
    void set_learning_rate(std::size_t steps_done);
    [[nodiscard]] torch::Tensor show(const std::vector<std::int64_t>& order, std::size_t first,
                                     std::size_t last, std::size_t draw) const;
    double step(const torch::Tensor& images, const torch::Tensor& labels, const Penalty& penalty);

    TrainingSettings settings_;
    const LabelledImages& images_;
    TorchNetwork network_;
    std::unique_ptr<torch::optim::Optimizer> optimizer_;
    std::size_t batches_;
};

}  // namespace kirchnet::detail
