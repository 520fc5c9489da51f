#pragma once

#include <span>
#include <string_view>

namespace kirchnet {

/// One setting of a preset, and where its value is from.
struct PresetKey {
    std::string_view key;
    std::string_view value;  ///< as on the command line
    std::string_view source;
};

/// A published design as settings of an experiment: array, cells, wires, driver, precision. Every
/// preset sets the same keys, so that none depends on what was set before.
struct Preset {
    std::string_view name;
    std::span<const PresetKey> keys;
};

/// @throws InvalidInput  listing the presets there are
const Preset& find_preset(std::string_view name);

}  // namespace kirchnet
