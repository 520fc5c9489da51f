#include "tools/settings/retired_keys.hpp"

#include <algorithm>
#include <array>

namespace kirchnet {
namespace {

constexpr std::array keys{
    RetiredKey{"readout.adc_bits", "0",
               "is gone: decks have the network's converters; give readout.converters = true and "
               "converters.adc_bits"},
    RetiredKey{"readout.adc_range", "0",
               "is gone: decks have the network's converters; give readout.converters = true and "
               "converters.adc_range"},
    RetiredKey{"readout.adc_offset", "0", "is gone; give converters.adc_offset [LSB]"},
    RetiredKey{"readout.adc_gain", "1", "is gone; give converters.adc_gain"},
    RetiredKey{"readout.adc_inl", "", "is gone; give converters.adc_inl"},
};

}  // namespace

const RetiredKey* find_retired_key(std::string_view name) {
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [&](const RetiredKey& key) { return key.name == name; });
    return found == keys.end() ? nullptr : found;
}

}  // namespace kirchnet
