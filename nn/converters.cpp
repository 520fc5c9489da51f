#include "nn/converters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "circuit/error.hpp"

namespace kirchnet {
namespace {

double largest_code(int bits, bool is_signed) {
    return std::ldexp(1.0, is_signed ? bits - 1 : bits) - 1;
}

void check_converter(int bits, double range, bool is_signed, std::string_view what) {
    const int fewest = is_signed ? 2 : 1;
    if (bits != 0 && (bits < fewest || bits > 16))
        throw InvalidInput(fmt::format("{} bits", what),
                           fmt::format("{} is neither 0 (continuous) nor {} to 16", bits, fewest));
    if (!(range > 0) || !std::isfinite(range))
        throw InvalidInput(fmt::format("{} range", what), fmt::format("{} is not positive", range));
}

}  // namespace

double Dac::levels() const {
    return largest_code(bits, is_signed);
}

double dac_fraction(const Dac& dac, double value) {
    if (dac.bits == 0) return value / dac.range;
    const double code = std::floor(value / dac.range * dac.levels() + 0.5);
    return std::clamp(code, dac.is_signed ? -dac.levels() : 0.0, dac.levels()) / dac.levels();
}

double Adc::highest_code() const {
    return largest_code(bits, is_signed);
}

double Adc::lowest_code() const {
    return is_signed ? -std::ldexp(1.0, bits - 1) : 0.0;
}

void check(const Dac& dac) {
    check_converter(dac.bits, dac.range, dac.is_signed, "DAC");
}

void check(const Adc& adc) {
    check_converter(adc.bits, adc.range, adc.is_signed, "ADC");
}

}  // namespace kirchnet
