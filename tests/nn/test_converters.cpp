#include <doctest/doctest.h>

#include <cmath>

#include "circuit/adc.hpp"
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

TEST_CASE("a code is read digit by digit, and the digits make up the code again") {
    for (const int per_read : {1, 2, 3, 4, 8})
        for (const bool is_signed : {false, true})
            for (const auto mode : {SignedInputs::bipolar, SignedInputs::two_pass}) {
                const Dac dac{8, 1.0, is_signed, per_read, mode};
                const auto reads = input_reads(dac);
                const int largest = is_signed ? 127 : 255;
                for (int code = is_signed ? -largest : 0; code <= largest; ++code) {
                    double total = 0;
                    for (const InputRead& read : reads) {
                        const int digit = input_digit(read, code);
                        CHECK(std::abs(digit) <= read.levels);
                        // Two passes drive one sign of the read voltage.
                        if (mode == SignedInputs::two_pass || !is_signed) CHECK(digit >= 0);
                        total += read.weight * digit;
                    }
                    CHECK(total == code);
                }
            }
}

TEST_CASE("the number of reads follows from bits and passes, the sign taking no digit") {
    const auto count = [](const Dac& dac) { return input_reads(dac).size(); };
    CHECK(count({16, 1, false, 1}) == 16);
    CHECK(count({16, 1, true, 1}) == 15);
    CHECK(count({16, 1, true, 1, SignedInputs::two_pass}) == 30);
    CHECK(count({6, 1, false, 3}) == 2);
    CHECK(count({8, 1, false, 3}) == 3);  // 3 + 3 + 2 bits
    CHECK(input_reads({8, 1, false, 3}).back().levels == 3);
    CHECK(count({8, 1, true}) == 1);
    CHECK(count({8, 1, true, 0, SignedInputs::two_pass}) == 2);
    CHECK(count({0, 1, true}) == 1);
}

TEST_CASE("a read drives its digit as a share of the DAC's full scale") {
    const Dac dac{4, 15.0, false, 2};  // 13 = 3 * 4 + 1
    const auto reads = input_reads(dac);
    CHECK(dac_fraction(dac, reads[0], 13.2) == 1.0 / 3);
    CHECK(dac_fraction(dac, reads[1], 13.2) == 1.0);
    const Dac bipolar{5, 15.0, true, 2};
    CHECK(dac_fraction(bipolar, input_reads(bipolar)[0], -13.2) == -1.0 / 3);
    const Dac split{5, 15.0, true, 2, SignedInputs::two_pass};
    CHECK(dac_fraction(split, input_reads(split)[0], -13.2) == 0.0);
    CHECK(dac_fraction(split, input_reads(split)[2], -13.2) == 1.0 / 3);
    CHECK(dac_fraction({0, 4.0, false}, InputRead{}, 5.0) == 1.25);
}

TEST_CASE("digits that do not fit their code are refused, words of modes read back") {
    CHECK_THROWS_WITH_AS(check(Dac{4, 1, false, 5}), doctest::Contains("4-bit inputs"),
                         InvalidInput);
    CHECK_THROWS_AS(check(Dac{4, 1, false, -1}), InvalidInput);
    for (const auto mode : {SignedInputs::bipolar, SignedInputs::two_pass})
        CHECK(parse_signed_inputs(to_string(mode)) == mode);
    CHECK_THROWS_AS(parse_signed_inputs("twos_complement"), InvalidInput);
}
