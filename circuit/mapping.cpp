#include "circuit/mapping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "circuit/error.hpp"

namespace kirchnet {

std::string_view to_string(Mapping mapping) {
    switch (mapping) {
        case Mapping::two_column:
            return "two_column";
        case Mapping::offset:
            return "offset";
        case Mapping::differential:
            break;
    }
    return "differential";
}

Mapping parse_mapping(std::string_view text) {
    for (const auto mapping : {Mapping::two_column, Mapping::offset, Mapping::differential})
        if (text == to_string(mapping)) return mapping;
    throw InvalidInput(
        fmt::format("mapping '{}' is none of two_column, offset, differential", text));
}

int largest_level(int weight_bits) {
    if (weight_bits < 2 || weight_bits > 24)
        throw InvalidInput("weight bits",
                           fmt::format("{} is neither 0 (continuous) nor 2 to 24", weight_bits));
    return (1 << (weight_bits - 1)) - 1;
}

int quantize_weight(double weight, int largest) {
    return static_cast<int>(std::lround(weight * largest));
}

LevelPair to_levels(Mapping mapping, int level, int largest) {
    switch (mapping) {
        case Mapping::two_column:
            return {std::max(level, 0), std::max(-level, 0)};
        case Mapping::offset:
            return {level + largest, 0};
        case Mapping::differential:
            break;
    }
    return {largest - std::max(-level, 0), largest - std::max(level, 0)};
}

int from_levels(Mapping mapping, LevelPair levels, int largest) {
    return mapping == Mapping::offset ? levels.a - largest : levels.a - levels.b;
}

StatePair to_states(Mapping mapping, double weight, int weight_bits) {
    if (weight_bits == 0) {
        switch (mapping) {
            case Mapping::two_column:
                return {std::max(weight, 0.0), std::max(-weight, 0.0)};
            case Mapping::offset:
                return {(weight + 1) / 2, 0};
            case Mapping::differential:
                break;
        }
        return {1 - std::max(-weight, 0.0), 1 - std::max(weight, 0.0)};
    }
    const int largest = largest_level(weight_bits);
    const LevelPair levels = to_levels(mapping, quantize_weight(weight, largest), largest);
    const double steps = mapping == Mapping::offset ? 2.0 * largest : largest;
    return {levels.a / steps, levels.b / steps};
}

double from_states(Mapping mapping, StatePair states) {
    return mapping == Mapping::offset ? 2 * states.a - 1 : states.a - states.b;
}

void check(const DeviceRange& range) {
    if (!std::isfinite(range.on) || !std::isfinite(range.off) || range.off < 0 ||
        range.on <= range.off)
        throw InvalidInput(
            "device range",
            fmt::format("on {} S and off {} S do not satisfy 0 <= off < on", range.on, range.off));
}

}  // namespace kirchnet
