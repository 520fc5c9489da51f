#include "circuit/cell_counter.hpp"

namespace kirchnet {
namespace {

std::uint64_t pack(std::int32_t high, std::int32_t low) {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(high)) << 32) |
           static_cast<std::uint32_t>(low);
}

/// Trial, purpose and kind of cell in one word: 1 and 2 are the faults of weight and padding cells,
/// 3 and 4 their device laws.
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

}  // namespace

std::array<std::uint64_t, 4> cell_counter(std::uint32_t trial, CellPurpose purpose,
                                          const CellIdentity& cell) {
    return std::visit([&](const auto& known) { return counter_of(trial, purpose, known); }, cell);
}

}  // namespace kirchnet
