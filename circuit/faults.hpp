#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "circuit/geometry.hpp"

namespace kirchnet {

/// A cell's defect. Stuck-off: held at the high-resistance state (HRS); stuck-on: held at the
/// low-resistance state (LRS); open: no connection at all.
enum class Fault : std::uint8_t { none = 0, stuck_off = 1, stuck_on = 2, open = 3 };

std::string_view to_string(Fault fault);
/// @throws InvalidInput  naming the accepted words
Fault parse_fault(std::string_view text);

using FaultMatrix = Eigen::Matrix<Fault, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Which part of which weight a cell holds, independent of array size, layout and mapping.
struct CellAddress {
    std::int32_t output_channel = 0;
    std::int32_t input_channel = 0;
    std::int32_t kernel_y = 0;
    std::int32_t kernel_x = 0;
    std::int32_t slice = 0;
    Polarity polarity = Polarity::a;

    friend auto operator<=>(const CellAddress&, const CellAddress&) = default;
};

/// A cell that holds no weight, known by where it sits on the chip.
struct PaddingCell {
    std::int32_t tile_row = 0;
    std::int32_t tile_column = 0;
    std::int32_t word_line = 0;
    std::int32_t bit_line = 0;
    Polarity polarity = Polarity::a;
    std::int32_t slice = 0;

    friend auto operator<=>(const PaddingCell&, const PaddingCell&) = default;
};

using CellIdentity = std::variant<CellAddress, PaddingCell>;

/// Independent stuck-at faults (Yuan et al., ISQED 2021; ratio from Chen et al., IEEE TC 2015).
struct FaultLaw {
    double rate = 0.0;              ///< probability of any fault per cell, 0 to 1
    double stuck_on_per_off = 5.2;  ///< stuck-on : stuck-off

    [[nodiscard]] double stuck_off_probability() const { return rate / (1 + stuck_on_per_off); }
    [[nodiscard]] double stuck_on_probability() const { return rate - stuck_off_probability(); }
    friend bool operator==(const FaultLaw&, const FaultLaw&) = default;
};

/// @throws InvalidInput  unless rate is in [0, 1] and the ratio is finite and not negative
void check(const FaultLaw& law);

/// One chip out of many: the same (seed, trial) gives the same faults on any thread or shard.
struct FaultDraw {
    FaultLaw law = {};
    std::uint64_t seed = 1;
    std::uint32_t trial = 0;
};

/// The fault of one cell: a pure function of (seed, trial, layer, cell). Nested: a cell faulty at
/// rate r has the same fault at every rate above r (u < p_off: stuck off; u >= 1 - p_on: stuck on).
Fault draw_fault(const FaultDraw& draw, std::string_view layer, const CellIdentity& cell);

/// Faults written down cell by cell. Cells not listed work.
class FaultMap {
  public:
    using LayerFaults = std::map<CellIdentity, Fault>;

    /// Replaces what was recorded for this cell; `Fault::none` removes it.
    void set(std::string_view layer, const CellIdentity& cell, Fault fault);
    [[nodiscard]] Fault at(std::string_view layer, const CellIdentity& cell) const;
    [[nodiscard]] const std::map<std::string, LayerFaults, std::less<>>& layers() const {
        return layers_;
    }
    [[nodiscard]] std::size_t size() const;

    friend bool operator==(const FaultMap&, const FaultMap&) = default;

  private:
    std::map<std::string, LayerFaults, std::less<>> layers_;
};

/// Where the faults of a chip come from: a law to draw by, or a map.
using FaultSource = std::variant<FaultDraw, FaultMap>;

Fault fault_of(const FaultSource& source, std::string_view layer, const CellIdentity& cell);

}  // namespace kirchnet
