#include "tools/pruning/pruning_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/output/output.hpp"

namespace kirchnet {
namespace {

std::string percent(double share) {
    return fmt::format("{:.3f}", 100 * share);
}

std::string short_list(const std::vector<std::string>& layers) {
    if (layers.size() <= 3) return fmt::format("{}", fmt::join(layers, ", "));
    return fmt::format("{} to {} ({} layers)", layers.front(), layers.back(), layers.size());
}

std::string outcome(const PruningDecision& decision) {
    if (!decision.taken)
        return fmt::format("not taken, {} given up", short_list(decision.given_up));
    return decision.became_best ? "taken, best" : "taken";
}

/// The ratio of a block's layers, or the least and the greatest where the network given had others.
std::string ratio_of(const PruningBlock& block, const Network& network) {
    std::vector<double> ratios;
    for (const Node& node : network.nodes)
        if (std::find(block.layers.begin(), block.layers.end(), node.name) != block.layers.end())
            ratios.push_back(node.pruned_ratio);
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    return *least == *most ? fmt::format("{:g}", *least)
                           : fmt::format("{:g} to {:g}", *least, *most);
}

std::string ratio_table(const HierarchicalPruningResult& result) {
    TextTable table({"layers", "weights of each", "best", "last"});
    for (const PruningBlock& block : pruning_blocks(result.best))
        table.add({short_list(block.layers), fmt::to_string(block.weights),
                   ratio_of(block, result.best), ratio_of(block, result.last)});
    return table.markdown();
}

nlohmann::json ratios_json(const Network& network) {
    auto ratios = nlohmann::json::object();
    for (const Node& node : network.nodes)
        if (cell_weights(node.operation) != nullptr) ratios[node.name] = node.pruned_ratio;
    return ratios;
}

}  // namespace

std::string decision_line(const PruningDecision& decision) {
    return fmt::format("p {:g} on {} layer{}: {} % -> {} %: {}", decision.ratio,
                       decision.layers.size(), decision.layers.size() == 1 ? "" : "s",
                       percent(decision.current_accuracy), percent(decision.pruned_accuracy),
                       outcome(decision));
}

std::string pruning_markdown(const HierarchicalPruningResult& result,
                             const HierarchicalPruningSettings& settings,
                             const std::string& conditions) {
    std::string text = fmt::format(
        "# Hierarchical progressive pruning\n\n{}\n\nA step is taken if it loses less than {:g} "
        "points; after one that is not, {}. Best is {}.\n\n"
        "Mean accuracy on faulty chips [%]: {} as given, {} the best network (M_best), {} the last "
        "one (M_cur).\n\n",
        conditions, 100 * settings.threshold,
        settings.advance_p ? "the next ratio follows (advance_p)" : "the same ratio is tried again",
        settings.strict_best ? "the most accurate network seen (strict_best)"
                             : "the last network that beat the one it was pruned from",
        percent(result.first_accuracy), percent(result.best_accuracy),
        percent(result.last_accuracy));
    TextTable steps({"step", "p", "layers", "Acc(M_cur) [%]", "Acc(M) [%]", "outcome"});
    for (std::size_t i = 0; i < result.decisions.size(); ++i) {
        const PruningDecision& decision = result.decisions[i];
        steps.add({fmt::to_string(i + 1), fmt::format("{:g}", decision.ratio),
                   fmt::to_string(decision.layers.size()), percent(decision.current_accuracy),
                   percent(decision.pruned_accuracy), outcome(decision)});
    }
    return text + steps.markdown() + "\nShare pruned, block by block:\n\n" + ratio_table(result);
}

nlohmann::json pruning_json(const HierarchicalPruningResult& result,
                            const HierarchicalPruningSettings& settings,
                            const std::string& conditions) {
    auto decisions = nlohmann::json::array();
    for (const PruningDecision& decision : result.decisions)
        decisions.push_back({{"ratio", decision.ratio},
                             {"layers", decision.layers},
                             {"current_accuracy", decision.current_accuracy},
                             {"pruned_accuracy", decision.pruned_accuracy},
                             {"taken", decision.taken},
                             {"became_best", decision.became_best},
                             {"given_up", decision.given_up}});
    return {{"conditions", conditions},
            {"settings",
             {{"candidates", settings.candidates},
              {"threshold", settings.threshold},
              {"advance_p", settings.advance_p},
              {"strict_best", settings.strict_best}}},
            {"first_accuracy", result.first_accuracy},
            {"best", {{"accuracy", result.best_accuracy}, {"ratios", ratios_json(result.best)}}},
            {"last", {{"accuracy", result.last_accuracy}, {"ratios", ratios_json(result.last)}}},
            {"decisions", decisions}};
}

}  // namespace kirchnet
