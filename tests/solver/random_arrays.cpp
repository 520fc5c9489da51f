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

/// Resistances of the same lines with segment k at the place of segment (segments - 1 - k).
LineResistance reversed(const LineResistance& resistance) {
    return LineResistance(CellMatrix(resistance.values().reverse()));
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
    wires.word_line_segment = random_resistance(dice, variety, m, n);
    wires.bit_line_segment = random_resistance(dice, variety, n, m);
    wires.driver = random_resistance(dice, variety, m, 1);
    wires.sense = random_resistance(dice, variety, n, 1);
    wires.end_segments = dice.chance(0.7);
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
    wires.word_line_segment = reversed(from.bit_line_segment);
    wires.bit_line_segment = reversed(from.word_line_segment);
    wires.driver = reversed(from.sense);
    wires.sense = reversed(from.driver);
    wires.end_segments = from.end_segments;
    return Crossbar(CellMatrix(crossbar.conductance().transpose().reverse()), wires);
}

}  // namespace kirchnet::test
