#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "circuit/fault.hpp"
#include "circuit/fault_clusters.hpp"
#include "circuit/line_faults.hpp"

namespace kirchnet {

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

/// Independent defects of single cells beside those stuck at HRS or LRS.
struct CellDefectLaw {
    double open_via = 0;            ///< probability per cell
    double open_transistor = 0;     ///< probability per cell
    double shorted_transistor = 0;  ///< probability per cell
    double stuck_at = 0;            ///< probability per cell
    double lowest = 1e-6;           ///< of `stuck_at`, uniform on a logarithmic scale [S]
    double highest = 1e-4;          ///< [S]

    [[nodiscard]] bool is_on() const {
        return open_via > 0 || open_transistor > 0 || shorted_transistor > 0 || stuck_at > 0;
    }
    friend bool operator==(const CellDefectLaw&, const CellDefectLaw&) = default;
};

/// What goes wrong on a chip. Independent stuck-at faults are those of Yuan et al. (ISQED 2021;
/// ratio from Chen et al., IEEE TC 2015).
struct FaultLaw {
    double rate = 0.0;              ///< probability of any fault per cell, 0 to 1
    double stuck_on_per_off = 5.2;  ///< stuck-on : stuck-off

    CellDefectLaw cells = {};
    LineFaultLaw lines = {};
    ClusterLaw clusters = {};

    [[nodiscard]] bool is_on() const {
        return rate > 0 || cells.is_on() || lines.is_on() || clusters.is_on();
    }
    [[nodiscard]] double stuck_off_probability() const { return rate / (1 + stuck_on_per_off); }
    [[nodiscard]] double stuck_on_probability() const { return rate - stuck_off_probability(); }
    friend bool operator==(const FaultLaw&, const FaultLaw&) = default;
};

/// @throws InvalidInput  naming the number that is out of range
void check(const FaultLaw& law);

/// In words: `rate 0.005 per cell, stuck-on : stuck-off = 5.2, open vias 0.001`.
std::string describe(const FaultLaw& law);

/// One chip out of many: the same (seed, trial) gives the same faults on any thread or shard.
struct FaultDraw {
    FaultLaw law = {};
    std::uint64_t seed = 1;
    std::uint32_t trial = 0;
};

/// The fault of one cell by itself: a pure function of (seed, trial, layer, cell). Nested: a cell
/// faulty at rate r has the same fault at every rate above r (u < p_off: stuck off; u >= 1 - p_on:
/// stuck on). Where a cell draws more than one defect, what interrupts it wins, then `stuck_at`,
/// then stuck on or off, then a shorted transistor.
CellFault draw_fault(const FaultDraw& draw, std::string_view layer, const CellIdentity& cell);

/// Faults written down one by one. Cells and wires not listed work.
class FaultMap {
  public:
    struct LayerFaults {
        std::map<CellIdentity, CellFault> cells;
        std::set<LineFault> lines;

        friend bool operator==(const LayerFaults&, const LayerFaults&) = default;
    };

    /// Replaces what was recorded for this cell; `Fault::none` removes it.
    /// @throws InvalidInput  unless a cell is stuck at a finite conductance of at least 0
    void set(std::string_view layer, const CellIdentity& cell, CellFault fault);
    /// @throws InvalidInput  unless a bridge has a finite resistance above 0
    void add(std::string_view layer, const LineFault& fault);
    [[nodiscard]] CellFault at(std::string_view layer, const CellIdentity& cell) const;
    /// Those of one array, in order.
    [[nodiscard]] std::vector<LineFault> lines_of(std::string_view layer,
                                                  const ArrayPlace& place) const;
    [[nodiscard]] const std::map<std::string, LayerFaults, std::less<>>& layers() const {
        return layers_;
    }
    [[nodiscard]] std::size_t cells() const;
    [[nodiscard]] std::size_t lines() const;

    /// Of which array size the defects of wires are, where that is known: places on a chip mean
    /// nothing without it.
    [[nodiscard]] const std::optional<ArrayShape>& array() const { return array_; }
    void set_array(const ArrayShape& array) { array_ = array; }

    friend bool operator==(const FaultMap&, const FaultMap&) = default;

  private:
    std::map<std::string, LayerFaults, std::less<>> layers_;
    std::optional<ArrayShape> array_;
};

/// Where the faults of a chip come from: a law to draw by, or a map.
using FaultSource = std::variant<FaultDraw, FaultMap>;

/// What is wrong with one array.
struct ArrayFaults {
    Eigen::Matrix<CellFault, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> cells;
    std::vector<LineFault> lines;
};

/// @param identity  what the cell at (word line, bit line) means
/// @param wires     as they are meant to be
ArrayFaults faults_of_array(const FaultSource& source, std::string_view layer,
                            const ArrayPlace& place, const ArrayShape& shape, const Wires& wires,
                            const std::function<CellIdentity(Index, Index)>& identity);

}  // namespace kirchnet
