#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "circuit/error.hpp"
#include "circuit/faults.hpp"
#include "circuit/mapping.hpp"

using namespace kirchnet;

namespace {

constexpr std::array mappings{Mapping::two_column, Mapping::offset, Mapping::differential};

int faulty_level(Fault fault, int level, int largest_cell_level) {
    if (fault == Fault::stuck_off) return 0;
    return fault == Fault::stuck_on ? largest_cell_level : level;
}

Fault complement(Fault fault) {
    if (fault == Fault::stuck_off) return Fault::stuck_on;
    return fault == Fault::stuck_on ? Fault::stuck_off : fault;
}

/// The weight level that a pair holds when its cells have these faults.
int level_under_faults(Mapping mapping, int level, int largest, Fault on_a, Fault on_b) {
    LevelPair cells = to_levels(mapping, level, largest);
    const int top = mapping == Mapping::offset ? 2 * largest : largest;
    cells.a = faulty_level(on_a, cells.a, top);
    cells.b = faulty_level(on_b, cells.b, top);
    return from_levels(mapping, cells, largest);
}

struct Rates {
    double off;
    double on;
};

/// Chance that a weight is misread, two independent cells (enumerated on paper: a fault matters
/// unless it holds the state that the cell has anyway, or both cells move alike).
double mismatch_probability(Mapping mapping, int level, int largest, Rates p) {
    const bool zero = level == 0;
    const bool full = std::abs(level) == largest;
    if (mapping == Mapping::offset) return full ? (level > 0 ? p.off : p.on) : p.off + p.on;
    if (full) return 1 - (1 - p.off) * (1 - p.on);
    const double harmful = mapping == Mapping::two_column ? p.on : p.off;
    return zero ? 2 * harmful * (1 - harmful) : 1 - (1 - p.off - p.on) * (1 - harmful);
}

CellAddress cell(int weight, Polarity polarity) {
    return {.output_channel = weight, .polarity = polarity};
}

int drawn_level(Mapping mapping, int weight, int level, int largest, const FaultDraw& draw) {
    return level_under_faults(mapping, level, largest,
                              draw_fault(draw, "layer", cell(weight, Polarity::a)).kind,
                              draw_fault(draw, "layer", cell(weight, Polarity::b)).kind);
}

constexpr int weights = 1000000;
constexpr int L = 127;

/// Levels crowded around zero as trained weights are, both ends present: cubes of a ramp that no
/// generator of faults can know.
int level_of(int weight) {
    const double ramp =
        2.0 * (static_cast<double>((weight * 7919LL) % weights) / (weights - 1)) - 1;
    return quantize_weight(ramp * ramp * ramp, L);
}

}  // namespace

TEST_CASE("levels and weights are a bijection in every mapping") {
    for (const int bits : {2, 3, 8, 12})
        for (const Mapping mapping : mappings) {
            const int largest = largest_level(bits);
            for (int level = -largest; level <= largest; ++level)
                REQUIRE(from_levels(mapping, to_levels(mapping, level, largest), largest) == level);
        }
}

TEST_CASE("cell levels stay within the cell") {
    for (int level = -L; level <= L; ++level) {
        const LevelPair two = to_levels(Mapping::two_column, level, L);
        const LevelPair both = to_levels(Mapping::differential, level, L);
        const LevelPair one = to_levels(Mapping::offset, level, L);
        CHECK(std::min(two.a, two.b) == 0);
        CHECK(std::max(two.a, two.b) == std::abs(level));
        CHECK(std::max(both.a, both.b) == L);
        CHECK(std::min(both.a, both.b) == L - std::abs(level));
        CHECK(one.a == level + L);
        CHECK(one.b == 0);
    }
}

TEST_CASE("known levels of single weights") {
    // 7 bits of magnitude: 0.5 * 127 = 63.5 rounds away from zero.
    CHECK(quantize_weight(0.5, L) == 64);
    CHECK(quantize_weight(-0.5, L) == -64);
    CHECK(to_levels(Mapping::two_column, -64, L) == LevelPair{0, 64});
    CHECK(to_levels(Mapping::differential, -64, L) == LevelPair{63, 127});
    CHECK(to_levels(Mapping::differential, 0, L) == LevelPair{127, 127});
    CHECK(to_levels(Mapping::offset, -127, L) == LevelPair{0, 0});
}

TEST_CASE("states follow from levels, or from the weight itself") {
    CHECK(to_states(Mapping::two_column, 0.5, 8).a == 64.0 / 127);
    CHECK(to_states(Mapping::offset, 0.5, 8).a == (64.0 + 127) / 254);
    CHECK(to_states(Mapping::differential, -1, 8).a == 0);
    for (const Mapping mapping : mappings)
        for (const double weight : {-1.0, -0.25, 0.0, 0.625, 1.0})  // exact in binary
            CHECK(from_states(mapping, to_states(mapping, weight, 0)) == weight);
}

TEST_CASE("differential faults are two-column faults, complemented and exchanged") {
    constexpr std::array faults{Fault::none, Fault::stuck_off, Fault::stuck_on};
    for (const Fault on_a : faults)
        for (const Fault on_b : faults)
            for (int level = -L; level <= L; ++level)
                REQUIRE(level_under_faults(Mapping::differential, level, L, on_a, on_b) ==
                        level_under_faults(Mapping::two_column, level, L, complement(on_b),
                                           complement(on_a)));
}

