#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "nn/hierarchical_pruning.hpp"

namespace kirchnet {

/// One line per decision as it is made.
std::string decision_line(const PruningDecision& decision);

/// The log of hierarchical pruning as Markdown.
/// @param conditions  how accuracy was measured and networks pruned, in words
std::string pruning_markdown(const HierarchicalPruningResult& result,
                             const HierarchicalPruningSettings& settings,
                             const std::string& conditions);
nlohmann::json pruning_json(const HierarchicalPruningResult& result,
                            const HierarchicalPruningSettings& settings,
                            const std::string& conditions);

}  // namespace kirchnet
