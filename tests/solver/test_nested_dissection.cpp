#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "random_arrays.hpp"
#include "solver/klu_factorization.hpp"
#include "solver/nested_dissection.hpp"
#include "solver/stamps.hpp"

using namespace kirchnet;

namespace {

bool is_permutation(std::vector<std::int32_t> order, NetIndex size) {
    std::vector<std::int32_t> expected(static_cast<std::size_t>(size));
    std::iota(expected.begin(), expected.end(), 0);
    std::sort(order.begin(), order.end());
    return order == expected;
}

Crossbar plain_array(Index m, Index n) {
    Wires wires;
    wires.word_line_segment = 1;
    wires.bit_line_segment = 1;
    return Crossbar(CellMatrix::Constant(m, n, 1e-4), wires);
}

}  // namespace

TEST_CASE("nested dissection lists every unknown net once, whatever the shape and the merging") {
    test::Dice dice(11);
    for (int trial = 0; trial < 300; ++trial) {
        const Expansion expansion = expand(test::random_array(dice, {.largest = 12}));
        REQUIRE(is_permutation(nested_dissection(expansion), expansion.unknowns));
    }
}

TEST_CASE("the first separator of an 8 x 8 array, eliminated last, is one word-line net a row") {
    const Expansion expansion = expand(plain_array(8, 8));
    const auto order = nested_dissection(expansion);
    for (std::size_t k = 0; k < 8; ++k) {
        const std::int32_t node =
            expansion.first_node[static_cast<std::size_t>(order[order.size() - 1 - k])];
        CHECK(node == static_cast<std::int32_t>(k) * 8 + 4);
    }
}

TEST_CASE("nested dissection fills less than approximate minimum degree at 64 x 64") {
    const Expansion expansion = expand(plain_array(64, 64));
    const Sparsity sparsity = make_sparsity(expansion);
    const auto values = stamp_conductances(expansion, sparsity);
    KluFactorization dissected;
    dissected.analyze(sparsity.column_start, sparsity.row, nested_dissection(expansion));
    REQUIRE_FALSE(dissected.factorize(values));
    KluFactorization minimum_degree;
    minimum_degree.analyze(sparsity.column_start, sparsity.row);
    REQUIRE_FALSE(minimum_degree.factorize(values));
    CHECK(dissected.fill() < minimum_degree.fill());
}
