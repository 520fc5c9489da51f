// Weights cut into cells of a few bits each.
#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "circuit/error.hpp"
#include "circuit/tile.hpp"

using namespace kirchnet;

namespace {

constexpr std::array mappings{Mapping::two_column, Mapping::offset, Mapping::differential};

std::vector<LevelSlice> all_slices(Mapping mapping, int bits, int per_cell) {
    std::vector<LevelSlice> slices;
    for (int k = 0; k < slice_count(mapping, bits, per_cell); ++k)
        slices.push_back(level_slice(mapping, bits, per_cell, k));
    return slices;
}

int faulty_digit(Fault fault, int digit, int largest) {
    if (fault == Fault::stuck_off) return 0;
    return fault == Fault::stuck_on ? largest : digit;
}

Fault complement(Fault fault) {
    if (fault == Fault::stuck_off) return Fault::stuck_on;
    return fault == Fault::stuck_on ? Fault::stuck_off : fault;
}

/// The weight level that a slice's cells add under these faults (a - b of their digits).
int slice_value(Mapping mapping, int level, int largest, const LevelSlice& slice, Fault on_a,
                Fault on_b) {
    const LevelPair digits = to_digits(mapping, level, largest, slice);
    return (faulty_digit(on_a, digits.a, slice.levels) -
            faulty_digit(on_b, digits.b, slice.levels)) *
           (1 << slice.shift);
}

WeightBlock block_of_one(double weight, int slice) {
    return {"conv", 1, 2, Eigen::MatrixXd::Constant(1, 1, weight), {{5, 0, 1}}, 7, slice};
}

TileSettings sliced_settings(Mapping mapping) {
    TileSettings settings;
    settings.array = {2, 2};
    settings.mapping = mapping;
    settings.weight_bits = 8;
    settings.bits_per_cell = 3;
    return settings;
}

}  // namespace

TEST_CASE("the digits of all slices make up the level again, in every mapping") {
    for (const Mapping mapping : mappings)
        for (const int bits : {2, 3, 4, 8, 11})
            for (int per_cell = 1; per_cell < bits; ++per_cell) {
                const int largest = largest_level(bits);
                for (int level = -largest; level <= largest; ++level) {
                    LevelPair cells;
                    for (const LevelSlice& slice : all_slices(mapping, bits, per_cell)) {
                        const LevelPair digits = to_digits(mapping, level, largest, slice);
                        REQUIRE(digits.a >= 0);
                        REQUIRE(digits.a <= slice.levels);
                        REQUIRE(digits.b >= 0);
                        REQUIRE(digits.b <= slice.levels);
                        cells.a += digits.a << slice.shift;
                        cells.b += digits.b << slice.shift;
                    }
                    REQUIRE(from_levels(mapping, cells, largest) == level);
                }
            }
}

TEST_CASE("seven bits in cells of three are digits of 3, 3 and 1 bit") {
    const auto slices = all_slices(Mapping::two_column, 8, 3);
    CHECK(slices == std::vector<LevelSlice>{{0, 7}, {3, 7}, {6, 1}});
    // offset has the eight bits of level + L: 3, 3 and 2
    CHECK(all_slices(Mapping::offset, 8, 3) == std::vector<LevelSlice>{{0, 7}, {3, 7}, {6, 3}});
    // 91 = 1 011 011 in binary
    CHECK(to_digits(Mapping::two_column, -91, 127, slices[1]) == LevelPair{0, 3});
    CHECK(to_digits(Mapping::two_column, -91, 127, slices[2]) == LevelPair{0, 1});
}

TEST_CASE("a differential pair holds the complement of each digit of a two-column pair") {
    for (const LevelSlice& slice : all_slices(Mapping::differential, 8, 2))
        for (int level = -127; level <= 127; ++level) {
            const LevelPair two = to_digits(Mapping::two_column, level, 127, slice);
            const LevelPair both = to_digits(Mapping::differential, level, 127, slice);
            CHECK(both == LevelPair{slice.levels - two.b, slice.levels - two.a});
        }
}

TEST_CASE("in every slice differential faults are two-column faults, complemented and exchanged") {
    // The duality of docs/methods/mapping.md, slice by slice.
    constexpr std::array faults{Fault::none, Fault::stuck_off, Fault::stuck_on};
    for (const LevelSlice& slice : all_slices(Mapping::differential, 8, 2))
        for (const Fault on_a : faults)
            for (const Fault on_b : faults)
                for (int level = -127; level <= 127; ++level)
                    REQUIRE(slice_value(Mapping::differential, level, 127, slice, on_a, on_b) ==
                            slice_value(Mapping::two_column, level, 127, slice, complement(on_b),
                                        complement(on_a)));
}

