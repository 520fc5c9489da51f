#include <doctest/doctest.h>

#include <cmath>

#include "circuit/error.hpp"
#include "nn/converters.hpp"

using namespace kirchnet;

TEST_CASE("an unsigned DAC has 2^bits - 1 steps up to its range") {
    const Dac dac{2, 6.0, false};  // codes 0..3 stand for 0, 2, 4, 6
    CHECK(dac.levels() == 3);
    CHECK(dac_fraction(dac, 0.9) == 0.0);
    CHECK(dac_fraction(dac, 1.0) == 1.0 / 3);  // halves go up
    CHECK(dac_fraction(dac, 4.5) == 2.0 / 3);
    CHECK(dac_fraction(dac, 99) == 1.0);
    CHECK(dac_fraction(dac, -1) == 0.0);
}

TEST_CASE("a signed DAC uses both signs of the read voltage, and zero is a code") {
    const Dac dac{3, 3.0, true};  // codes -3..3
    CHECK(dac_fraction(dac, 0) == 0.0);
    CHECK(dac_fraction(dac, -2) == -2.0 / 3);
    CHECK(dac_fraction(dac, -99) == -1.0);
}

TEST_CASE("a continuous DAC only scales") {
    CHECK(dac_fraction({0, 4.0, false}, 5.0) == 1.25);
}

TEST_CASE("ADC codes are those of two's complement when signed") {
    const Adc pair{8, 12.7, true};
    CHECK(pair.highest_code() == 127);
    CHECK(pair.lowest_code() == -128);
    CHECK(pair.lsb() == doctest::Approx(0.1).epsilon(1e-15));
    const Adc single{8, 25.5, false};
    CHECK(single.highest_code() == 255);
    CHECK(single.lowest_code() == 0);
    CHECK(single.lsb() == doctest::Approx(0.1).epsilon(1e-15));
}

TEST_CASE("converters with unusable bits or range are refused") {
    CHECK_NOTHROW(check(Adc{0, 1, true}));
    CHECK_THROWS_AS(check(Adc{1, 1, true}), InvalidInput);  // a sign alone holds no code
    CHECK_NOTHROW(check(Dac{1, 1, false}));
    CHECK_THROWS_AS(check(Dac{17, 1, false}), InvalidInput);
    CHECK_THROWS_AS(check(Dac{-1, 1, false}), InvalidInput);
    CHECK_THROWS_AS(check(Dac{8, 0, false}), InvalidInput);
    CHECK_THROWS_AS(check(Adc{8, NAN, true}), InvalidInput);
}
