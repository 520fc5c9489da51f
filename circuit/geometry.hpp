#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <string_view>

namespace kirchnet {

using Index = Eigen::Index;

/// A value per cell, [word_lines × bit_lines], row-major as in files.
using CellMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Physical size of one array.
struct ArrayShape {
    Index word_lines = 128;
    Index bit_lines = 128;

    [[nodiscard]] Index cells() const { return word_lines * bit_lines; }
    friend bool operator==(const ArrayShape&, const ArrayShape&) = default;
};

/// `128x64`: word lines, then bit lines.
std::string to_string(const ArrayShape& shape);

/// @throws InvalidInput  unless `text` reads like `128x64` with both numbers from 1 to 65536
ArrayShape parse_array_shape(std::string_view text);

/// The two sides of a column pair: the subtractor forms I_a - I_b.
enum class Polarity : std::uint8_t { a, b };

char to_char(Polarity polarity);

/// How column pairs lie on the chip.
enum class Layout : std::uint8_t {
    split,       ///< two arrays, one per polarity, each with its own drivers
    interleaved  ///< one array whose bit lines alternate a, b, a, b; half the outputs per array
};

std::string_view to_string(Layout layout);
/// @throws InvalidInput  naming the accepted words
Layout parse_layout(std::string_view text);

/// Which ends of the word lines their sources drive.
enum class DriveSide : std::uint8_t {
    left,   ///< before bit line 0
    right,  ///< behind the last bit line
    both
};

std::string_view to_string(DriveSide side);
/// @throws InvalidInput  naming the accepted words
DriveSide parse_drive_side(std::string_view text);

/// At which ends the bit lines are sensed.
enum class SenseSide : std::uint8_t {
    bottom,  ///< behind the last word line
    top,     ///< before word line 0
    both
};

std::string_view to_string(SenseSide side);
/// @throws InvalidInput  naming the accepted words
SenseSide parse_sense_side(std::string_view text);

/// Which polarity the physical bit lines of one array carry.
enum class ColumnPattern : std::uint8_t { all_a, all_b, interleaved };

std::string_view to_string(ColumnPattern pattern);
/// @throws InvalidInput  naming the accepted words
ColumnPattern parse_column_pattern(std::string_view text);

/// Polarity of physical bit line `bit_line`.
Polarity polarity_of(ColumnPattern pattern, Index bit_line);

}  // namespace kirchnet
