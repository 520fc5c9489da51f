#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/settings/experiment.hpp"

namespace kirchnet {

/// One setting: its name, how a text sets it, and its value as TOML text.
struct ExperimentKey {
    std::string_view name;
    /// @throws InvalidInput  without the key's name
    void (*set)(Experiment&, std::string_view);
    std::string (*get)(const Experiment&);
};

/// The one list of settings: TOML files, flags, --set and `to_toml` all go through it. Keys of a
/// section stand together.
const std::vector<ExperimentKey>& experiment_keys();

/// Its parts that have files of their own.
std::span<const ExperimentKey> converter_keys();
std::span<const ExperimentKey> fault_keys();
std::span<const ExperimentKey> readout_keys();

/// The key that is set before all others.
inline constexpr std::string_view preset_key = "preset";

}  // namespace kirchnet
