// Tellegen: sum over sources of V_r I_r = sum over resistances of R I², plus sum over cells of
// I(v) v, for any voltages that satisfy Kirchhoff's laws.
#include "circuit/power.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "circuit/elements.hpp"
#include "circuit/error.hpp"

namespace kirchnet {
namespace {

constexpr double open = std::numeric_limits<double>::infinity();

/// A line of nodes from each of which a cell takes current. Piece k leads from node k - 1 to node
/// k; the first and the last piece lead to the terminals.
struct Line {
    Eigen::VectorXd resistance;  ///< [nodes + 1]
    Eigen::VectorXd voltage;     ///< of terminal, nodes, terminal: [nodes + 2]
    Eigen::VectorXd taken;       ///< [nodes] [A]
};

/// The piece whose current is known best without Kirchhoff's law: an open one, else the one over
/// which most voltage falls; nothing where no piece has any resistance.
Index best_known_piece(const Line& line) {
    Index best = -1;
    double largest = -1;
    for (Index k = 0; k < line.resistance.size(); ++k) {
        if (line.resistance(k) == open) return k;
        if (line.resistance(k) == 0) continue;
        const double drop = std::abs(line.voltage(k) - line.voltage(k + 1));
        if (drop <= largest) continue;
        largest = drop;
        best = k;
    }
    return best;
}

/// Current of every piece, towards higher nodes.
Eigen::VectorXd piece_currents(const Line& line) {
    const Index pieces = line.resistance.size();
    const Index known = best_known_piece(line);
    if (known < 0)
        return Eigen::VectorXd::Constant(pieces, std::numeric_limits<double>::quiet_NaN());
    Eigen::VectorXd current(pieces);
    current(known) = line.resistance(known) == open
                         ? 0
                         : (line.voltage(known) - line.voltage(known + 1)) / line.resistance(known);
    for (Index k = known; k > 0; --k) current(k - 1) = current(k) + line.taken(k - 1);
    for (Index k = known; k + 1 < pieces; ++k) current(k + 1) = current(k) - line.taken(k);
    return current;
}

Eigen::VectorXd currents_of(const Line& line) {
    Eigen::VectorXd current = piece_currents(line);
    // Where a line has several open pieces, sums leave rounding in all but one.
    for (Index k = 0; k < current.size(); ++k)
        if (line.resistance(k) == open) current(k) = 0;
    return current;
}

CellMatrix cell_currents(const Crossbar& crossbar, const CellMatrix& word, const CellMatrix& bit) {
    CellMatrix current(word.rows(), word.cols());
    for (Index r = 0; r < word.rows(); ++r)
        for (Index c = 0; c < word.cols(); ++c) {
            const double drop = word(r, c) - bit(r, c);
            current(r, c) =
                std::isnan(drop) ? 0 : crossbar.law().current(crossbar.conductance()(r, c), drop);
        }
    return current;
}

std::vector<double> bridge_currents(const Wires& wires, const CellMatrix& word,
                                    const CellMatrix& bit) {
    std::vector<double> currents;
    for (const Bridge& bridge : wires.bridges) {
        const Index r = bridge.word_line;
        const Index c = bridge.bit_line;
        const double drop = bridge.lines == Bridge::Lines::word ? word(r, c) - word(r + 1, c)
                                                                : bit(r, c) - bit(r, c + 1);
        currents.push_back(std::isnan(drop) ? 0 : drop / bridge.resistance);
    }
    return currents;
}

/// What lines lose at their nodes: cell currents of word lines, none of bit lines, and what
/// bridges of these lines carry away.
CellMatrix add_bridges(CellMatrix taken, const Wires& wires, Bridge::Lines lines,
                       const std::vector<double>& current) {
    for (std::size_t i = 0; i < wires.bridges.size(); ++i) {
        const Bridge& bridge = wires.bridges[i];
        if (bridge.lines != lines) continue;
        const bool is_word = lines == Bridge::Lines::word;
        taken(bridge.word_line, bridge.bit_line) += current[i];
        taken(bridge.word_line + (is_word ? 1 : 0), bridge.bit_line + (is_word ? 0 : 1)) -=
            current[i];
    }
    return taken;
}

/// Voltages that are no numbers are of nodes without current: any value does.
Eigen::VectorXd known(Eigen::VectorXd voltage) {
    return voltage.unaryExpr([](double v) { return std::isnan(v) ? 0.0 : v; });
}

Line word_line(const Crossbar& crossbar, Index r, const CellMatrix& voltage, double input,
               const CellMatrix& taken) {
    const Index n = voltage.cols();
    Line line{Eigen::VectorXd(n + 1), Eigen::VectorXd(n + 2), taken.row(r).transpose()};
    for (Index c = 0; c < n; ++c) line.resistance(c) = crossbar.word_line_resistance(r, c);
    line.resistance(n) = crossbar.right_end_resistance(r);
    line.voltage << input, known(voltage.row(r).transpose()), input;
    return line;
}

Line bit_line(const Crossbar& crossbar, Index c, const CellMatrix& voltage,
              const CellMatrix& taken) {
    const Index m = voltage.rows();
    Line line{Eigen::VectorXd(m + 1), Eigen::VectorXd(m + 2), taken.col(c)};
    line.resistance(0) = crossbar.top_end_resistance(c);
    for (Index r = 0; r < m; ++r) line.resistance(r + 1) = crossbar.bit_line_resistance(r, c);
    line.voltage << 0, known(voltage.col(c)), 0;
    return line;
}

/// R I², of what carries no current 0, whatever R is.
double heat(double resistance, double current) {
    return current == 0 || std::isnan(current) ? 0 : resistance * current * current;
}

/// Of an end: its termination, and the segment in series with it.
void add_end(double termination, double segment, double current, double& terminations,
             double& wires) {
    terminations += heat(termination, current);
    wires += heat(segment, current);
}

void add_word_lines(const Crossbar& crossbar, const LineCurrents& currents, ArrayPower& power) {
    const Wires& wires = crossbar.wires();
    const auto [m, n] = crossbar.shape();
    const auto end = [&](Index r, Index c) {
        return wires.end_segments ? wires.word_line_segment(r, c) : 0.0;
    };
    for (Index r = 0; r < m; ++r) {
        if (wires.drives_left())
            add_end(wires.driver(r), end(r, 0), currents.word_line(r, 0), power.drivers,
                    power.word_lines);
        for (Index c = 1; c < n; ++c)
            power.word_lines += heat(wires.word_line_segment(r, c), currents.word_line(r, c));
        if (wires.drives_right())
            add_end(wires.driver(r), end(r, n), currents.right_end(r), power.drivers,
                    power.word_lines);
    }
}

void add_bit_lines(const Crossbar& crossbar, const LineCurrents& currents, ArrayPower& power) {
    const Wires& wires = crossbar.wires();
    const auto [m, n] = crossbar.shape();
    const auto end = [&](Index c, Index r) {
        return wires.end_segments ? wires.bit_line_segment(c, r) : 0.0;
    };
    for (Index c = 0; c < n; ++c) {
        if (wires.senses_top())
            add_end(wires.sense(c), end(c, m), currents.top_end(c), power.sense, power.bit_lines);
        for (Index r = 0; r + 1 < m; ++r)
            power.bit_lines += heat(wires.bit_line_segment(c, r), currents.bit_line(r, c));
        if (wires.senses_bottom())
            add_end(wires.sense(c), end(c, m - 1), currents.bit_line(m - 1, c), power.sense,
                    power.bit_lines);
    }
}

void add_bridges(const Wires& wires, const LineCurrents& currents, ArrayPower& power) {
    for (std::size_t i = 0; i < wires.bridges.size(); ++i) {
        const bool is_word = wires.bridges[i].lines == Bridge::Lines::word;
        (is_word ? power.word_lines : power.bit_lines) +=
            heat(wires.bridges[i].resistance, currents.bridge[i]);
    }
}

/// R1 = R2 = R3 = R4 between amplifiers' outputs. Both inputs of the difference amplifier are at
/// a / 2: R3 and R4 carry that, R1 b - a / 2, and R2 as much, since its other end is at a - b.
double bridge_power(double a, double b, double resistance) {
    const double difference = b - a / 2;
    return (a * a / 2 + 2 * difference * difference) / resistance;
}

/// The largest so far of segments visited one after the other.
class Worst {
  public:
    explicit Worst(ColumnPattern pattern) : pattern_(pattern) {}
    void visit_bridges(const Wires& wires, Bridge::Lines lines,
                       const std::vector<double>& current) {
        const bool is_word = lines == Bridge::Lines::word;
        for (std::size_t i = 0; i < current.size(); ++i)
            if (wires.bridges[i].lines == lines)
                visit(is_word ? ElementKind::word_line_bridge : ElementKind::bit_line_bridge,
                      wires.bridges[i].word_line, wires.bridges[i].bit_line, current[i]);
    }
    void visit(ElementKind kind, Index r, Index c, double current) {
        if (!(std::abs(current) > largest_.current)) return;
        largest_ = {element_name(pattern_, kind, r, c), std::abs(current)};
    }
    [[nodiscard]] SegmentCurrent result() const { return largest_; }

