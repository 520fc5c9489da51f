#include "circuit/cell_counter.hpp"

namespace kirchnet {
namespace {

std::uint64_t pack(std::int32_t high, std::int32_t low) {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(high)) << 32) |
           static_cast<std::uint32_t>(low);
}

/// Trial, purpose and kind of cell in one word: 1 and 2 are the faults of weight and padding cells,
/// 3 and 4 their device laws, and so on; what belongs to arrays counts from `first_of_arrays`.
std::uint64_t first_word(std::uint32_t trial, CellPurpose purpose, bool is_padding) {
    return static_cast<std::uint64_t>(trial) << 32 |
           (2 * static_cast<std::uint64_t>(purpose) + (is_padding ? 2 : 1));
}

std::array<std::uint64_t, 4> counter_of(std::uint32_t trial, CellPurpose purpose,
                                        const CellAddress& cell) {
    const auto kernel = static_cast<std::uint64_t>(cell.kernel_y) << 48 |
                        static_cast<std::uint64_t>(cell.kernel_x) << 32 |
                        static_cast<std::uint64_t>(cell.slice) << 8 |
                        static_cast<std::uint64_t>(cell.polarity);
    return {{first_word(trial, purpose, false), pack(cell.output_channel, cell.input_channel),
             kernel, 0}};
}

std::array<std::uint64_t, 4> counter_of(std::uint32_t trial, CellPurpose purpose,
                                        const PaddingCell& cell) {
    return {
        {first_word(trial, purpose, true), pack(cell.tile_row, cell.tile_column),
         pack(cell.word_line, cell.bit_line),
         static_cast<std::uint64_t>(cell.slice) << 8 | static_cast<std::uint64_t>(cell.polarity)}};
}

constexpr std::uint64_t first_of_arrays = 1U << 16U;

}  // namespace

std::array<std::uint64_t, 4> cell_counter(std::uint32_t trial, CellPurpose purpose,
                                          const CellIdentity& cell) {
    return std::visit([&](const auto& known) { return counter_of(trial, purpose, known); }, cell);
}

std::array<std::uint64_t, 4> array_counter(std::uint32_t trial, ArrayPurpose purpose,
                                           const ArrayPlace& place, Index x, Index y) {
    return {
        {static_cast<std::uint64_t>(trial) << 32 |
             (first_of_arrays + static_cast<std::uint64_t>(purpose)),
         pack(place.tile_row, place.tile_column),
         pack(static_cast<std::int32_t>(x), static_cast<std::int32_t>(y)),
         static_cast<std::uint64_t>(place.slice) << 8 | static_cast<std::uint64_t>(place.array)}};
}

}  // namespace kirchnet
