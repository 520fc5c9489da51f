#pragma once

#include <vector>

#include "circuit/device.hpp"
#include "circuit/fault.hpp"
#include "circuit/geometry.hpp"

namespace kirchnet {

/// Resistances along a set of lines [ohm]: one value for all, one per line, or one per segment.
/// Zero merges the two nodes, infinity leaves them unconnected.
class LineResistance {
  public:
    /// One value for every line and segment.
    LineResistance(double uniform = 0.0);  // NOLINT: a plain number is a resistance
    /// @param per_line  [lines]
    explicit LineResistance(const Eigen::VectorXd& per_line);
    /// @param per_segment  [lines × segments]
    explicit LineResistance(CellMatrix per_segment);

    [[nodiscard]] double operator()(Index line, Index segment = 0) const {
        return values_(values_.rows() == 1 ? 0 : line, values_.cols() == 1 ? 0 : segment);
    }
    [[nodiscard]] bool is_uniform() const { return values_.size() == 1; }
    /// Stored values: [1 × 1], [lines × 1] or [lines × segments].
    [[nodiscard]] const CellMatrix& values() const { return values_; }

    friend bool operator==(const LineResistance& x, const LineResistance& y);

  private:
    CellMatrix values_;
};

/// Where two neighbouring lines of one kind touch.
struct Bridge {
    enum class Lines : std::uint8_t { word, bit };

    Lines lines = Lines::word;
    Index word_line = 0;    ///< bridges of word lines lead from here to the next one
    Index bit_line = 0;     ///< bridges of bit lines likewise
    double resistance = 0;  ///< [ohm], finite and above 0

    friend bool operator==(const Bridge&, const Bridge&) = default;
};

/// Wires and terminations of one array [ohm]. A word line hangs on one source, at each driven end
/// by a driver of its own; a bit line ends in one virtual ground, at each sensed end by a read-out
/// input of its own, whose currents add. Ends that are neither are open.
struct Wires {
    /// Left of each cell, [word_lines (× bit_lines)]; where the right end is driven, a further
    /// column may hold what lies right of the last cell, and must where there are end segments.
    LineResistance word_line_segment = 0.0;
    /// Below each cell, [bit_lines (× word_lines)]; where the top is sensed, a further column
    /// holds what lies above word line 0, likewise.
    LineResistance bit_line_segment = 0.0;
    LineResistance driver = 0.0;  ///< each driver of a word line, [word_lines]
    LineResistance sense = 0.0;   ///< each read-out input of a bit line, [bit_lines]
    bool end_segments = true;     ///< false: no segment between a driver and the cell next to it,
                                  ///< nor between a cell and its read-out (as PytorX does)
    DriveSide drive = DriveSide::left;
    SenseSide sense_at = SenseSide::bottom;
    std::vector<Bridge> bridges = {};  ///< between neighbouring lines; in a sound array none

    [[nodiscard]] bool drives_left() const { return drive != DriveSide::right; }
    [[nodiscard]] bool drives_right() const { return drive != DriveSide::left; }
    [[nodiscard]] bool senses_bottom() const { return sense_at != SenseSide::top; }
    [[nodiscard]] bool senses_top() const { return sense_at != SenseSide::bottom; }

    friend bool operator==(const Wires&, const Wires&) = default;
};

/// One physical array: the only input of netlist writer, solvers and inference. A checked value:
/// whatever exists is consistent.
class Crossbar {
  public:
    /// An array whose cells all work.
    /// @param conductance  [S], [word_lines × bit_lines], finite and not negative
    /// @throws InvalidInput  naming the first bad cell, or the resistance whose shape does not fit
    explicit Crossbar(CellMatrix conductance, Wires wires = {},
                      ColumnPattern pattern = ColumnPattern::all_a);

    /// An array some of whose cells are not what was intended.
    /// @param intended  target conductance [S]
    /// @param actual    conductance of the cell as it is [S]
    /// @param faults    why they differ; one that interrupts requires an actual conductance
    ///                  of 0
    Crossbar(CellMatrix intended, CellMatrix actual, FaultMatrix faults, Wires wires,
             ColumnPattern pattern);

    [[nodiscard]] ArrayShape shape() const { return {actual_.rows(), actual_.cols()}; }
    [[nodiscard]] const CellMatrix& conductance() const { return actual_; }
    [[nodiscard]] const CellMatrix& intended_conductance() const { return intended_; }
    [[nodiscard]] const FaultMatrix& faults() const { return faults_; }
    [[nodiscard]] const Wires& wires() const { return wires_; }
    [[nodiscard]] ColumnPattern pattern() const { return pattern_; }
    /// I-V law of every cell; `conductance()` is what it has at 0 V, or where the law says that
    /// its cells were programmed. Ohmic unless set otherwise.
    [[nodiscard]] const CellLaw& law() const { return law_; }
    /// The same array with cells of another law.
    /// @throws InvalidInput  naming the first cell that no cell of this law can be
    [[nodiscard]] Crossbar with_law(CellLaw law) const;

    /// Resistance between word-line node (r, c) and its left neighbour [ohm]; for c = 0 driver and
    /// end segment in series, up to the source, and infinite where the left end is not driven.
    [[nodiscard]] double word_line_resistance(Index r, Index c) const;
    /// Driver and end segment in series, from word line r's last node to its source [ohm];
    /// infinite where the right end is not driven.
    [[nodiscard]] double right_end_resistance(Index r) const;
    /// Resistance between bit-line node (r, c) and the node below [ohm]; for the last word line
    /// end segment and sense resistance in series, down to the virtual ground, and infinite where
    /// the bottom is not sensed.
    [[nodiscard]] double bit_line_resistance(Index r, Index c) const;
    /// End segment and sense resistance in series, from bit line c's first node to its virtual
    /// ground [ohm]; infinite where the top is not sensed.
    [[nodiscard]] double top_end_resistance(Index c) const;

    friend bool operator==(const Crossbar& x, const Crossbar& y);

  private:
    CellMatrix intended_;
    CellMatrix actual_;
    FaultMatrix faults_;
    Wires wires_;
    ColumnPattern pattern_;
    CellLaw law_;
};

}  // namespace kirchnet
