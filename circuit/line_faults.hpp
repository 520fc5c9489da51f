#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "circuit/crossbar.hpp"

namespace kirchnet {

/// What may be wrong with the wires of an array.
enum class LineDefect : std::uint8_t {
    word_line_open = 0,    ///< a segment is broken
    word_line_short = 1,   ///< a segment has no resistance
    word_line_bridge = 2,  ///< a word line touches the next one
    bit_line_open = 3,
    bit_line_short = 4,
    bit_line_bridge = 5  ///< a bit line touches the next one
};

inline constexpr std::array all_line_defects{
    LineDefect::word_line_open, LineDefect::word_line_short, LineDefect::word_line_bridge,
    LineDefect::bit_line_open,  LineDefect::bit_line_short,  LineDefect::bit_line_bridge};

std::string_view to_string(LineDefect defect);
/// @throws InvalidInput  naming the accepted words
LineDefect parse_line_defect(std::string_view text);
constexpr bool is_bridge(LineDefect defect) {
    return defect == LineDefect::word_line_bridge || defect == LineDefect::bit_line_bridge;
}

/// Where an array sits on a chip: its tile, and which of a split pair it is.
struct ArrayPlace {
    std::int32_t tile_row = 0;
    std::int32_t tile_column = 0;
    std::int32_t slice = 0;
    Polarity array = Polarity::a;  ///< b: the second array of a split pair

    friend auto operator<=>(const ArrayPlace&, const ArrayPlace&) = default;
};

/// One defect of an array's wires. Segments go by the names they have in decks: that of a word line
/// lies left of cell (word_line, bit_line), that of a bit line below it; `bit_line` = number of bit
/// lines is the segment at a word line's right end, `word_line` = number of word lines that at a
/// bit line's top end. A bridge leads from that crossing to the next line of its kind.
struct LineFault {
    ArrayPlace place;
    LineDefect defect = LineDefect::word_line_open;
    std::int32_t word_line = 0;
    std::int32_t bit_line = 0;
    double resistance = 0;  ///< of a bridge [ohm]; otherwise 0

    friend auto operator<=>(const LineFault&, const LineFault&) = default;
};

/// Independent defects of wires: every segment, and every crossing for its bridges, alike.
struct LineFaultLaw {
    double word_line_open = 0;      ///< probability per segment
    double word_line_short = 0;     ///< probability per segment
    double word_line_bridge = 0;    ///< probability per crossing of neighbouring word lines
    double bit_line_open = 0;       ///< probability per segment
    double bit_line_short = 0;      ///< probability per segment
    double bit_line_bridge = 0;     ///< probability per crossing of neighbouring bit lines
    double bridge_resistance = 10;  ///< [ohm]

    [[nodiscard]] bool is_on() const {
        return word_line_open > 0 || word_line_short > 0 || word_line_bridge > 0 ||
               bit_line_open > 0 || bit_line_short > 0 || bit_line_bridge > 0;
    }
    friend bool operator==(const LineFaultLaw&, const LineFaultLaw&) = default;
};

/// @throws InvalidInput  unless probabilities are in [0, 1], those of one segment together too, and
///                       the resistance is finite and above 0
void check(const LineFaultLaw& law);

/// The defects of one array's wires, in order: a pure function of its arguments. Nested: what is
/// broken at one probability is broken at every larger one (u < p_open: open; u >= 1 - p_short:
/// short).
/// @param wires  whose ends are driven and sensed, and whether those have segments
std::vector<LineFault> draw_line_faults(const LineFaultLaw& law, std::uint64_t seed,
                                        std::uint32_t trial, std::string_view layer,
                                        const ArrayPlace& place, const ArrayShape& shape,
                                        const Wires& wires);

/// The wires with these defects.
/// @throws InvalidInput  naming the defect that has no place in such an array
Wires with_line_faults(const Wires& wires, const std::vector<LineFault>& faults,
                       const ArrayShape& shape);

/// `word_line_open rwl_a_3_7`, as decks call the segment.
std::string describe(const LineFault& fault, const ArrayShape& shape, ColumnPattern pattern);

/// What a defect means by itself, in words: `bit lines 7 to 63 of word line 3 lose their driver`.
/// @param wires  as they are meant to be
std::string consequence(const LineFault& fault, const ArrayShape& shape, const Wires& wires);

}  // namespace kirchnet
