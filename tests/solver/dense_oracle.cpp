// Unknowns: u(r,c), w(r,c), currents i(r,c) into each word-line node from the left, j(r,c) out
// of each bit-line node downwards, e(r) into the last word-line node from the right, and t(c) out
// of the first bit-line node upwards.
//     word-line node:  i(r,c) - i(r,c+1) - g (u - w) = 0,  + e(r) for the last
//     bit-line node:   j(r-1,c) - j(r,c) + g (u - w) = 0,  - t(c) for the first
//     wire:            u_left - u - R i = 0,  or i = 0 when R is infinite
// Bit-line current: j(m-1,c) + t(c).
#include "dense_oracle.hpp"

#include <Eigen/LU>
#include <cmath>
#include <limits>

namespace kirchnet::test {
namespace {

using Wide = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;

struct Tableau {
    Index m;
    Index n;
    Index unknowns = 4 * m * n + m + n;
    Wide matrix = Wide::Zero(unknowns, unknowns);
    Wide right = Wide::Zero(unknowns, m);  // one column per unit source

    [[nodiscard]] Index u(Index r, Index c) const { return r * n + c; }
    [[nodiscard]] Index w(Index r, Index c) const { return m * n + r * n + c; }
    [[nodiscard]] Index i(Index r, Index c) const { return 2 * m * n + r * n + c; }
    [[nodiscard]] Index j(Index r, Index c) const { return 3 * m * n + r * n + c; }
    [[nodiscard]] Index e(Index r) const { return 4 * m * n + r; }
    [[nodiscard]] Index t(Index c) const { return 4 * m * n + m + c; }
};

constexpr double open = std::numeric_limits<double>::infinity();

void add_current_laws(Tableau& t, Index r, Index c, double g) {
    const Index at_word = t.u(r, c);
    const Index at_bit = t.w(r, c);
    t.matrix(at_word, t.i(r, c)) += 1;
    t.matrix(at_word, c + 1 < t.n ? t.i(r, c + 1) : t.e(r)) += c + 1 < t.n ? -1 : 1;
    t.matrix(at_word, t.u(r, c)) -= g;
    t.matrix(at_word, t.w(r, c)) += g;
    t.matrix(at_bit, r > 0 ? t.j(r - 1, c) : t.t(c)) += r > 0 ? 1 : -1;
    t.matrix(at_bit, t.j(r, c)) -= 1;
    t.matrix(at_bit, t.u(r, c)) += g;
    t.matrix(at_bit, t.w(r, c)) -= g;
}

void add_word_wire(Tableau& t, Index r, Index c, double resistance) {
    const Index row = t.i(r, c);
    if (std::isinf(resistance)) {
        t.matrix(row, t.i(r, c)) = 1;
        return;
    }
    if (c > 0)
        t.matrix(row, t.u(r, c - 1)) = 1;
    else
        t.right(row, r) = -1;
    t.matrix(row, t.u(r, c)) = -1;
    t.matrix(row, t.i(r, c)) = -resistance;
}

void add_bit_wire(Tableau& t, Index r, Index c, double resistance) {
    const Index row = t.j(r, c);
    if (std::isinf(resistance)) {
        t.matrix(row, t.j(r, c)) = 1;
        return;
    }
    t.matrix(row, t.w(r, c)) = 1;
    if (r + 1 < t.m) t.matrix(row, t.w(r + 1, c)) = -1;
    t.matrix(row, t.j(r, c)) = -resistance;
}

void add_right_end(Tableau& t, Index r, double resistance) {
    const Index row = t.e(r);
    t.matrix(row, t.e(r)) = std::isinf(resistance) ? 1 : -resistance;
    if (std::isinf(resistance)) return;
    t.matrix(row, t.u(r, t.n - 1)) = -1;
    t.right(row, r) = -1;
}

void add_top_end(Tableau& t, Index c, double resistance) {
    const Index row = t.t(c);
    t.matrix(row, t.t(c)) = std::isinf(resistance) ? 1 : -resistance;
    if (!std::isinf(resistance)) t.matrix(row, t.w(0, c)) = 1;
}

void add_further_ends(Tableau& t, const Wires& wires) {
    const bool right = wires.drive == DriveSide::right || wires.drive == DriveSide::both;
    const bool top = wires.sense_at == SenseSide::top || wires.sense_at == SenseSide::both;
    for (Index r = 0; r < t.m; ++r) {
        const double segment = right && wires.end_segments ? wires.word_line_segment(r, t.n) : 0;
        add_right_end(t, r, right ? wires.driver(r) + segment : open);
    }
    for (Index c = 0; c < t.n; ++c) {
        const double segment = top && wires.end_segments ? wires.bit_line_segment(c, t.m) : 0;
        add_top_end(t, c, top ? wires.sense(c) + segment : open);
    }
}

/// Reads wires from their own fields rather than by `Crossbar::word_line_resistance`.
Tableau write_out(const Crossbar& crossbar) {
    Tableau t{crossbar.shape().word_lines, crossbar.shape().bit_lines};
    const Wires& wires = crossbar.wires();
    for (Index r = 0; r < t.m; ++r)
        for (Index c = 0; c < t.n; ++c) {
            const bool first = c == 0;
            const bool last = r == t.m - 1;
            const double word = !first || wires.end_segments ? wires.word_line_segment(r, c) : 0;
            const double bit = !last || wires.end_segments ? wires.bit_line_segment(c, r) : 0;
            const double driver = wires.drive == DriveSide::right ? open : wires.driver(r);
            const double sense = wires.sense_at == SenseSide::top ? open : wires.sense(c);
            add_current_laws(t, r, c, crossbar.conductance()(r, c));
            add_word_wire(t, r, c, word + (first ? driver : 0));
            add_bit_wire(t, r, c, bit + (last ? sense : 0));
        }
    add_further_ends(t, wires);
    return t;
}

}  // namespace

Eigen::MatrixXd dense_currents(const Crossbar& crossbar, const Eigen::MatrixXd& inputs) {
    const Tableau t = write_out(crossbar);
    const Wide solution =
        Eigen::FullPivLU<Wide>(t.matrix).solve(t.right) * inputs.cast<long double>();
    return (solution.middleRows(t.j(t.m - 1, 0), t.n) + solution.middleRows(t.t(0), t.n))
        .cast<double>();
}

}  // namespace kirchnet::test
