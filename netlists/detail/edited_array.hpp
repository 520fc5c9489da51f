#pragma once

#include <optional>
#include <string_view>

#include "circuit/crossbar.hpp"
#include "circuit/names.hpp"

namespace kirchnet::detail {

/// What a wire of a deck is called: `rwl_a_3_7`, `rdrv_ab_3_r`, `rsense_a_t_3`.
struct WireName {
    std::string_view kind;  ///< rwl, rbl, rdrv, rsense, rwlbridge or rblbridge
    std::string_view letters;
    std::string_view first;
    std::string_view second;  ///< empty: there is none
};

/// Nothing where `name` is no wire's.
std::optional<WireName> parse_wire(std::string_view name);

/// Where two nets of a deck are neighbouring nodes of one kind of line.
struct Neighbours {
    std::string_view letters;
    Bridge::Lines lines;
    Index word_line;  ///< of the lower node
    Index bit_line;
};

/// `wl_a_3_7` and `wl_a_4_7`, in either order; nothing for other nets.
std::optional<Neighbours> parse_neighbours(std::string_view x, std::string_view y);

/// One array of a tile whose wires are given segment by segment, so that each may change.
class EditedArray {
  public:
    explicit EditedArray(const Crossbar& array);

    [[nodiscard]] bool has_letters(std::string_view letters) const {
        return array_letters(pattern_).find(letters) != std::string_view::npos;
    }

    void set_cell(const CellPosition& at, double conductance);
    /// @param ohm      infinite: open
    /// @param is_flat  the first and last resistor of a line holds driver or sense resistance too
    /// @return  false where this array has no such wire
    bool set_wire(const WireName& wire, double ohm, bool is_flat);
    /// @return  false where lines are bridged already or have no such neighbour, or keep no
    ///          resistance
    bool add_bridge(const Neighbours& where, double ohm);
    [[nodiscard]] Crossbar finish() const;

  private:
    bool set_bridge(Bridge::Lines lines, Index r, Index c, double ohm);
    bool set_segment(CellMatrix& all, const LineResistance& given, const LineResistance& end,
                     Index lines, Index segments, Index line, Index segment, bool holds_end,
                     double ohm);

    CellMatrix intended_;
    CellMatrix actual_;
    FaultMatrix faults_;
    Wires wires_;
    ColumnPattern pattern_;
    CellMatrix word_lines_;
    CellMatrix bit_lines_;
    Eigen::VectorXd drivers_;
    Eigen::VectorXd senses_;
};

}  // namespace kirchnet::detail
