#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "circuit/geometry.hpp"

namespace kirchnet {

/// A cell's defect, and what the cell as a whole conducts with it.
enum class Fault : std::uint8_t {
    none = 0,
    stuck_off = 1,          ///< its element is held at the high-resistance state (HRS)
    stuck_on = 2,           ///< its element is held at the low-resistance state (LRS)
    open = 3,               ///< nothing, whatever the reason
    stuck_at = 4,           ///< a conductance of its own, which no programming changes
    open_via = 5,           ///< nothing: a via between the cell and one of its lines is missing
    open_transistor = 6,    ///< nothing: its access transistor never turns on
    shorted_transistor = 7  ///< its element as programmed, without the access device
};

inline constexpr std::array all_faults{
    Fault::none,     Fault::stuck_off, Fault::stuck_on,        Fault::open,
    Fault::stuck_at, Fault::open_via,  Fault::open_transistor, Fault::shorted_transistor};

std::string_view to_string(Fault fault);
/// @throws InvalidInput  naming the accepted words
Fault parse_fault(std::string_view text);

/// Whether a cell with this fault conducts nothing, by whatever cause.
constexpr bool interrupts(Fault fault) {
    return fault == Fault::open || fault == Fault::open_via || fault == Fault::open_transistor;
}

using FaultMatrix = Eigen::Matrix<Fault, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A fault of one cell, with the conductance at which it is stuck.
struct CellFault {
    Fault kind = Fault::none;
    double conductance = 0;  ///< of `Fault::stuck_at` [S], of the cell as a whole; otherwise 0

    CellFault() = default;
    CellFault(Fault its_kind, double stuck_at = 0)  // NOLINT: a kind alone is a fault
        : kind(its_kind), conductance(stuck_at) {}
    friend bool operator==(const CellFault&, const CellFault&) = default;
};

}  // namespace kirchnet
