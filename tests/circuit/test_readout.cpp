#include <doctest/doctest.h>

#include "circuit/error.hpp"
#include "circuit/readout.hpp"

using namespace kirchnet;

TEST_CASE("read-out words read back, others are refused") {
    for (const auto readout : {Readout::ideal, Readout::opamp})
        CHECK(parse_readout(to_string(readout)) == readout);
    CHECK_THROWS_AS(parse_readout("op-amp"), InvalidInput);
    for (const auto subtraction : {Subtraction::before, Subtraction::after})
        CHECK(parse_subtraction(to_string(subtraction)) == subtraction);
    CHECK_THROWS_AS(parse_subtraction("never"), InvalidInput);
}

TEST_CASE("the feedback resistance uses four fifths of the swing") {
    // 0.8 * 1.2 V / 96 uA = 10 kohm
    CHECK(default_feedback_resistance(OpAmp{.swing = 1.2}, 96e-6) == doctest::Approx(1e4));
    CHECK(default_feedback_resistance(OpAmp{.swing = 2.4}, 96e-6) == doctest::Approx(2e4));
}

TEST_CASE("an array without current gets an ordinary feedback resistance") {
    CHECK(default_feedback_resistance(OpAmp{}, 0) == 1e3);
}
