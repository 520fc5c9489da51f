#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "nn/hierarchical_pruning.hpp"

namespace kirchnet {

/// The networks a search by hierarchical pruning has pruned and judged so far, each in a file of a
/// folder beside the result. The search is a pure function of its settings: where a step is in the
/// journal its network and accuracy are read instead of found, so that a search that was killed
/// repeats at most the step in flight.
class PruningJournal {
  public:
    /// @param folder    made when the first step, the network given, is written
    /// @param identity  of network, images and settings
    /// @throws InvalidInput  where the folder is there but not to be resumed, or holds steps of
    ///                       another search
    PruningJournal(std::filesystem::path folder, std::string identity, bool resume);

    /// `prune`, unless the next step's network is in the journal.
    Network pruned(const Network& network, const PruningRatios& ratios, const LayerPruner& prune);
    /// `judge` of the network of the last step (step 0: the one given), unless it is in the
    /// journal; then the step is written.
    double accuracy(const Network& network, const NetworkEvaluator& judge);

    /// Where training of the step in flight keeps its state.
    [[nodiscard]] std::filesystem::path checkpoint() const;
    /// Steps that were read instead of done.
    [[nodiscard]] std::size_t steps_read() const { return steps_read_; }

  private:
    [[nodiscard]] std::filesystem::path file() const;
    [[nodiscard]] std::optional<Network> read() const;

    std::filesystem::path folder_;
    std::string identity_;
    std::size_t step_ = 0;
    std::size_t steps_read_ = 0;
};

}  // namespace kirchnet
