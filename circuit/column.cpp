#include "circuit/column.hpp"

#include <algorithm>

namespace kirchnet {

bool is_kept(const Tile& tile, const Crossbar& array, Index bit_line, std::optional<Index> output) {
    if (!output) return true;
    for (const Polarity side : {Polarity::a, Polarity::b}) {
        if (side == Polarity::b && !tile.has_pairs()) continue;
        const TileColumn column = tile.column(*output, side);
        if (column.bit_line == bit_line && tile.arrays()[column.array].pattern() == array.pattern())
            return true;
    }
    return false;
}

Crossbar column_crossbar(const Tile& tile, const Crossbar& array, Index output) {
    Wires wires = array.wires();
    const ArrayShape shape = array.shape();
    CellMatrix segments(shape.bit_lines, shape.word_lines + (wires.senses_top() ? 1 : 0));
    Eigen::VectorXd senses(shape.bit_lines);
    for (Index c = 0; c < shape.bit_lines; ++c) {
        const bool kept = is_kept(tile, array, c, output);
        senses(c) = kept ? wires.sense(c) : 0;
        for (Index k = 0; k < segments.cols(); ++k)
            segments(c, k) = kept ? wires.bit_line_segment(
                                        c, std::min(k, wires.bit_line_segment.values().cols() - 1))
                                  : 0;
    }
    wires.bit_line_segment = LineResistance(segments);
    wires.sense = LineResistance(senses);
    return {array.intended_conductance(), array.conductance(), array.faults(), wires,
            array.pattern()};
}

}  // namespace kirchnet
