// Unknowns: u(r,c), w(r,c), currents i(r,c) into each word-line node from the left and j(r,c) out
// of each bit-line node downwards.
//     word-line node:  i(r,c) - i(r,c+1) - g (u - w) = 0
//     bit-line node:   j(r-1,c) - j(r,c) + g (u - w) = 0
//     wire:            u_left - u - R i = 0,  or i = 0 when R is infinite
#include "dense_oracle.hpp"

#include <Eigen/LU>
#include <cmath>

namespace kirchnet::test {
namespace {

using Wide = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;

struct Tableau {
    Index m;
    Index n;
    Wide matrix = Wide::Zero(4 * m * n, 4 * m * n);
    Wide right = Wide::Zero(4 * m * n, m);  // one column per unit source

    [[nodiscard]] Index u(Index r, Index c) const { return r * n + c; }
    [[nodiscard]] Index w(Index r, Index c) const { return m * n + r * n + c; }
    [[nodiscard]] Index i(Index r, Index c) const { return 2 * m * n + r * n + c; }
    [[nodiscard]] Index j(Index r, Index c) const { return 3 * m * n + r * n + c; }
};

void add_current_laws(Tableau& t, Index r, Index c, double g) {
    const Index at_word = t.u(r, c);
    const Index at_bit = t.w(r, c);
    t.matrix(at_word, t.i(r, c)) += 1;
    if (c + 1 < t.n) t.matrix(at_word, t.i(r, c + 1)) -= 1;
    t.matrix(at_word, t.u(r, c)) -= g;
    t.matrix(at_word, t.w(r, c)) += g;
    if (r > 0) t.matrix(at_bit, t.j(r - 1, c)) += 1;
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
            add_current_laws(t, r, c, crossbar.conductance()(r, c));
            add_word_wire(t, r, c, word + (first ? wires.driver(r) : 0));
            add_bit_wire(t, r, c, bit + (last ? wires.sense(c) : 0));
        }
    return t;
}

}  // namespace

Eigen::MatrixXd dense_currents(const Crossbar& crossbar, const Eigen::MatrixXd& inputs) {
    const Tableau t = write_out(crossbar);
    const Wide solution =
        Eigen::FullPivLU<Wide>(t.matrix).solve(t.right) * inputs.cast<long double>();
    return solution.bottomRows(t.n).cast<double>();
}

}  // namespace kirchnet::test