  private:
    ColumnPattern pattern_;
    SegmentCurrent largest_;
};

}  // namespace

LineCurrents line_currents(const Crossbar& crossbar, const CellMatrix& word_line_voltage,
                           const CellMatrix& bit_line_voltage,
                           const Eigen::Ref<const Eigen::VectorXd>& inputs) {
    const auto [m, n] = crossbar.shape();
    LineCurrents currents{cell_currents(crossbar, word_line_voltage, bit_line_voltage),
                          CellMatrix(m, n),
                          CellMatrix(m, n),
                          Eigen::VectorXd(m),
                          Eigen::VectorXd(n),
                          bridge_currents(crossbar.wires(), word_line_voltage, bit_line_voltage)};
    const CellMatrix of_word_lines =
        add_bridges(currents.cell, crossbar.wires(), Bridge::Lines::word, currents.bridge);
    const CellMatrix of_bit_lines =
        add_bridges(-currents.cell, crossbar.wires(), Bridge::Lines::bit, currents.bridge);
    for (Index r = 0; r < m; ++r) {
        const Eigen::VectorXd pieces =
            currents_of(word_line(crossbar, r, word_line_voltage, inputs(r), of_word_lines));
        currents.word_line.row(r) = pieces.head(n).transpose();
        currents.right_end(r) = -pieces(n);
    }
    for (Index c = 0; c < n; ++c) {
        const Eigen::VectorXd pieces =
            currents_of(bit_line(crossbar, c, bit_line_voltage, of_bit_lines));
        currents.top_end(c) = -pieces(0);
        currents.bit_line.col(c) = pieces.tail(m);
    }
    return currents;
}

ArrayPower& ArrayPower::operator+=(const ArrayPower& other) {
    delivered += other.delivered;
    drivers += other.drivers;
    word_lines += other.word_lines;
    cells += other.cells;
    bit_lines += other.bit_lines;
    sense += other.sense;
    return *this;
}

ArrayPower array_power(const Crossbar& crossbar, const CellMatrix& word_line_voltage,
                       const CellMatrix& bit_line_voltage,
                       const Eigen::Ref<const Eigen::VectorXd>& inputs,
                       const LineCurrents& currents) {
    ArrayPower power;
    // A source's current is what cells and bridges of its line take, at whichever ends it comes in.
    const CellMatrix taken =
        add_bridges(currents.cell, crossbar.wires(), Bridge::Lines::word, currents.bridge);
    power.delivered = inputs.dot(taken.rowwise().sum());
    for (Index r = 0; r < currents.cell.rows(); ++r)
        for (Index c = 0; c < currents.cell.cols(); ++c)
            if (const double current = currents.cell(r, c); current != 0)
                power.cells += current * (word_line_voltage(r, c) - bit_line_voltage(r, c));
    add_word_lines(crossbar, currents, power);
    add_bit_lines(crossbar, currents, power);
    add_bridges(crossbar.wires(), currents, power);
    return power;
}

SegmentCurrent worst_word_line_segment(const Crossbar& crossbar, const LineCurrents& currents) {
    const auto [m, n] = crossbar.shape();
    Worst worst(crossbar.pattern());
    for (Index r = 0; r < m; ++r) {
        for (Index c = 0; c < n; ++c)
            worst.visit(ElementKind::word_line_segment, r, c, currents.word_line(r, c));
        worst.visit(ElementKind::right_end, r, n - 1, currents.right_end(r));
    }
    worst.visit_bridges(crossbar.wires(), Bridge::Lines::word, currents.bridge);
    return worst.result();
}

SegmentCurrent worst_bit_line_segment(const Crossbar& crossbar, const LineCurrents& currents) {
    const auto [m, n] = crossbar.shape();
    Worst worst(crossbar.pattern());
    for (Index c = 0; c < n; ++c) {
        worst.visit(ElementKind::top_end, 0, c, currents.top_end(c));
        for (Index r = 0; r < m; ++r)
            worst.visit(ElementKind::bit_line_segment, r, c, currents.bit_line(r, c));
    }
    worst.visit_bridges(crossbar.wires(), Bridge::Lines::bit, currents.bridge);
    return worst.result();
}

void check(const AmplifierSupply& supply) {
    const auto require = [](double value, const char* what, const char* unit) {
        if (!std::isfinite(value) || value < 0)
            throw InvalidInput(
                what, fmt::format("{} {} is not a finite number of at least 0", value, unit));
    };
    require(supply.current, "amplifier supply current", "A");
    require(supply.voltage, "amplifier supply voltage", "V");
}

ReadoutPower& ReadoutPower::operator+=(const ReadoutPower& other) {
    feedback += other.feedback;
    bridge += other.bridge;
    amplifiers += other.amplifiers;
    return *this;
}

Index amplifier_count(const Tile& tile, SubtractorKind kind) {
    const Index inputs = tile.read_bit_lines() * static_cast<Index>(tile.arrays().size());
    const bool has_more = tile.has_subtractors() && kind == SubtractorKind::difference;
    return inputs + (has_more ? tile.outputs() : 0);
}

ReadoutPower resistor_power(const Tile& tile, const std::vector<Eigen::VectorXd>& currents,
                            const SubtractorCircuit& circuit) {
    const double feedback = circuit.feedback_resistance;
    ReadoutPower power;
    for (const Eigen::VectorXd& current : currents)
        power.feedback += feedback * current.head(tile.read_bit_lines()).squaredNorm();
    if (!tile.has_subtractors()) return power;
    const auto current_of = [&](Index output, Polarity side) {
        const TileColumn column = tile.column(output, side);
        return currents[column.array](column.bit_line);
    };
    for (Index output = 0; output < tile.outputs(); ++output) {
        const double a = current_of(output, Polarity::a);
        const double b = current_of(output, Polarity::b);
        if (circuit.kind == SubtractorKind::difference) {
            power.bridge += bridge_power(-feedback * a, -feedback * b, circuit.bridge_resistance);
        } else {
            // -R_f I_a drives R_x = R_f, whose current the second R_f takes from I_b.
            power.bridge += feedback * a * a;
            power.feedback += feedback * ((b - a) * (b - a) - b * b);
        }
    }
    return power;
}

}  // namespace kirchnet
