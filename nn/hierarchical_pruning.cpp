#include "nn/hierarchical_pruning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

void check(const HierarchicalPruningSettings& settings) {
    if (settings.candidates.empty()) throw InvalidInput("candidates", "are none");
    double before = 0;
    for (const double ratio : settings.candidates) {
        if (!(ratio > before && ratio < 1))
            throw InvalidInput("candidates",
                               fmt::format("{} is not above {} and below 1: candidates are "
                                           "ratios in ascending order",
                                           ratio, before));
        before = ratio;
    }
    if (!std::isfinite(settings.threshold))
        throw InvalidInput("threshold", fmt::format("{} is no number", settings.threshold));
}

/// M_cur, M_best and the blocks B of Algorithm 1.
class HierarchicalRun {
  public:
    HierarchicalRun(const Network& network, const HierarchicalPruningSettings& settings,
                    const LayerPruner& prune, const NetworkEvaluator& accuracy)
        : settings_(settings),
          prune_(prune),
          accuracy_(accuracy),
          blocks_(pruning_blocks(network)) {
        if (blocks_.empty())
            throw InvalidInput(fmt::format("network '{}'", network.name), "has no layer to prune");
        // The evaluator is a pure function of the network: Acc(M_cur) is known once M was judged.
        result_.first_accuracy = accuracy_(network);
        result_.last = result_.best = network;
        result_.last_accuracy = result_.best_accuracy = result_.first_accuracy;
    }

    HierarchicalPruningResult run(const DecisionObserver& observer) {
        std::size_t candidate = 0;
        while (candidate < settings_.candidates.size() && !blocks_.empty()) {
            const PruningDecision& decision = attempt(settings_.candidates[candidate]);
            if (decision.taken || settings_.advance_p) ++candidate;
            if (observer) observer(decision);
        }
        return std::move(result_);
    }

  private:
    const PruningDecision& attempt(double ratio) {
        PruningDecision decision{.ratio = ratio, .current_accuracy = result_.last_accuracy};
        for (const PruningBlock& block : blocks_)
            decision.layers.insert(decision.layers.end(), block.layers.begin(), block.layers.end());
        Network pruned = prune_(result_.last, ratios(ratio, decision.layers));
        decision.pruned_accuracy = accuracy_(pruned);
        decision.taken = decision.current_accuracy - decision.pruned_accuracy < settings_.threshold;
        if (decision.taken)
            take(decision, std::move(pruned));
        else
            give_up(decision);
        result_.decisions.push_back(std::move(decision));
        return result_.decisions.back();
    }

    /// The ratio for the layers of B, for the others the one they have. No layer gets weights back.
    [[nodiscard]] PruningRatios ratios(double ratio, const std::vector<std::string>& layers) const {
        PruningRatios ratios;
        for (const Node& node : result_.last.nodes)
            if (cell_weights(node.operation) != nullptr)
                ratios.layers[node.name] = node.pruned_ratio;
        for (const std::string& layer : layers)
            ratios.layers[layer] = std::max(ratio, ratios.layers[layer]);
        return ratios;
    }

    void take(PruningDecision& decision, Network pruned) {
        const double to_beat =
            settings_.strict_best ? result_.best_accuracy : decision.current_accuracy;
        decision.became_best = decision.pruned_accuracy > to_beat;
        if (decision.became_best) {
            result_.best = pruned;
            result_.best_accuracy = decision.pruned_accuracy;
        }
        result_.last = std::move(pruned);
        result_.last_accuracy = decision.pruned_accuracy;
    }

    void give_up(PruningDecision& decision) {
        decision.given_up = std::move(blocks_.front().layers);
        blocks_.erase(blocks_.begin());
    }

    const HierarchicalPruningSettings& settings_;
    const LayerPruner& prune_;
    const NetworkEvaluator& accuracy_;
    std::vector<PruningBlock> blocks_;  // B, ascending
    HierarchicalPruningResult result_;
};

}  // namespace

std::vector<PruningBlock> pruning_blocks(const Network& network) {
    std::map<std::size_t, std::vector<std::string>> by_size;
    for (const Node& node : network.nodes)
        if (const Tensor* weights = cell_weights(node.operation))
            by_size[weights->values.size()].push_back(node.name);
    std::vector<PruningBlock> blocks;
    for (auto& [size, layers] : by_size) blocks.push_back({size, std::move(layers)});
    return blocks;
}

HierarchicalPruningResult prune_hierarchically(const Network& network,
                                               const HierarchicalPruningSettings& settings,
                                               const LayerPruner& prune,
                                               const NetworkEvaluator& accuracy,
                                               const DecisionObserver& observer) {
    check(settings);
    return HierarchicalRun(network, settings, prune, accuracy).run(observer);
}

}  // namespace kirchnet
