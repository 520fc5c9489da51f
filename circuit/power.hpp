#pragma once

#include <string>
#include <vector>

#include "circuit/linear_readout.hpp"
#include "circuit/operating_point_solver.hpp"
#include "circuit/tile.hpp"

namespace kirchnet {

/// Currents along the lines of one array for one input [A]. Found from cell currents by Kirchhoff's
/// law, so they are known where a segment has 0 ohm too, and keep their digits where the voltages
/// at both ends of a segment agree.
struct LineCurrents {
    CellMatrix cell;             ///< word line to bit line, [word_lines × bit_lines]
    CellMatrix word_line;        ///< left of each cell, towards higher bit lines; likewise
    CellMatrix bit_line;         ///< below each cell, towards higher word lines; likewise
    Eigen::VectorXd right_end;   ///< from the source into the line's right end, [word_lines]
    Eigen::VectorXd top_end;     ///< into the virtual ground above word line 0, [bit_lines]
    std::vector<double> bridge;  ///< of `Wires::bridges`, to the next line
};

/// Cells and lines that are cut off carry 0 A. Where a line without any resistance has terminals at
/// both ends, nothing tells how it shares its current: NaN.
/// @param word_line_voltage  [V], [word_lines × bit_lines], NaN where cut off
/// @param bit_line_voltage   likewise
/// @param inputs             read voltages [V], [word_lines]
LineCurrents line_currents(const Crossbar& crossbar, const CellMatrix& word_line_voltage,
                           const CellMatrix& bit_line_voltage,
                           const Eigen::Ref<const Eigen::VectorXd>& inputs);

/// Where the power that one input's sources deliver to an array ends [W].
struct ArrayPower {
    double delivered = 0;  ///< sum of V_r I_r; equals what is dissipated
    double drivers = 0;
    double word_lines = 0;  ///< wires, end segments and bridges included
    double cells = 0;
    double bit_lines = 0;  ///< wires, end segments and bridges included
    double sense = 0;      ///< read-out inputs

    [[nodiscard]] double dissipated() const {
        return drivers + word_lines + cells + bit_lines + sense;
    }
    ArrayPower& operator+=(const ArrayPower& other);
    friend bool operator==(const ArrayPower&, const ArrayPower&) = default;
};

/// @param word_line_voltage  of each cell [V]; NaN where cut off
/// @param bit_line_voltage   likewise
/// @param inputs             read voltages [V], [word_lines]
/// @param currents           `line_currents` of the same
ArrayPower array_power(const Crossbar& crossbar, const CellMatrix& word_line_voltage,
                       const CellMatrix& bit_line_voltage,
                       const Eigen::Ref<const Eigen::VectorXd>& inputs,
                       const LineCurrents& currents);

/// A wire segment and the current through it.
struct SegmentCurrent {
    std::string name;    ///< `rwl_a_3_0`, as decks call it; empty: no segment carries any
    double current = 0;  ///< magnitude [A]

    friend bool operator==(const SegmentCurrent&, const SegmentCurrent&) = default;
};

/// The word-line segment of largest current; of equal ones the first. The piece at a driven end
/// counts, whatever its resistance, and so do bridges.
SegmentCurrent worst_word_line_segment(const Crossbar& crossbar, const LineCurrents& currents);
/// Likewise of the bit lines.
SegmentCurrent worst_bit_line_segment(const Crossbar& crossbar, const LineCurrents& currents);

/// What amplifiers draw from their supplies, signals or none: output currents included.
struct AmplifierSupply {
    double current = 0;    ///< of each amplifier [A]; 0: not counted
    double voltage = 2.4;  ///< between its rails [V]
    friend bool operator==(const AmplifierSupply&, const AmplifierSupply&) = default;
};

/// @throws InvalidInput  naming the quantity, unless both are finite and not negative
void check(const AmplifierSupply& supply);

/// Where amplifiers behind one tile's arrays use power [W]; it comes from their supplies.
struct ReadoutPower {
    double feedback = 0;    ///< I² R_f of every bit line that is read
    double bridge = 0;      ///< R1..R4 of difference amplifiers, or R_x of current-mode pairs
    double amplifiers = 0;  ///< supply current times supply voltage

    [[nodiscard]] double total() const { return feedback + bridge + amplifiers; }
    ReadoutPower& operator+=(const ReadoutPower& other);
    friend bool operator==(const ReadoutPower&, const ReadoutPower&) = default;
};

/// How many amplifiers read a tile: one per bit line that is read, and a difference amplifier has
/// one of its own per pair.
Index amplifier_count(const Tile& tile, SubtractorKind kind);

/// Resistors of the read-out for one input; amplifiers ideal and without offset, R1..R4 equal, and
/// R_x equal to R_f.
/// @param currents  bit-line currents per array [A], [bit_lines] each
/// @param circuit   with R_f above 0
ReadoutPower resistor_power(const Tile& tile, const std::vector<Eigen::VectorXd>& currents,
                            const SubtractorCircuit& circuit);

}  // namespace kirchnet