TEST_CASE("weights are misread as often as the closed form says") {
    const FaultDraw draw{.law = {.rate = 0.1}, .seed = 11};
    const Rates p{0.1 / 6.2, 0.1 * 5.2 / 6.2};
    for (const Mapping mapping : mappings)
        // Every class of weight on its own, 1e6 of each.
        for (const int level : {0, 40, -40, L, -L}) {
            int misread = 0;
            for (int weight = 0; weight < weights; ++weight)
                misread += drawn_level(mapping, weight, level, L, draw) != level ? 1 : 0;
            const double expected = mismatch_probability(mapping, level, L, p);
            const double sigma = std::sqrt(weights * expected * (1 - expected));
            CAPTURE(to_string(mapping));
            CAPTURE(level);
            CHECK(std::abs(misread - weights * expected) < 5 * sigma);
        }
}

TEST_CASE("one cell per weight fails with probability p_off (1 - R) + p_on") {
    // Yuan et al. (ISQED 2021) for a cell that holds |w|; no |w| = 1, a fraction R is zero.
    const FaultDraw draw{.law = {.rate = 0.06}, .seed = 5};
    constexpr double pruned = 0.4;
    const Rates p{0.06 / 6.2, 0.06 * 5.2 / 6.2};
    int misread = 0;
    for (int weight = 0; weight < weights; ++weight) {
        const int level = weight < pruned * weights ? 0 : 1 + weight % (L - 1);
        const Fault fault = draw_fault(draw, "layer", cell(weight, Polarity::a)).kind;
        misread += faulty_level(fault, level, L) != level ? 1 : 0;
    }
    const double expected = p.off * (1 - pruned) + p.on;
    CHECK(std::abs(misread - weights * expected) <
          5 * std::sqrt(weights * expected * (1 - expected)));
}

TEST_CASE("errors of weights have the mean and size that the closed forms say") {
    const FaultDraw draw{.law = {.rate = 0.01}, .seed = 3};
    const Rates p{0.01 / 6.2, 0.01 * 5.2 / 6.2};
    double m = 0;   // E|w|
    double q = 0;   // E[w^2]
    double mu = 0;  // E[w]
    for (int i = 0; i < weights; ++i) {
        const double w = static_cast<double>(level_of(i)) / L;
        m += std::abs(w) / weights;
        q += w * w / weights;
        mu += w / weights;
    }
    for (const Mapping mapping : mappings) {
        double mean = 0;
        double square = 0;
        double fourth = 0;
        for (int i = 0; i < weights; ++i) {
            const int level = level_of(i);
            const double error =
                static_cast<double>(drawn_level(mapping, i, level, L, draw) - level) / L;
            mean += error / weights;
            square += error * error / weights;
            fourth += error * error * error * error / weights;
        }
        const bool offset = mapping == Mapping::offset;
        const double larger = mapping == Mapping::two_column ? p.on : p.off;
        const double smaller = mapping == Mapping::two_column ? p.off : p.on;
        const double expected_square = offset ? p.off * (1 + 2 * mu + q) + p.on * (1 - 2 * mu + q)
                                              : larger * (2 - 2 * m + q) + smaller * q;
        const double expected_mean = (offset ? p.on - p.off : 0.0) - (p.off + p.on) * mu;
        CAPTURE(to_string(mapping));
        // Means are exact; squares are first order in p, so second-order terms may remain.
        CHECK(std::abs(mean - expected_mean) < 5 * std::sqrt(square / weights));
        CHECK(std::abs(square - expected_square) <
              5 * std::sqrt(fourth / weights) + 8 * (p.off + p.on) * (p.off + p.on));
    }
}

TEST_CASE("a cell's conductance is exact at both ends of its range") {
    // off + 1 * (on - off) differs from on for most pairs of doubles.
    for (const DeviceRange range : {DeviceRange{}, DeviceRange{3.33e-4, 3.33e-7},
                                    DeviceRange{1.0 / 3e4, 1.0 / 7e6}, DeviceRange{1e-4, 0}}) {
        CHECK(range.conductance(0) == range.off);
        CHECK(range.conductance(1) == range.on);
        CHECK(range.conductance(0.5) == doctest::Approx((range.on + range.off) / 2));
    }
    CHECK(DeviceRange{}.span() == doctest::Approx(99e-6));
}

TEST_CASE("mapping words read back, others are refused") {
    for (const Mapping mapping : mappings) CHECK(parse_mapping(to_string(mapping)) == mapping);
    CHECK_THROWS_AS(parse_mapping("twocolumn"), InvalidInput);
    CHECK(has_column_pair(Mapping::two_column));
    CHECK(has_column_pair(Mapping::differential));
    CHECK_FALSE(has_column_pair(Mapping::offset));
}

TEST_CASE("weight bits that give no levels are refused") {
    CHECK(largest_level(2) == 1);
    CHECK(largest_level(8) == 127);
    CHECK(largest_level(24) == 8388607);
    for (const int bits : {-1, 0, 1, 25}) CHECK_THROWS_AS(largest_level(bits), InvalidInput);
    CHECK_THROWS_AS(to_states(Mapping::offset, 0.5, 1), InvalidInput);
}

TEST_CASE("conductance windows that are none are refused") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
    CHECK_NOTHROW(check(DeviceRange{1e-4, 0}));
    for (const DeviceRange range :
         {DeviceRange{1e-6, 1e-6}, DeviceRange{1e-6, 1e-4}, DeviceRange{1e-4, -1e-6},
          DeviceRange{infinity, 1e-6}, DeviceRange{not_a_number, 1e-6},
          DeviceRange{1e-4, not_a_number}})
        CHECK_THROWS_AS(check(range), InvalidInput);
}
