#include "random_arrays.hpp"

#include <cmath>
#include <limits>

namespace kirchnet::test {
namespace {

double random_conductance(Dice& dice, const Variety& variety) {
    if (dice.chance(0.1)) return 0;
    if (variety.shorts && dice.chance(0.04)) return 1e3;
    return dice.log_uniform(1e-6, 1e-3);
}

LineResistance random_resistance(Dice& dice, const Variety& variety, Index lines, Index segments) {
    const double largest = dice.log_uniform(1, 1e4);
    const auto draw = [&] {
        if (variety.open_wires && dice.chance(0.05)) return std::numeric_limits<double>::infinity();
        if (variety.zero_resistances && dice.chance(0.1)) return 0.0;
        return dice.uniform(0.1, 1) * largest;
    };
    const double kind = dice.uniform();
    if (variety.zero_resistances && kind < 0.2) return {0.0};
    if (kind < 0.5) return {dice.uniform(0.1, 1) * largest};
    CellMatrix values(lines, kind < 0.75 ? 1 : segments);
    for (double& value : values.reshaped()) value = draw();
    return LineResistance(std::move(values));
}

/// How many values a line has, if one per segment: the further end's is needed where something
/// connects there by a segment, and may be given where something connects without one.
Index values_per_line(Dice& dice, Index cells, bool further_end, bool end_segments) {
    return cells + (further_end && (end_segments || dice.chance(0.5)) ? 1 : 0);
}

/// The same lines in reverse order.
LineResistance reversed(const LineResistance& resistance) {
    return LineResistance(CellMatrix(resistance.values().colwise().reverse()));
}

/// For `swapped`: lines in reverse order; segments too, but that of the further end stays last.
LineResistance turned(const LineResistance& resistance, Index cells) {
    CellMatrix values = resistance.values().colwise().reverse();
    if (values.cols() >= cells) values.leftCols(cells).rowwise().reverseInPlace();
    return LineResistance(std::move(values));
}

bool is_per_segment(const CellMatrix& values, Index cells) {
    return values.cols() > 1 && values.cols() >= cells;
}

/// [lines x cells + 1], whether or not the further end's segments are stored.
CellMatrix with_further_end(const CellMatrix& stored, Index cells) {
    CellMatrix values = CellMatrix::Zero(stored.rows(), cells + 1);
    values.leftCols(stored.cols()) = stored;
    return values;
}

/// Segments of word lines end for end: left of cell k comes to be right of it.
LineResistance end_for_end(const LineResistance& resistance, Index cells, bool drives_right) {
    if (!is_per_segment(resistance.values(), cells)) return resistance;
    CellMatrix values = with_further_end(resistance.values(), cells);
    values.rowwise().reverseInPlace();
    return LineResistance(CellMatrix(values.leftCols(cells + (drives_right ? 1 : 0))));
}

/// Segments of bit lines upside down. From top to bottom they are numbers `cells`, 0, 1, ...
LineResistance upside_down(const LineResistance& resistance, Index cells, bool senses_top) {
    if (!is_per_segment(resistance.values(), cells)) return resistance;
    CellMatrix values = with_further_end(resistance.values(), cells);
    values.leftCols(cells - 1).rowwise().reverseInPlace();
    values.col(cells - 1).swap(values.col(cells));
    return LineResistance(CellMatrix(values.leftCols(cells + (senses_top ? 1 : 0))));
}

DriveSide opposite(DriveSide side) {
    if (side == DriveSide::both) return side;
    return side == DriveSide::left ? DriveSide::right : DriveSide::left;
}

SenseSide opposite(SenseSide side) {
    if (side == SenseSide::both) return side;
    return side == SenseSide::bottom ? SenseSide::top : SenseSide::bottom;
}

}  // namespace

double Dice::log_uniform(double low, double high) {
    return low * std::pow(high / low, uniform());
}

Index Dice::integer(Index low, Index high) {
    return low + static_cast<Index>(uniform() * static_cast<double>(high - low + 1));
}

Crossbar random_array(Dice& dice, const Variety& variety) {
    const Index m = dice.chance(0.2) ? 1 : dice.integer(1, variety.largest);
    const Index n = dice.chance(0.2) ? 1 : dice.integer(1, variety.largest);
    CellMatrix conductance(m, n);
    for (double& g : conductance.reshaped()) g = random_conductance(dice, variety);
    Wires wires;
    wires.drive = DriveSide(dice.integer(0, 2));
    wires.sense_at = SenseSide(dice.integer(0, 2));
    wires.end_segments = dice.chance(0.7);
    wires.word_line_segment = random_resistance(
        dice, variety, m, values_per_line(dice, n, wires.drives_right(), wires.end_segments));
    wires.bit_line_segment = random_resistance(
        dice, variety, n, values_per_line(dice, m, wires.senses_top(), wires.end_segments));
    wires.driver = random_resistance(dice, variety, m, 1);
    wires.sense = random_resistance(dice, variety, n, 1);
    const auto pattern = dice.chance(0.5) ? ColumnPattern::all_a : ColumnPattern::interleaved;
    return Crossbar(std::move(conductance), std::move(wires), pattern);
}

Eigen::MatrixXd random_inputs(Dice& dice, Index word_lines, Index batch) {
    Eigen::MatrixXd inputs(word_lines, batch);
    for (double& v : inputs.reshaped()) v = dice.uniform(-1, 1);
    return inputs;
}

Crossbar swapped(const Crossbar& crossbar) {
    const Wires& from = crossbar.wires();
    Wires wires;
    wires.word_line_segment = turned(from.bit_line_segment, crossbar.shape().word_lines);
    wires.bit_line_segment = turned(from.word_line_segment, crossbar.shape().bit_lines);
    wires.driver = reversed(from.sense);
    wires.sense = reversed(from.driver);
    wires.end_segments = from.end_segments;
    wires.drive = from.sense_at == SenseSide::bottom ? DriveSide::left
                  : from.sense_at == SenseSide::top  ? DriveSide::right
                                                     : DriveSide::both;
    wires.sense_at = from.drive == DriveSide::left    ? SenseSide::bottom
                     : from.drive == DriveSide::right ? SenseSide::top
                                                      : SenseSide::both;
    return Crossbar(CellMatrix(crossbar.conductance().transpose().reverse()), wires);
}

Crossbar mirrored(const Crossbar& crossbar) {
    Wires wires = crossbar.wires();
    wires.drive = opposite(wires.drive);
    wires.word_line_segment =
        end_for_end(wires.word_line_segment, crossbar.shape().bit_lines, wires.drives_right());
    wires.bit_line_segment = reversed(wires.bit_line_segment);
    wires.sense = reversed(wires.sense);
    return Crossbar(CellMatrix(crossbar.conductance().rowwise().reverse()), wires);
}

Crossbar flipped(const Crossbar& crossbar) {
    Wires wires = crossbar.wires();
    wires.sense_at = opposite(wires.sense_at);
    wires.bit_line_segment =
        upside_down(wires.bit_line_segment, crossbar.shape().word_lines, wires.senses_top());
    wires.word_line_segment = reversed(wires.word_line_segment);
    wires.driver = reversed(wires.driver);
    return Crossbar(CellMatrix(crossbar.conductance().colwise().reverse()), wires);
}

}  // namespace kirchnet::test
