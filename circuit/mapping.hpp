#pragma once

#include <cmath>
#include <string_view>

namespace kirchnet {

/// How a signed weight w in [-1, 1] becomes cell states c in [0, 1]
/// (Yuan et al., ISQED 2021, section on mapping; a minus b is what the subtractor reads).
enum class Mapping {
    two_column,   ///< a = max(w, 0), b = max(-w, 0): a zero is two cells at HRS
    offset,       ///< a = (w + 1) / 2, no b: the common term is removed digitally
    differential  ///< a = 1 - max(-w, 0), b = 1 - max(w, 0): a zero is two cells at LRS
};

std::string_view to_string(Mapping mapping);
/// @throws InvalidInput  naming the accepted words
Mapping parse_mapping(std::string_view text);

/// `offset` reads one column per output; the others a pair.
constexpr bool has_column_pair(Mapping mapping) {
    return mapping != Mapping::offset;
}

/// Largest weight level L = 2^(bits-1) - 1 of a signed weight.
/// @throws InvalidInput  unless bits is 2 to 24
int largest_level(int weight_bits);

/// Nearest level to w L, halves away from zero.
int quantize_weight(double weight, int largest);

/// Cell levels of one weight: 0..L for pairs; `offset` uses a alone, 0..2L.
struct LevelPair {
    int a = 0;
    int b = 0;
    friend bool operator==(const LevelPair&, const LevelPair&) = default;
};

/// @param level    signed weight level q, -L..L
/// @param largest  L
LevelPair to_levels(Mapping mapping, int level, int largest);
/// The weight level a pair of cells holds; exact inverse of `to_levels`, and its meaning under
/// faults.
int from_levels(Mapping mapping, LevelPair levels, int largest);

/// One digit of a cell level, held by a cell of its own with state digit / levels.
struct LevelSlice {
    int shift = 0;   ///< one step of the digit counts 2^shift levels
    int levels = 1;  ///< D, the largest digit

    friend bool operator==(const LevelSlice&, const LevelSlice&) = default;
};

/// Into how many cells a level is cut: the b - 1 bits of a pair's level, or the b bits of
/// `offset`'s, `bits_per_cell` to a cell. 0 bits per cell: one cell holds the whole level.
/// @throws InvalidInput  when a cell would hold more bits than the level has, or weights are
///                       continuous and have no digits
int slice_count(Mapping mapping, int weight_bits, int bits_per_cell);

/// Slice `number`, lowest digit first; the last one may have fewer bits than the others. A
/// continuous weight is one slice.
/// @throws InvalidInput  as `slice_count`, and where there is no such slice
LevelSlice level_slice(Mapping mapping, int weight_bits, int bits_per_cell, int number);

/// The digits of a weight level that the cells of one slice hold: of a differential pair the
/// complements D - d, as they are the digits of L - |q|.
LevelPair to_digits(Mapping mapping, int level, int largest, const LevelSlice& slice);

/// Cell states in [0, 1]; `offset` leaves b at 0.
struct StatePair {
    double a = 0;
    double b = 0;
};

/// @param weight       in [-1, 1]
/// @param weight_bits  0 maps continuously; otherwise states derive from integer levels
StatePair to_states(Mapping mapping, double weight, int weight_bits);
/// The states of the cells of one slice.
StatePair to_states(Mapping mapping, double weight, int weight_bits, const LevelSlice& slice);
/// The weight two cell states stand for: a - b, or 2a - 1 for `offset`.
double from_states(Mapping mapping, StatePair states);

/// Conductance window of the cells [S].
struct DeviceRange {
    double on = 1e-4;   ///< LRS, state 1, and what a stuck-on cell conducts
    double off = 1e-6;  ///< HRS, state 0, and what a stuck-off cell conducts

    [[nodiscard]] double span() const { return on - off; }
    /// Exactly `off` at 0 and `on` at 1, so that a stuck cell in its intended state is no change.
    [[nodiscard]] double conductance(double state) const { return std::lerp(off, on, state); }
    friend bool operator==(const DeviceRange&, const DeviceRange&) = default;
};

/// @throws InvalidInput  unless 0 <= off < on, both finite
void check(const DeviceRange& range);

}  // namespace kirchnet
