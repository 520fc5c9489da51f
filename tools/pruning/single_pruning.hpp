#pragma once

#include <filesystem>
#include <string>

#include "data/dataset.hpp"
#include "nn/training/pruning.hpp"
#include "tools/arguments.hpp"
#include "tools/settings/experiment.hpp"

namespace kirchnet {

bool is_hierarchical(const PruneArguments& arguments);

/// How weights are taken away in one go: the method, or what hpp does at each step.
const std::string& pruning_way(const PruneArguments& arguments);

/// Whether weights left are trained, at each step where the method is hierarchical.
bool trains(const PruneArguments& arguments);

/// @throws InvalidInput  naming the option and the words it knows
void check_methods(const PruneArguments& arguments);

/// That way with its settings, in words for people.
std::string describe_way(const PruneArguments& arguments);

/// Takes weights away in one go and trains what is left, as `pruning_way` says.
class SinglePruning {
  public:
    /// Reads the training images where there is something to train.
    /// @param arguments  must outlive it
    /// @throws InvalidInput  without training images, or for a detector that would be trained
    SinglePruning(const PruneArguments& arguments, const Experiment& experiment,
                  const Network& network);

    void keep_checkpoints(const std::filesystem::path& path, bool resume);

    /// Shows progress; channels left without a weight are retired.
    [[nodiscard]] Network operator()(const Network& network, const PruningRatios& ratios) const;

  private:
    const PruneArguments& arguments_;
    LabelledImages images_;
    PruningTraining training_;
};

}  // namespace kirchnet
