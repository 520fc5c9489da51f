#pragma once

#include <cstdint>
#include <random>

#include "circuit/crossbar.hpp"

namespace kirchnet::test {

/// Repeatable numbers, the same with every standard library.
class Dice {
  public:
    explicit Dice(std::uint32_t seed) : engine_(seed) {}

    double uniform() { return static_cast<double>(engine_()) / 4294967296.0; }
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    double log_uniform(double low, double high);
    Index integer(Index low, Index high);  // both included
    bool chance(double probability) { return uniform() < probability; }

  private:
    std::mt19937 engine_;
};

/// What a random array may contain beside ordinary cells and wires.
struct Variety {
    Index largest = 7;       ///< word lines and bit lines
    bool open_wires = true;  ///< segments, drivers or sense lines of infinite resistance
    bool zero_resistances = true;
    bool shorts = true;  ///< cells of 1e3 S
};

/// Every shape from 1 x 1, scalar, per-line and per-segment resistances, cells of zero conductance,
/// every combination of driven and sensed ends.
Crossbar random_array(Dice& dice, const Variety& variety = {});

/// Read voltages in [-1, 1] V.
Eigen::MatrixXd random_inputs(Dice& dice, Index word_lines, Index batch);

/// The array seen from its other side: word lines become bit lines. Reciprocity: its transfer
/// matrix is the transpose. Rows and columns are reversed so that drivers and sense lines swap
/// ends: left and bottom, right and top.
Crossbar swapped(const Crossbar& crossbar);

/// The array seen in a mirror: bit lines in reverse order, left and right ends of word lines
/// exchanged. Its transfer matrix has the rows in reverse order.
Crossbar mirrored(const Crossbar& crossbar);

/// The array upside down: word lines in reverse order, tops and bottoms of bit lines exchanged. Its
/// transfer matrix has the columns in reverse order.
Crossbar flipped(const Crossbar& crossbar);

}  // namespace kirchnet::test
