#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/network.hpp"
#include "data/pruning.hpp"

namespace kirchnet {

// Hierarchical progressive pruning: how far each layer of a network may be pruned before faulty
// chips suffer for it (Yuan et al., ISQED 2021, Algorithm 1; docs/methods/pruning.md).

/// Layers of equally many weights, pruned and given up together.
struct PruningBlock {
    std::size_t weights = 0;  ///< of each layer
    std::vector<std::string> layers;

    friend bool operator==(const PruningBlock&, const PruningBlock&) = default;
};

/// All layers of a network in ascending order of size, within a block in that of the network.
std::vector<PruningBlock> pruning_blocks(const Network& network);

/// Brings the network to these ratios of the original size, not of what is left.
using LayerPruner = std::function<Network(const Network& network, const PruningRatios& ratios)>;
/// Mean accuracy, 0 to 1, over faulty chips: the same ones for every network.
using NetworkEvaluator = std::function<double(const Network& network)>;

struct HierarchicalPruningSettings {
    std::vector<double> candidates{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};  ///< ascending
    double threshold = 0.002;  ///< th: a step is taken if it loses less accuracy than this share
    /// After a step that was not taken: go on to the next candidate, as the paper's listing does,
    /// instead of trying this one on the blocks left, as its text says.
    bool advance_p = false;
    /// Keep the most accurate network seen. As printed, a network is best if it beats the one it
    /// was pruned from, even where both lie below an earlier one: every step taken may lose up to
    /// the threshold.
    bool strict_best = false;

    friend bool operator==(const HierarchicalPruningSettings&,
                           const HierarchicalPruningSettings&) = default;
};

/// One candidate tried.
struct PruningDecision {
    double ratio = 0;                      ///< p
    std::vector<std::string> layers = {};  ///< pruned to it; the others keep the ratio they have
    double current_accuracy = 0;           ///< Acc(M_cur)
    double pruned_accuracy = 0;            ///< Acc(M)
    bool taken = false;                    ///< M became M_cur
    bool became_best = false;              ///< M became M_best
    /// Layers of the smallest block, given up because the step was not taken.
    std::vector<std::string> given_up = {};

    friend bool operator==(const PruningDecision&, const PruningDecision&) = default;
};

struct HierarchicalPruningResult {
    Network best;  ///< M_best
    double best_accuracy = 0;
    Network last;  ///< M_cur at the end
    double last_accuracy = 0;
    double first_accuracy = 0;  ///< of the network given
    std::vector<PruningDecision> decisions;
};

/// Told of every decision. May throw to stop.
using DecisionObserver = std::function<void(const PruningDecision&)>;

/// @throws InvalidInput  when candidates are not ascending ratios in (0, 1), the threshold is not
///                       finite, or the network has no layers
HierarchicalPruningResult prune_hierarchically(const Network& network,
                                               const HierarchicalPruningSettings& settings,
                                               const LayerPruner& prune,
                                               const NetworkEvaluator& accuracy,
                                               const DecisionObserver& observer = {});

}  // namespace kirchnet
