#include <doctest/doctest.h>

#include <limits>

#include "solver/sparsity.hpp"
#include "solver/stamps.hpp"

using namespace kirchnet;

namespace {

CellMatrix cells(std::initializer_list<std::initializer_list<double>> rows) {
    return CellMatrix(rows);
}

}  // namespace

TEST_CASE("a 1 x 2 array gives the pattern and the matrix worked out on paper") {
    // Word line: source -1 ohm- u0 -1/2 ohm- u1; bit lines 1/4 ohm to ground each.
    // Nets u0 u1 w0 w1, cells 3 S and 5 S:
    //     [ 1+2+3  -2    -3    0 ]
    //     [ -2     2+5    0   -5 ]
    //     [ -3     0     3+4   0 ]
    //     [  0    -5      0  5+4 ]
    Wires wires;
    wires.word_line_segment = LineResistance(CellMatrix(cells({{1.0, 0.5}})));
    wires.bit_line_segment = 0.25;
    const Expansion expansion = expand(Crossbar(cells({{3, 5}}), wires));
    const Sparsity sparsity = make_sparsity(expansion);
    CHECK(sparsity.size == 4);
    CHECK(sparsity.column_start == std::vector<std::int32_t>{0, 3, 6, 8, 10});
    CHECK(sparsity.row == std::vector<std::int32_t>{0, 1, 2, 0, 1, 3, 0, 2, 1, 3});
    CHECK(stamp_conductances(expansion, sparsity) ==
          std::vector<double>{6, -2, -3, -2, 7, -5, -3, 7, -5, 9});
    CHECK(conductance_at_nets(expansion) == Eigen::Vector4d(6, 7, 7, 9));
}

TEST_CASE("a cell that does not conduct keeps its entries") {
    Wires wires;
    wires.word_line_segment = 1;
    wires.bit_line_segment = 1;
    const Expansion with = expand(Crossbar(cells({{1, 2}, {3, 4}}), wires));
    const Expansion without = expand(Crossbar(cells({{1, 0}, {3, 4}}), wires));
    CHECK(same_pattern(with, without));
    CHECK(make_sparsity(with).row == make_sparsity(without).row);
}

TEST_CASE("arrays whose wires join or part other nets have another pattern") {
    Wires wires;
    wires.word_line_segment = 1;
    wires.bit_line_segment = 1;
    const CellMatrix G = cells({{1, 2}, {3, 4}});
    const Expansion base = expand(Crossbar(G, wires));
    SUBCASE("a merged line") {
        wires.word_line_segment = 0;
    }
    SUBCASE("an open driver") {
        wires.driver = std::numeric_limits<double>::infinity();
    }
    SUBCASE("one open segment") {
        wires.bit_line_segment = LineResistance(
            CellMatrix(cells({{1, 1}, {std::numeric_limits<double>::infinity(), 1}})));
    }
    CHECK_FALSE(same_pattern(base, expand(Crossbar(G, wires))));
}

TEST_CASE("an array merged into its terminals leaves an empty matrix") {
    const Expansion expansion = expand(Crossbar(cells({{1, 2}, {3, 4}})));
    const Sparsity sparsity = make_sparsity(expansion);
    CHECK(sparsity.size == 0);
    CHECK(sparsity.row.empty());
    CHECK(stamp_conductances(expansion, sparsity).empty());
}
