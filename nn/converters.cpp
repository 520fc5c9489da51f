#include "nn/converters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

/// Bits of a code's magnitude.
int magnitude_bits(const Dac& dac) {
    return dac.is_signed ? dac.bits - 1 : dac.bits;
}

int dac_code(const Dac& dac, double value) {
    const double code = std::floor(value / dac.range * dac.levels() + 0.5);
    return static_cast<int>(std::clamp(code, dac.is_signed ? -dac.levels() : 0.0, dac.levels()));
}

/// The digits of one pass, lowest first.
void add_pass(const Dac& dac, InputRead::Part part, std::vector<InputRead>& reads) {
    const int bits = magnitude_bits(dac);
    const int per_read = dac.bits_per_read == 0 ? bits : dac.bits_per_read;
    const double sign = part == InputRead::Part::negative ? -1 : 1;
    for (int shift = 0; shift < bits; shift += per_read)
        reads.push_back({part, shift, (1 << std::min(per_read, bits - shift)) - 1,
                         (1 << per_read) - 1, sign * std::ldexp(1.0, shift)});
}

}  // namespace

std::string_view to_string(SignedInputs inputs) {
    return inputs == SignedInputs::bipolar ? "bipolar" : "two_pass";
}

SignedInputs parse_signed_inputs(std::string_view text) {
    if (text == "bipolar") return SignedInputs::bipolar;
    if (text == "two_pass") return SignedInputs::two_pass;
    throw InvalidInput(fmt::format("signed inputs '{}' are neither bipolar nor two_pass", text));
}

double Dac::levels() const {
    return std::ldexp(1.0, is_signed ? bits - 1 : bits) - 1;
}

double dac_fraction(const Dac& dac, double value) {
    if (dac.bits == 0) return value / dac.range;
    return dac_code(dac, value) / dac.levels();
}

std::vector<InputRead> input_reads(const Dac& dac) {
    std::vector<InputRead> reads;
    if (dac.bits == 0) {
        reads.emplace_back();
    } else if (dac.is_signed && dac.signed_inputs == SignedInputs::two_pass) {
        add_pass(dac, InputRead::Part::positive, reads);
        add_pass(dac, InputRead::Part::negative, reads);
    } else {
        add_pass(dac, InputRead::Part::both_signs, reads);
    }
    return reads;
}

int input_digit(const InputRead& read, int code) {
    const int seen = read.part == InputRead::Part::negative ? -code : code;
    if (read.part != InputRead::Part::both_signs && seen < 0) return 0;
    const int digit = (std::abs(seen) >> read.shift) & read.levels;
    return seen < 0 ? -digit : digit;
}

double dac_fraction(const Dac& dac, const InputRead& read, double value) {
    if (dac.bits == 0) return dac_fraction(dac, value);
    return static_cast<double>(input_digit(read, dac_code(dac, value))) / read.full_levels;
}

void check(const Dac& dac) {
    const int fewest = dac.is_signed ? 2 : 1;
    if (dac.bits != 0 && (dac.bits < fewest || dac.bits > 16))
        throw InvalidInput(
            "DAC bits", fmt::format("{} is neither 0 (continuous) nor {} to 16", dac.bits, fewest));
    if (!(dac.range > 0) || !std::isfinite(dac.range))
        throw InvalidInput("DAC range", fmt::format("{} is not positive", dac.range));
    if (dac.bits_per_read < 0 || dac.bits_per_read > dac.bits)
        throw InvalidInput("DAC bits", fmt::format("a digit of {} bits does not fit {}-bit inputs",
                                                   dac.bits_per_read, dac.bits));
}

}  // namespace kirchnet
