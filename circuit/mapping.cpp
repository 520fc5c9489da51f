#include "circuit/mapping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

/// Bits of a cell's level; 0 for continuous weights.
int level_bits(Mapping mapping, int weight_bits) {
    if (weight_bits == 0) return 0;
    (void)largest_level(weight_bits);
    return has_column_pair(mapping) ? weight_bits - 1 : weight_bits;
}

/// Levels between states 0 and 1 of a cell that holds the whole level.
int steps_of(Mapping mapping, int weight_bits) {
    const int largest = largest_level(weight_bits);
    return has_column_pair(mapping) ? largest : 2 * largest;
}

}  // namespace

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

int slice_count(Mapping mapping, int weight_bits, int bits_per_cell) {
    if (bits_per_cell == 0) return 1;
    const int bits = level_bits(mapping, weight_bits);
    if (bits_per_cell < 0 || bits_per_cell > bits)
        throw InvalidInput(
            "bits per cell",
            weight_bits == 0
                ? fmt::format("{} cannot cut continuous weights; give weight bits", bits_per_cell)
                : fmt::format("{} is neither 0 (the whole weight) nor 1 to {}, the bits that "
                              "{}-bit weights have in a {} cell",
                              bits_per_cell, bits, weight_bits, to_string(mapping)));
    return (bits + bits_per_cell - 1) / bits_per_cell;
}

LevelSlice level_slice(Mapping mapping, int weight_bits, int bits_per_cell, int number) {
    const int count = slice_count(mapping, weight_bits, bits_per_cell);
    if (number < 0 || number >= count)
        throw InvalidInput(fmt::format("slice {}", number),
                           fmt::format("weights have {} slice{}", count, count == 1 ? "" : "s"));
    if (bits_per_cell == 0) return {0, weight_bits == 0 ? 1 : steps_of(mapping, weight_bits)};
    const int shift = number * bits_per_cell;
    const int bits = std::min(bits_per_cell, level_bits(mapping, weight_bits) - shift);
    return {shift, (1 << bits) - 1};
}

LevelPair to_digits(Mapping mapping, int level, int largest, const LevelSlice& slice) {
    const LevelPair cells = to_levels(mapping, level, largest);
    const auto digit = [&](int cell) { return (cell >> slice.shift) % (slice.levels + 1); };
    return {digit(cells.a), digit(cells.b)};
}

StatePair to_states(Mapping mapping, double weight, int weight_bits) {
    return to_states(mapping, weight, weight_bits, level_slice(mapping, weight_bits, 0, 0));
}

StatePair to_states(Mapping mapping, double weight, int weight_bits, const LevelSlice& slice) {
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
    const LevelPair digits = to_digits(mapping, quantize_weight(weight, largest), largest, slice);
    const double steps = slice.levels;
    return {digits.a / steps, digits.b / steps};
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
