#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <utility>

#include "circuit/error.hpp"
#include "circuit/fault_clusters.hpp"
#include "circuit/faults.hpp"

using namespace kirchnet;

namespace {

using Cells = std::set<std::pair<Index, Index>>;

Cells hit(const FaultMatrix& faults) {
    Cells cells;
    for (Index r = 0; r < faults.rows(); ++r)
        for (Index c = 0; c < faults.cols(); ++c)
            if (faults(r, c) != Fault::none) cells.emplace(r, c);
    return cells;
}

Cells draw(const ClusterLaw& law, const ArrayShape& shape, std::uint32_t trial,
           double on_per_off = 1) {
    return hit(draw_clusters(law, on_per_off, 5, trial, "conv", {1, 2, 0, Polarity::b}, shape));
}

/// The first trial in which exactly one cluster, of so many cells, lies well within the array.
Cells one_cluster(ClusterShape shape, int size, std::size_t count) {
    const ClusterLaw law{.per_array = 0.5, .shape = shape, .size = size, .density = 1};
    for (std::uint32_t trial = 0; trial < 1000; ++trial) {
        const Cells cells = draw(law, {40, 40}, trial);
        if (cells.empty()) continue;
        const auto inside = [](const auto& cell) {
            return cell.first > 0 && cell.first < 39 && cell.second > 0 && cell.second < 39;
        };
        bool is_inside = true;
        for (const auto& cell : cells) is_inside = is_inside && inside(cell);
        if (is_inside && cells.size() == count) return cells;
    }
    FAIL("no cluster inside the array in 1000 trials");
    return {};
}

std::pair<Index, Index> extent(const Cells& cells) {
    Index r0 = 1000, r1 = -1, c0 = 1000, c1 = -1;
    for (const auto& [r, c] : cells) {
        r0 = std::min(r0, r);
        r1 = std::max(r1, r);
        c0 = std::min(c0, c);
        c1 = std::max(c1, c);
    }
    return {r1 - r0 + 1, c1 - c0 + 1};
}

}  // namespace

TEST_CASE("clusters have the shape that was asked for") {
    CHECK(extent(one_cluster(ClusterShape::block, 4, 16)) == std::pair<Index, Index>{4, 4});
    CHECK(extent(one_cluster(ClusterShape::word_line, 5, 5)) == std::pair<Index, Index>{1, 5});
    CHECK(extent(one_cluster(ClusterShape::bit_line, 5, 5)) == std::pair<Index, Index>{5, 1});
    // Distances within 1/2 of 3: (0, 3), (1, 3), (2, 2) and their reflections; sqrt(10) = 3.16,
    // sqrt(8) = 2.83.
    CHECK(extent(one_cluster(ClusterShape::ring, 3, 4 + 8 + 4)) == std::pair<Index, Index>{7, 7});
}

TEST_CASE("a line of size 0 is the whole line") {
    const ClusterLaw law{.per_array = 1, .shape = ClusterShape::word_line, .size = 0, .density = 1};
    std::size_t lines = 0;
    for (std::uint32_t trial = 0; trial < 50; ++trial) {
        const Cells cells = draw(law, {6, 9}, trial);
        CHECK(cells.size() % 9 == 0);
        lines += cells.size() / 9;
    }
    CHECK(lines > 20);
}

TEST_CASE("the number of clusters is Poisson-distributed") {
    // A cluster of one cell in a large array: cells are clusters, but for rare coincidences.
    const ClusterLaw law{.per_array = 3, .shape = ClusterShape::block, .size = 1, .density = 1};
    constexpr int arrays = 4000;
    double sum = 0;
    double squares = 0;
    int none = 0;
    for (int trial = 0; trial < arrays; ++trial) {
        const auto clusters =
            static_cast<double>(draw(law, {200, 50}, static_cast<std::uint32_t>(trial)).size());
        sum += clusters;
        squares += clusters * clusters;
        none += clusters == 0 ? 1 : 0;
    }
    const double mean = sum / arrays;
    CHECK(std::abs(mean - 3) < 4 * std::sqrt(3.0 / arrays));
    CHECK(std::abs(squares / arrays - mean * mean - 3) < 0.35);
    const double expected = std::exp(-3.0) * arrays;
    CHECK(std::abs(none - expected) < 4 * std::sqrt(expected));
}

TEST_CASE("more clusters or denser ones only add cells") {
    for (std::uint32_t trial = 0; trial < 30; ++trial) {
        ClusterLaw few{.per_array = 1, .size = 5, .density = 0.3};
        const Cells cells = draw(few, {30, 30}, trial);
        ClusterLaw more = few;
        more.per_array = 4;
        ClusterLaw denser = few;
        denser.density = 0.8;
        for (const Cells& larger : {draw(more, {30, 30}, trial), draw(denser, {30, 30}, trial)})
            CHECK(std::includes(larger.begin(), larger.end(), cells.begin(), cells.end()));
    }
}

TEST_CASE("clusters are stuck on and off as often as single cells, and at density") {
    const ClusterLaw law{.per_array = 2, .size = 20, .density = 0.25};
    std::size_t on = 0;
    std::size_t off = 0;
    std::size_t all = 0;
    ClusterLaw full = law;
    full.density = 1;
    for (std::uint32_t trial = 0; trial < 100; ++trial) {
        const FaultMatrix faults = draw_clusters(law, 4, 1, trial, "fc", {}, {64, 64});
        on += static_cast<std::size_t>((faults.array() == Fault::stuck_on).count());
        off += static_cast<std::size_t>((faults.array() == Fault::stuck_off).count());
        all += hit(draw_clusters(full, 4, 1, trial, "fc", {}, {64, 64})).size();
    }
    const auto share = static_cast<double>(on + off) / static_cast<double>(all);
    CHECK(share == doctest::Approx(0.25).epsilon(0.05));
    CHECK(static_cast<double>(on) / static_cast<double>(off) == doctest::Approx(4).epsilon(0.1));
}

TEST_CASE("laws of clusters that cannot be are refused") {
    CHECK_THROWS_AS(check(ClusterLaw{.per_array = -1}), InvalidInput);
    CHECK_THROWS_AS(check(ClusterLaw{.per_array = 1000}), InvalidInput);
    CHECK_THROWS_AS(check(ClusterLaw{.density = 1.5}), InvalidInput);
    CHECK_THROWS_AS(check(ClusterLaw{.shape = ClusterShape::block, .size = 0}), InvalidInput);
    CHECK_NOTHROW(check(ClusterLaw{.shape = ClusterShape::word_line, .size = 0}));
    CHECK_THROWS_AS(parse_cluster_shape("star"), InvalidInput);
    for (const auto shape :
         {ClusterShape::word_line, ClusterShape::bit_line, ClusterShape::block, ClusterShape::ring})
        CHECK(parse_cluster_shape(to_string(shape)) == shape);
}