TEST_CASE("0 bits per cell: one cell holds the level, or the weight itself") {
    CHECK(level_slice(Mapping::two_column, 8, 0, 0) == LevelSlice{0, 127});
    CHECK(level_slice(Mapping::offset, 8, 0, 0) == LevelSlice{0, 254});
    CHECK(slice_count(Mapping::offset, 0, 0) == 1);
    CHECK(to_states(Mapping::two_column, 0.5, 8, {3, 7}).a == 0.0);             // 64 = 1 000 000
    CHECK(to_states(Mapping::differential, 0.5, 8, {3, 7}).b == 1.0);           // its complement
    CHECK(to_states(Mapping::two_column, 38.0 / 127, 8, {3, 7}).a == 4.0 / 7);  // 38 = 100 110
}

TEST_CASE("cells that hold more bits than weights have are refused") {
    CHECK(slice_count(Mapping::two_column, 8, 7) == 1);
    CHECK(slice_count(Mapping::offset, 8, 8) == 1);
    CHECK_THROWS_WITH_AS((void)slice_count(Mapping::two_column, 8, 8),
                         doctest::Contains("1 to 7, the bits that 8-bit weights have"),
                         InvalidInput);
    CHECK_THROWS_AS((void)slice_count(Mapping::offset, 8, 9), InvalidInput);
    CHECK_THROWS_AS((void)slice_count(Mapping::offset, 8, -1), InvalidInput);
    CHECK_THROWS_WITH_AS((void)slice_count(Mapping::two_column, 0, 2),
                         doctest::Contains("continuous"), InvalidInput);
    CHECK_THROWS_AS((void)level_slice(Mapping::two_column, 8, 3, 3), InvalidInput);
}

TEST_CASE("a tile of one slice holds its digits, and its cells say so") {
    // q = -91 = -(1 011 011): digits 3, 3, 1 from the lowest.
    for (const int k : {0, 1, 2}) {
        const Tile tile(block_of_one(-91.0 / 127, k), sliced_settings(Mapping::two_column));
        const int digit = k == 2 ? 1 : 3;
        const int largest = k == 2 ? 1 : 7;
        const CellMeaning b = tile.meaning({Polarity::b, 0, 0});
        CHECK(b.level == -91);
        CHECK(b.digit == digit);
        CHECK(b.steps == largest);
        CHECK(b.state == static_cast<double>(digit) / largest);
        CHECK(b.conductance == DeviceRange{}.conductance(static_cast<double>(digit) / largest));
        CHECK(b.identity == CellIdentity(CellAddress{7, 5, 0, 1, k, Polarity::b}));
        CHECK(tile.meaning({Polarity::a, 0, 0}).digit == 0);
        CHECK(tile.meaning({Polarity::a, 1, 1}).identity ==
              CellIdentity(PaddingCell{1, 2, 1, 1, Polarity::a, k}));
    }
    CHECK_THROWS_WITH_AS(Tile(block_of_one(0.5, 3), sliced_settings(Mapping::two_column)),
                         doctest::Contains("3 slices"), InvalidInput);
}

TEST_CASE("every slice has faults of its own") {
    const FaultDraw draw{.law = {.rate = 0.5}, .seed = 4};
    const auto faults_of = [&](int slice) {
        TileSettings settings = sliced_settings(Mapping::differential);
        settings.array = {16, 16};
        WeightBlock block = block_of_one(0.25, slice);
        block.weights = Eigen::MatrixXd::Constant(8, 8, 0.25);
        block.inputs.clear();
        for (std::int32_t r = 0; r < 8; ++r) block.inputs.push_back({r, 0, 0});
        return Tile(block, settings, draw).arrays().front().faults();
    };
    const FaultMatrix lowest = faults_of(0);
    CHECK((lowest == faults_of(0)));
    CHECK((lowest.topLeftCorner(8, 8) != faults_of(1).topLeftCorner(8, 8)));
    CHECK((lowest.bottomRows(8) != faults_of(1).bottomRows(8)));  // padding
}

TEST_CASE("pairs that are subtracted digitally have no subtractor") {
    TileSettings settings = sliced_settings(Mapping::two_column);
    CHECK(Tile(block_of_one(0.5, 0), settings).has_subtractors());
    settings.subtraction = Subtraction::after;
    CHECK_FALSE(Tile(block_of_one(0.5, 0), settings).has_subtractors());
    settings = sliced_settings(Mapping::offset);
    CHECK_FALSE(Tile(block_of_one(0.5, 0), settings).has_subtractors());
}
